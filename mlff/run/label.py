"""Label frames with a reference code, several at a time.

Each result is kept at once, so that a run killed anywhere goes on where it stopped.
"""

import json
import os
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.io import read, write
from ase.stress import full_3x3_to_voigt_6_stress
from tqdm import tqdm

from mlff.data import Frame, geometry_hash
from mlff.oracle import Oracle, OracleError, Unconverged, frame_key


@dataclass(frozen=True)
class LabelSummary:
    """How a run of `label_frames` ended.

    labelled: frames in the output; new: of them, labelled by this run; failed: reason by frame number, in quarantine.
    seconds: of wall time that all these frames took, one after the other; failures count too.
    """

    labelled: int
    new: int
    failed: dict[int, str]
    seconds: float

    def __str__(self) -> str:
        rows = [
            ("labelled", self.labelled),
            ("  of them new", self.new),
            ("in quarantine", len(self.failed)),
            ("minutes", f"{self.seconds / 60:.1f}"),
        ]
        table = "\n".join(f"{name:<16}{value:>8}" for name, value in rows)
        reasons = Counter(reason.splitlines()[0] for reason in self.failed.values())
        return table + "".join(f"\n  {count} × {reason}" for reason, count in reasons.items())


def label_frames(
    oracle: Oracle,
    input: str | Path | Sequence[str],
    output: str | Path,
    folder: str | Path,
    n_workers: int = 1,
    retry_failed: bool = False,
    progress: bool = True,
) -> LabelSummary:
    """Label the frames of one or several files and write them with their labels.

    Args:
        oracle: whose `label` is called in `n_workers` threads; a reference program runs as a process of its own.
        input: extxyz file or files; their frames are labelled in this order.
        output: extxyz file: REF_energy (eV), REF_forces (eV/Å), REF_stress (Voigt xx yy zz yz xz xy, eV/Å³, tension positive).
        folder: holds one JSON file per frame, named by `frame_key`; labels found there are not computed again.
        n_workers: frames at a time.
        retry_failed: whether frames in quarantine are tried again.
    Raises:
        ValueError: there is no frame, not one could be labelled, or `output` holds labelled frames of other inputs.
    """
    files = [input] if isinstance(input, (str, Path)) else list(input)
    frames = [frame for file in files for frame in read(file, index=":")]
    if not frames:
        raise ValueError(f"no frame to label in {[str(file) for file in files]}; expected at least one extxyz file")
    _refuse_to_lose(Path(output), frames)
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{frame_key(frame, oracle.settings, oracle.version)}.json" for frame in frames]
    todo = {}  # by path: a frame given twice runs once
    for frame, path in zip(frames, paths, strict=True):
        if not path.exists() or (retry_failed and _read(path)["status"] != "labelled"):
            todo[path] = frame
    with ThreadPoolExecutor(n_workers) as executor:
        runs = [executor.submit(_label_one, oracle, frame, path) for path, frame in todo.items()]
        try:
            for run in tqdm(as_completed(runs), total=len(runs), desc="label", unit="frame", disable=not progress):
                run.result()
        except BaseException:
            executor.shutdown(wait=False, cancel_futures=True)
            raise
    rows = [_read(path) for path in paths]
    labelled = [_labelled(frame, row) for frame, row in zip(frames, rows, strict=True) if row["status"] == "labelled"]
    failed = {number: row["reason"] for number, row in enumerate(rows) if row["status"] != "labelled"}
    if not labelled:
        raise ValueError(f"not one of {len(frames)} frames could be labelled; the first failed so: {failed[0]}")
    Path(output).parent.mkdir(parents=True, exist_ok=True)
    write(output, labelled, format="extxyz")
    seconds = sum(row["wall_time"] for row in rows)
    new = sum(row["status"] == "labelled" and path in todo for row, path in zip(rows, paths, strict=True))
    return LabelSummary(len(labelled), new, failed, seconds)


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


def _label_one(oracle: Oracle, frame: Atoms, path: Path) -> None:
    """Label one frame and keep what came of it; only a bug or an interrupt escapes."""
    started = time.monotonic()
    try:
        label = oracle.label(frame)
    except OracleError as error:
        status = "unconverged" if isinstance(error, Unconverged) else "failed"
        row = {"status": status, "reason": str(error), "wall_time": time.monotonic() - started}
    else:
        row = {
            "status": "labelled",
            "energy": label.energy,
            "forces": np.asarray(label.forces).tolist(),
            "stress": None if label.stress is None else np.asarray(label.stress).tolist(),
            "code": label.code,
            "version": label.version,
            "settings": label.settings_hash,
            "wall_time": label.wall_time,
        }
    # renamed when whole: a file that exists is a finished frame, whenever the run is killed
    unfinished = path.with_suffix(f".{os.getpid()}.tmp")
    unfinished.write_text(json.dumps(row))
    unfinished.replace(path)


def _read(path: Path) -> dict:
    return json.loads(path.read_text())


def _labelled(frame: Atoms, row: dict) -> Atoms:
    copy = Atoms(numbers=frame.numbers, positions=frame.positions, cell=frame.cell, pbc=frame.pbc)
    copy.info = dict(frame.info) | {
        "REF_energy": row["energy"],
        "energy_kind": "free",
        "settings": row["settings"],
        "code": f"{row['code']} {row['version']}",
    }
    copy.arrays["REF_forces"] = np.array(row["forces"])
    if row["stress"] is not None:
        copy.info["REF_stress"] = full_3x3_to_voigt_6_stress(np.array(row["stress"]))
    return copy
