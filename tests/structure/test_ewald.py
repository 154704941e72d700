"""Ewald's sum: Madelung constants, and the laws of a Coulomb energy."""

import numpy as np
import pytest
from ase.build import bulk

from mlff.structure import prototype
from mlff.structure.ewald import electrostatic_energy, interactions
from mlff.units import COULOMB


# E = −M q² / (4πε₀ r) for each pair of ions r apart; published values
@pytest.mark.parametrize(
    ("kind", "charge", "nearest", "madelung"),
    [
        ("rocksalt", 1, 0.5, 1.747564594633),
        ("cesiumchloride", 1, np.sqrt(3) / 2, 1.762674773070),
        ("zincblende", 2, np.sqrt(3) / 4, 1.638055053388),
    ],
)
def test_madelung_constants(kind, charge, nearest, madelung):
    crystal = bulk("NaCl", kind, a=4.2)
    for repeat in ((1, 1, 1), (1, 2, 3)):
        atoms = crystal.repeat(repeat)
        energy = electrostatic_energy(atoms.cell.array, atoms.positions, np.where(atoms.symbols == "Na", charge, -charge))
        assert energy == pytest.approx(-madelung * charge**2 * COULOMB / (4.2 * nearest) * np.prod(repeat), rel=1e-8)


def test_the_matrix_does_not_depend_on_how_the_sum_is_split(monkeypatch):
    atoms = prototype("Li7P3S11_relaxed")  # triclinic
    matrix = interactions(atoms.cell.array, atoms.positions)
    np.testing.assert_allclose(matrix, matrix.T, atol=1e-10)
    monkeypatch.setattr("mlff.structure.ewald.SPLIT", 4.0)
    np.testing.assert_allclose(interactions(atoms.cell.array, atoms.positions), matrix, atol=1e-6)  # eV/e²
    shifted = atoms.positions + [0.3, 7.0, 0.1]
    np.testing.assert_allclose(interactions(atoms.cell.array, shifted), matrix, atol=1e-6)


def test_a_charged_cell_is_refused():
    with pytest.raises(ValueError, match=r"found charges that sum to \+0\.5 e, expected a neutral cell"):
        electrostatic_energy(np.eye(3) * 4, np.zeros((1, 3)), np.array([0.5]))
