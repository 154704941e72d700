"""Pictures of the frames that a reader of a campaign wants to look at."""

from collections.abc import Sequence
from pathlib import Path

from ase.io import read

from mlff.active.campaign import AUDIT, ROUNDS, SELECTED
from mlff.report.active_content import Chosen, Picture
from mlff.report.structure_picture import write_structure_picture
from mlff.run.active.frame_info import frame_infos

FOLDER = "figures/structures"
MOST_SYSTEMS, MOST_LOST = 8, 4  # pictures of each kind
DPI = 90


def pictures_of(folder: Path, chosen: Sequence[Chosen]) -> list[Picture]:
    """The most uncertain frame of each system's last choice, and the newest frames in quarantine; drawn where they were not before."""
    wanted = to_look_at(chosen)
    paths = {frame: folder / FOLDER / f"{frame.trajectory}_{frame.step}.png" for frame in wanted}
    for old in set((folder / FOLDER).glob("*.png")) - set(paths.values()):
        old.unlink()
    return [_picture(folder, frame, path) for frame, path in paths.items()]


def to_look_at(chosen: Sequence[Chosen]) -> list[Chosen]:
    taught = [frame for frame in chosen if frame.reason != AUDIT]
    found: list[Chosen] = []
    for system in sorted({frame.system for frame in taught})[:MOST_SYSTEMS]:
        own = [frame for frame in taught if frame.system == system]
        last = max(frame.round for frame in own)
        found.append(max((frame for frame in own if frame.round == last), key=lambda frame: frame.value))
    lost = [frame for frame in reversed(chosen) if frame.quarantine]
    return list(dict.fromkeys([*found, *lost[:MOST_LOST]]))


def _picture(folder: Path, frame: Chosen, path: Path) -> Picture:
    title = f"{frame.system}, {frame.temperature:g} K, round {frame.round}"
    if not path.exists():
        source = folder / ROUNDS / f"{frame.round:03d}" / SELECTED
        names = [(str(info["trajectory"]), int(info["step"])) for info in frame_infos(source)]
        atoms = read(source, index=names.index((frame.trajectory, frame.step)), format="extxyz")
        write_structure_picture(path, atoms, title, dpi=DPI)
    state = "In quarantine; chosen as" if frame.quarantine else "Chosen as"
    caption = f"{state} {frame.reason}: uncertainty {frame.value:.3f}, step {frame.step:,} of {frame.trajectory}."
    return Picture(title, caption, path.read_bytes())
