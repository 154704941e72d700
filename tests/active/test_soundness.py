"""Frames that are worth a reference calculation, and those that are not."""

import numpy as np
import pytest
from ase import Atoms

from mlff.active.soundness import Soundness
from tests.active.trajectories import sound


def test_a_crystal_is_sound():
    assert Soundness().fault(sound("a", 1)) is None


def test_two_atoms_at_one_place():
    atoms = sound("a", 1)
    atoms.positions[1] = atoms.positions[0]
    assert Soundness().fault(atoms) == "Cl and Li too close"


def test_atoms_are_close_through_the_walls_of_the_cell():
    atoms = Atoms("LiS", positions=[[0.3, 3, 3], [5.9, 3, 3]], cell=[6, 6, 6], pbc=True)
    assert Soundness().fault(atoms) == "Li and S too close"
    atoms.pbc = False
    assert Soundness().fault(atoms) is None


def test_an_atom_may_be_close_to_its_own_image():
    atoms = Atoms("S", cell=[0.9, 3, 3], pbc=True)
    assert Soundness(density=(0, 100)).fault(atoms) == "S and S too close"


@pytest.mark.parametrize(("length", "fault"), [(1.59, "Li and S too close"), (1.61, None)])
def test_a_pair_may_have_a_distance_of_its_own(length, fault):
    """Above half of the sum of covalent radii, 1.165 Å, in either order of the names."""
    atoms = Atoms("LiS", positions=[[1, 1, 1], [1 + length, 1, 1]], cell=[6, 6, 6], pbc=True)
    assert Soundness().fault(atoms) is None
    assert Soundness(distances={"S-Li": 1.6}).fault(atoms) == fault


def test_a_distance_of_another_pair_does_not_count():
    atoms = Atoms("LiS", positions=[[1, 1, 1], [2.59, 1, 1]], cell=[6, 6, 6], pbc=True)
    assert Soundness(distances={"Li-Li": 2.0}).fault(atoms) is None


@pytest.mark.parametrize(
    ("cell", "fault"),
    [
        ([5, 5, 41, 90, 90, 90], "an elongated cell"),
        ([5, 5, 39, 90, 90, 90], None),
        ([5, 5, 5, 90, 90, 24], "a flat cell"),
        ([5, 5, 5, 90, 90, 156], "a flat cell"),
        ([5, 5, 5, 90, 90, 26], None),
        ([60, 60, 60, 90, 90, 90], "an odd density"),
        ([0.8, 0.8, 0.8, 90, 90, 90], "an odd density"),
    ],
)
def test_the_cell(cell, fault):
    assert Soundness().fault(Atoms("Au", cell=cell, pbc=True)) == fault


def test_density_is_in_grams_per_cubic_centimetre():
    """NaCl: 2.16."""
    atoms = Atoms("NaCl", scaled_positions=[[0, 0, 0], [0.5, 0.5, 0.5]], cell=[4, 4, 4], pbc=True)
    atoms.set_cell(np.eye(3) * (5.64**3 / 4) ** (1 / 3), scale_atoms=True)
    assert Soundness(density=(2.15, 2.18)).fault(atoms) is None
    assert Soundness(density=(2.18, 9)).fault(atoms) == "an odd density"


def test_what_is_not_a_number_is_not_looked_at_further():
    atoms = sound("a", 1)
    atoms.positions[3, 1] = np.nan
    assert Soundness().fault(atoms) == "not a number"
