import numpy as np
import pytest
from ase.build import bulk, make_supercell

from mlff.analysis.anions.bcc_tetrahedra import bcc_tetrahedra

BCC = bulk("I", "bcc", a=5.08, cubic=True)
CELLS = {
    "one cube": BCC,
    "cubes": BCC.repeat(3),
    "primitive": bulk("I", "bcc", a=5.08).repeat(4),
    "skewed": make_supercell(BCC, [[2, 0, 0], [1, 2, 0], [-1, 1, 3]]),
}


@pytest.mark.parametrize("name", CELLS)
@pytest.mark.parametrize("spread", [0.0, 0.4])
def test_six_per_ion_with_two_long_edges_and_four_short_ones(name, spread, rng):
    """In any cell of the lattice, vibrating and wrapped anew: every tetrahedron of the crystal once."""
    atoms = CELLS[name]
    spread = spread if len(atoms) > 2 else spread / 4  # of two ions, chance alone may hide the lattice
    positions = atoms.positions + spread * rng.normal(size=atoms.positions.shape) + rng.normal(size=3)
    positions += rng.integers(-2, 3, size=positions.shape) @ atoms.cell.array
    vertices, expected = bcc_tetrahedra(positions, atoms.cell.array)
    assert len(vertices) == 6 * len(atoms)
    places = expected @ atoms.cell.array
    edges = np.stack([np.linalg.norm(places[:, i] - places[:, j], axis=1) for i in range(4) for j in range(i)], axis=1)
    np.testing.assert_allclose(edges, np.tile(5.08 * np.sqrt([1, 0.75, 0.75, 0.75, 0.75, 1]), (len(edges), 1)), atol=1e-9)
    fractions = np.linalg.solve(atoms.cell.array.T, atoms.positions.T).T
    middles = fractions[vertices[:, 0]] + expected.mean(1)
    keys = {tuple(key) for key in (np.round((middles - np.floor(middles + 1e-6)) * 1e4)).astype(int).tolist()}
    assert len(keys) == len(vertices)  # no two around the same place
    steps = fractions[vertices] - fractions[vertices[:, :1]] - expected
    np.testing.assert_allclose(steps, np.round(steps), atol=1e-9)  # the ions named are at the sites expected


def test_other_lattices_and_broken_ones_are_none():
    vacancy = BCC.repeat(3)
    del vacancy[5]
    gas = BCC.repeat(3)
    gas.positions[:] = np.random.default_rng(3).random(gas.positions.shape) * 15.24
    others = [bulk("I", "fcc", a=6.4, cubic=True).repeat(3), bulk("I", "hcp", a=4.5, c=7.35).repeat(4), bulk("I", "sc", a=4.03).repeat(6)]
    for atoms in [*others, vacancy, gas, bulk("I", "sc", a=4.0)]:
        assert bcc_tetrahedra(atoms.positions, atoms.cell.array) is None
