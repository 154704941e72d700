"""predictions.extxyz: what a potential says about labelled frames, beside their labels."""

from collections.abc import Sequence
from pathlib import Path

import ase.io
import numpy as np
from ase.stress import full_3x3_to_voigt_6_stress

from mlff.data import Frame
from mlff.train.metrics import FramePrediction


def write_predictions(path: Path, frames: Sequence[Frame], predictions: Sequence[FramePrediction]) -> None:
    """Write the frames with their labels under REF_* keys and the predictions under MLFF_* keys, never over the reference.

    Energies in eV, forces in eV/Å; stresses in eV/Å³, tension positive, as six numbers xx yy zz yz xz xy: the form in which
    other programs read them, and these frames are read back. A label that a frame lacks is left out.
    """
    written = []
    for frame, prediction in zip(frames, predictions, strict=True):
        atoms = frame.to_atoms()
        atoms.calc = None
        if frame.energy is not None:
            atoms.info |= {"REF_energy": frame.energy, "energy_kind": frame.energy_kind}
        if frame.forces is not None:
            atoms.arrays["REF_forces"] = frame.forces
        atoms.info["MLFF_energy"] = prediction.energy
        atoms.arrays["MLFF_forces"] = prediction.forces
        for key, stress in (("REF_stress", frame.stress), ("MLFF_stress", prediction.stress)):
            if stress is not None:
                atoms.info[key] = full_3x3_to_voigt_6_stress(np.asarray(stress))
        written.append(atoms)
    ase.io.write(path, written, format="extxyz")
