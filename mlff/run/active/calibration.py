"""Whether a committee's errors are as large as it expects, on frames that nobody chose and no model learnt."""

from collections.abc import Collection, Sequence
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.io import read

from mlff.active.campaign import DATA, LABELLED
from mlff.active.frames import TEST
from mlff.active.record import Record
from mlff.active.surrogate import Surrogate
from mlff.report import UncertaintyContent
from mlff.run.active.frame_info import frame_infos
from mlff.run.active.rounds import place_of
from mlff.uncertainty.calibration import FRAMEWORK, group_names

MOST_ATOMS = 3000  # of the newest frames; the page is written after every round and must not take long


def calibration_of(folder: Path, records: Sequence[Record], mobile: Collection[str]) -> UncertaintyContent | None:
    """Of the last model, on the audit of the newest rounds and, where those are few, the first test frames.

    None where the model is gone or was not calibrated, or no test frame is there.
    """
    place = folder / records[-1].model
    if not (place / "card.json").exists():
        return None
    frames = untouched_frames(folder, records)
    surrogate = Surrogate(place)
    calibration = surrogate.artefact.calibration
    if calibration is None or not frames:
        return None
    forces, deviations = zip(*surrogate.predictions(frames), strict=True)
    symbols = [np.array(frame.get_chemical_symbols()) for frame in frames]
    sigma = [
        calibration.sigma(deviation.force, group_names(own, calibration.groups), frame.info.get("temperature"))[0]
        for frame, own, deviation in zip(frames, symbols, deviations, strict=True)
    ]
    errors = [own - frame.arrays["REF_forces"] for frame, own in zip(frames, forces, strict=True)]
    every = np.concatenate(symbols)
    return UncertaintyContent.from_arrays(
        np.concatenate([deviation.force for deviation in deviations]),
        np.concatenate(sigma),
        np.concatenate(errors),
        np.where(np.isin(every, list(mobile)), every, FRAMEWORK),
        note=f"tried on {len(frames)} test and audit frames",
    )


def untouched_frames(folder: Path, records: Sequence[Record]) -> list[Atoms]:
    """Test frames, those of the last round first, until they hold MOST_ATOMS."""
    files = [place_of(folder, record) / LABELLED for record in reversed(records)] + [place_of(folder, records[0]) / DATA]
    found: list[Atoms] = []
    for file in files:
        infos = frame_infos(file) if file.exists() else []
        for number, info in enumerate(infos):
            if sum(map(len, found)) >= MOST_ATOMS:
                return found
            if info["split"] == TEST:
                found.append(read(file, index=number, format="extxyz"))
    return found
