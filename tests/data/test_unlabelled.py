"""A set whose labels stand under unknown names is refused with the names it has; one label is enough to pass."""

import dataclasses
import re

import ase.io
import pytest
from ase.db import connect

from mlff.data import read_frames, refuse_unlabelled
from mlff.data.inspection import inspect_frames


def renamed(frames, suffix: str = "_dft") -> list:
    """Atoms without a calculator whose labels stand under `energy{suffix}` and so on."""
    images = []
    for frame in frames:
        atoms = frame.to_atoms()
        atoms.calc = None
        atoms.info |= {f"energy{suffix}": frame.energy, f"stress{suffix}": frame.stress, "converged": True}
        atoms.arrays[f"forces{suffix}"] = frame.forces
        images.append(atoms)
    return images


@pytest.mark.parametrize(
    ("name", "numbers", "arrays"),
    [
        ("a.extxyz", "energy_dft, temperature", "forces_dft, stress_dft"),
        ("a.db", "energy_dft", "forces_dft"),  # a database keeps no info of its own
        ("a.traj", "energy_dft, temperature", "stress_dft"),  # a trajectory keeps no arrays of its own
    ],
)
def test_unknown_keys_are_named_with_the_accepted_ones(lj_run, tmp_path, name, numbers, arrays):
    images = renamed(lj_run[:3])
    if name.endswith(".db"):
        with connect(tmp_path / name) as database:
            for atoms in images:
                database.write(atoms, energy_dft=atoms.info["energy_dft"], data={"forces_dft": atoms.arrays["forces_dft"]})
    else:
        ase.io.write(tmp_path / name, images)
    frames = read_frames(tmp_path / name)
    expected = (
        f"none of 3 frames has an energy, forces or a stress: {tmp_path / name}, frame 0 holds the numbers {numbers}, the arrays {arrays}, "
        "expected labels under REF_energy or energy or free_energy; REF_forces or forces; REF_stress or REF_virials or REF_virial or "
        "stress or virials or virial; rename them to REF_energy (eV), REF_forces (eV/Å) and REF_stress (eV/Å³)"
    )
    with pytest.raises(ValueError, match=f"^{re.escape(expected)}$"):
        refuse_unlabelled(frames)
    assert any(expected.partition(": ")[2] in warning for warning in inspect_frames(frames).warnings)
    assert "unread_keys" not in frames[0].to_atoms().info


def test_keys_without_numbers_are_none(lj_run):
    bare = [dataclasses.replace(f, energy=None, forces=None, stress=None, info={"converged": True}) for f in lj_run]
    with pytest.raises(ValueError, match="frame 0 holds no further numbers, expected labels under"):
        refuse_unlabelled(bare)
    with pytest.raises(ValueError, match="the set is empty"):
        refuse_unlabelled([])


@pytest.mark.parametrize("label", ["energy", "forces", "stress"])
def test_one_label_in_one_frame_is_enough(lj_run, label):
    none = {"energy": None, "forces": None, "stress": None}
    frames = [dataclasses.replace(f, **none) for f in lj_run[:3]]
    refuse_unlabelled([*frames, dataclasses.replace(lj_run[3], **{name: None for name in none if name != label})])


def test_labelled_frames_keep_no_list_of_other_arrays(lj_run, tmp_path):
    atoms = lj_run[0].to_atoms()
    atoms.arrays["velocities"] = lj_run[0].positions
    ase.io.write(tmp_path / "a.extxyz", atoms)
    assert "unread_keys" not in read_frames(tmp_path / "a.extxyz")[0].info
