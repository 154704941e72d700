"""Label the frames of files, and write those that succeeded to a file."""

import contextlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.io import read, write

from mlff.active.executors import Workers
from mlff.active.label import label
from mlff.active.ledger import Ledger
from mlff.data import Frame, geometry_hash
from mlff.oracle import Oracle


@dataclass(frozen=True)
class LabelSummary:
    """How a run of `label_frames` ended.

    labelled: frames in the output; new: of them, labelled by this run; failed: reason by frame number, in quarantine.
    seconds: of wall time that all these frames took, one after the other; failures count too.
    core_hours: of the whole ledger, repeated attempts too.
    """

    labelled: int
    new: int
    failed: dict[int, str]
    seconds: float
    core_hours: float

    def __str__(self) -> str:
        rows = [
            ("labelled", self.labelled),
            ("  of them new", self.new),
            ("in quarantine", len(self.failed)),
            ("minutes", f"{self.seconds / 60:.1f}"),
            ("core hours", f"{self.core_hours:.2f}"),
        ]
        table = "\n".join(f"{name:<16}{value:>8}" for name, value in rows)
        reasons = Counter(reason.splitlines()[0] for reason in self.failed.values())
        return table + "".join(f"\n  {count} × {reason}" for reason, count in reasons.items())


def label_frames(
    oracle: Oracle,
    input: str | Path | Sequence[str],
    output: str | Path,
    folder: str | Path,
    workers: Workers,
    timeout: float | None = None,
    cores: int = 1,
    retry_failed: bool = False,
    progress: bool = True,
) -> LabelSummary:
    """Label the frames of one or several files and write them with their labels.

    Args:
        oracle: picklable; its `label` is called by the workers.
        input: extxyz file or files; their frames are labelled in this order.
        output: extxyz file: REF_energy (eV), REF_forces (eV/Å), REF_stress (Voigt xx yy zz yz xz xy, eV/Å³, tension positive).
        folder: holds the ledger; labels found there are not computed again.
        timeout, cores, retry_failed: as `mlff.active.label.label`.
    Raises:
        ValueError: there is no frame, not one could be labelled, or `output` holds labelled frames of other inputs.
    """
    files = [input] if isinstance(input, (str, Path)) else list(input)
    frames = [frame for file in files for frame in read(file, index=":")]
    if not frames:
        raise ValueError(f"no frame to label in {[str(file) for file in files]}; expected at least one extxyz file")
    _refuse_to_lose(Path(output), frames)
    with contextlib.closing(Ledger(folder)) as ledger:
        made = label(frames, oracle, ledger, workers, timeout, cores, retry_failed, progress)
        seconds = sum(ledger.row(key)["wall_time"] for key in made.keys)
        core_hours = ledger.core_hours()
    labelled = [frame for frame in made.frames if frame is not None]
    if not labelled:
        raise ValueError(f"not one of {len(frames)} frames could be labelled; the first failed so: {made.reasons[0]}")
    Path(output).parent.mkdir(parents=True, exist_ok=True)
    write(output, labelled, format="extxyz")
    return LabelSummary(len(labelled), made.new, made.reasons, seconds, core_hours)


def _refuse_to_lose(output: Path, frames: Sequence[Atoms]) -> None:
    """Refuse an output that holds frames which these inputs do not."""
    if not output.exists():
        return
    known = {geometry_hash(Frame.from_atoms(frame)) for frame in frames}
    # by name first: only what a rounding may have renamed is compared with every frame
    renamed = [kept for kept in read(output, index=":") if geometry_hash(Frame.from_atoms(kept)) not in known]
    others = sum(not any(_same_structure(kept, frame) for frame in frames) for kept in renamed)
    if others:
        raise ValueError(
            f"{output} holds {others} labelled frame(s) that are not among these inputs and would be lost; "
            "name all inputs, input=[a.extxyz,b.extxyz], or another output"
        )


def _same_structure(a: Atoms, b: Atoms) -> bool:
    """Equal but for the 8 decimals that an extxyz keeps."""
    return (
        len(a) == len(b)
        and (a.numbers == b.numbers).all()
        and np.abs(a.positions - b.positions).max() < 1e-6
        and np.abs(a.cell.array - b.cell.array).max() < 1e-6
    )
