"""Which key is the label."""

import numpy as np
import pytest
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator

from mlff.data.labels import full_stress, labels_from_atoms


def test_reference_keys_go_before_plain_ones():
    atoms = Atoms("H", info={"REF_energy": -1.0})
    atoms.arrays["REF_forces"] = np.ones((1, 3))
    atoms.calc = SinglePointCalculator(atoms, energy=-2.0, free_energy=-3.0, forces=np.zeros((1, 3)))
    labels = labels_from_atoms(atoms, "here")
    assert labels.energy == -1.0
    assert labels.forces.tolist() == [[1, 1, 1]]
    assert labels.keys == {"energy": "REF_energy", "forces": "REF_forces"}


@pytest.mark.parametrize(("asked", "energy", "kind"), [(None, -3.0, "free"), ("free", -3.0, "free"), ("sigma0", -2.0, "sigma0")])
def test_the_free_energy_is_taken_unless_told(asked, energy, kind):
    atoms = Atoms("H")
    atoms.calc = SinglePointCalculator(atoms, energy=-2.0, free_energy=-3.0)
    labels = labels_from_atoms(atoms, "here", asked)
    assert (labels.energy, labels.energy_kind) == (energy, kind)


def test_a_declared_kind_is_not_overruled():
    atoms = Atoms("H", info={"REF_energy": -1.0, "energy_kind": "sigma0"})
    with pytest.raises(ValueError, match="here: holds the 'sigma0' energy alone, expected 'free'"):
        labels_from_atoms(atoms, "here", "free")


@pytest.mark.parametrize("key", ["virial", "virials", "REF_virials"])
def test_virial_becomes_minus_stress_times_volume(key):
    atoms = Atoms("H", cell=np.diag([2.0, 3.0, 4.0]), pbc=True, info={key: np.arange(9.0).reshape(3, 3)})
    expected = -np.array([[0, 2, 4], [2, 4, 6], [4, 6, 8]]) / 24  # eV/Å³, symmetrised
    np.testing.assert_allclose(labels_from_atoms(atoms, "here").stress, expected)


def test_virial_without_a_cell_is_refused():
    with pytest.raises(ValueError, match="virial is given but the cell has no volume"):
        labels_from_atoms(Atoms("H", info={"virial": np.eye(3)}), "here")


def test_stress_of_seven_numbers_is_refused():
    with pytest.raises(ValueError, match="here: 7 numbers, expected 9"):
        full_stress(np.zeros(7), "here")
