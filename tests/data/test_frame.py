"""A frame keeps its labels through ASE and refuses what cannot be a label."""

import dataclasses

import numpy as np
import pytest
from ase import Atoms

from mlff.data import Frame


def water(**labels) -> Frame:
    defaults = {"energy": None, "forces": None, "stress": None}
    return Frame([8, 1, 1], np.eye(3), np.zeros((3, 3)), False, **{**defaults, **labels}, source="w.extxyz", index=17)


def test_atoms_round_trip_keeps_every_label(lj_run):
    frame = dataclasses.replace(lj_run[0], energy_kind="free")
    back = Frame.from_atoms(frame.to_atoms())
    assert (back.energy, back.energy_kind) == (frame.energy, "free")
    for name in ("numbers", "positions", "cell", "pbc", "forces", "stress"):
        np.testing.assert_array_equal(getattr(back, name), getattr(frame, name))


def test_stress_components_keep_their_places():
    stress = np.array([[1.0, 6, 5], [6, 2, 4], [5, 4, 3]])
    frame = dataclasses.replace(water(), cell=np.eye(3) * 9, pbc=True, stress=stress)
    assert frame.to_atoms().get_stress().tolist() == [1, 2, 3, 4, 5, 6]  # xx yy zz yz xz xy
    np.testing.assert_array_equal(Frame.from_atoms(frame.to_atoms()).stress, stress)


def test_results_of_another_position_are_no_labels(lj_run):
    atoms = lj_run[0].to_atoms()
    atoms.positions[0, 0] += 0.1
    assert Frame.from_atoms(atoms).energy is None


def test_a_frame_stays_when_its_atoms_move_on(lj_run):
    atoms = lj_run[0].to_atoms()
    frame = Frame.from_atoms(atoms)
    atoms.positions += 1.0
    np.testing.assert_array_equal(frame.positions, lj_run[0].positions)


def test_missing_labels_are_none_not_zero():
    frame = Frame.from_atoms(Atoms("H2O"))
    assert (frame.energy, frame.forces, frame.stress) == (None, None, None)


@pytest.mark.parametrize(("label", "value"), [("energy", np.inf), ("forces", np.full((3, 3), np.nan)), ("stress", np.full((3, 3), np.nan))])
def test_a_label_that_is_not_finite_is_refused(label, value):
    n = np.size(value)
    with pytest.raises(
        ValueError, match=f"w.extxyz, frame 17: {label} hold {n} value.s. that are NaN or infinite, expected finite numbers; "
    ):
        water(**{label: value})


def test_shapes_must_agree():
    with pytest.raises(ValueError, match=r"w.extxyz, frame 17: forces have shape \(2, 3\), expected \(3, 3\)"):
        water(forces=np.zeros((2, 3)))


def test_energy_kind_is_one_of_three():
    with pytest.raises(ValueError, match="energy_kind 'total' is not one of free, sigma0, unknown"):
        water(energy_kind="total")
