import numpy as np
import pytest
from ase import Atoms, units

from mlff.export.lammps.simulation import put
from mlff.export.lammps.structure import boundary, data_file, prism_of, types_of
from tests.contracts.potentials import crystal

SPECIES = ("Ge", "S", "Na", "P", "Li")  # another order than the symbols', and one that is absent
MIXED = [True, False, (False, True, True), (True, False, True), (True, True, False), (False, True, False)]
# Å; Gram–Schmidt of numbers of some Å in float64
EXACT = {"rtol": 0, "atol": 1e-13}


def left_handed(atoms: Atoms) -> Atoms:
    atoms = atoms.copy()
    atoms.set_cell(atoms.cell.array[[1, 0, 2]])
    return atoms


def skewed(atoms: Atoms) -> Atoms:
    """The same lattice with a basis whose tilts are several times the box."""
    atoms = atoms.copy()
    a, b, c = atoms.cell.array
    atoms.set_cell([a, b + 3 * a, c - 2 * b + 5 * a])
    return atoms


SHAPES = {"as it is": lambda atoms: atoms, "left-handed": left_handed, "skewed": skewed}


@pytest.mark.parametrize("shape", SHAPES)
def test_a_prism_is_the_cell_turned(shape, rng):
    atoms = SHAPES[shape](crystal(rng))
    prism = prism_of(atoms)
    assert (np.triu(prism.cell, 1) == 0).all()
    assert (np.diag(prism.cell) > 0).all()
    np.testing.assert_allclose(prism.rotation @ prism.rotation.T, np.eye(3), **EXACT)
    np.testing.assert_allclose(prism.to_lammps(atoms.cell.array), prism.cell, **EXACT)
    np.testing.assert_allclose(prism.to_ase(prism.to_lammps(atoms.positions)), atoms.positions, **EXACT)
    assert prism.volume == pytest.approx(atoms.get_volume(), rel=1e-14)
    assert np.linalg.det(prism.rotation) == pytest.approx(np.sign(np.linalg.det(atoms.cell.array)))
    np.testing.assert_array_equal(prism.origin, 0)


def test_a_tensor_turns_with_the_cell(rng):
    """σ = Σ f ⊗ r of vectors that turn."""
    prism = prism_of(crystal(rng))
    f, r = rng.normal(size=(2, 5, 3))
    turned = prism.to_lammps(f).T @ prism.to_lammps(r)
    np.testing.assert_allclose(prism.tensor_to_ase(turned), f.T @ r, **EXACT)


@pytest.mark.parametrize("pbc", MIXED[1:])
def test_an_axis_that_is_not_periodic_holds_all_atoms(pbc, rng):
    """Whatever its vector was: a box without tilt along it, larger than the atoms; and what is periodic stays."""
    atoms = crystal(rng, pbc=pbc)
    prism = prism_of(atoms)
    free = ~atoms.pbc
    scaled = np.linalg.solve(prism.cell.T, (prism.to_lammps(atoms.positions) - prism.origin).T).T
    assert (scaled[:, free] > 0).all()
    assert (scaled[:, free] < 1).all()
    np.testing.assert_allclose(prism.to_lammps(atoms.cell.array[atoms.pbc]), prism.cell[atoms.pbc], **EXACT)
    for axis in np.flatnonzero(free):
        others = [k for k in range(3) if k != axis]
        assert (prism.cell[axis, others] == 0).all()
        assert (prism.cell[others, axis] == 0).all()
    assert np.linalg.det(prism.rotation) == pytest.approx(1)


def test_an_upright_slab_is_not_turned():
    slab = Atoms("LiS", [[0, 0, 0], [1, 1, 2]], cell=[4, 5, 0], pbc=[True, True, False])
    np.testing.assert_array_equal(prism_of(slab).rotation, np.eye(3))


def test_vectors_without_volume_are_refused():
    atoms = Atoms("Li", cell=[[3, 0, 0], [0, 3, 0], [3, 3, 0]], pbc=True)
    with pytest.raises(ValueError, match="span no volume, expected 3 independent ones; set the cell, or pbc=False"):
        prism_of(atoms)


def test_types_are_in_the_order_of_the_species():
    assert types_of(["Li", "S", "Li"], ["S", "P", "Li"]).tolist() == [3, 1, 3]
    with pytest.raises(ValueError, match="the structure holds Na, but the atom types are S, Li; add them to `species`"):
        types_of(["Li", "Na"], ["S", "Li"])
    with pytest.raises(ValueError, match="species are S, S, expected each once"):
        types_of(["S"], ["S", "S"])


def test_masses_of_one_species_must_agree(rng):
    atoms = crystal(rng)
    atoms.set_masses([6.0, *atoms.get_masses()[1:]])
    with pytest.raises(ValueError, match=r"atoms of Li have masses \[6\.0, 6\.94\] amu, but LAMMPS has one per atom type"):
        data_file(atoms, SPECIES)


@pytest.mark.parametrize("pbc", MIXED)
@pytest.mark.parametrize("shape", SHAPES)
def test_lammps_reads_what_was_written(shape, pbc, lmp, rng):
    """Box, types, masses, velocities and the places of atoms far outside the cell, which LAMMPS wraps."""
    atoms = SHAPES[shape](crystal(rng))
    atoms.pbc = pbc
    atoms.set_masses([{"Li": 6.015}.get(symbol, 30.0) for symbol in atoms.symbols])
    atoms.set_velocities(rng.normal(scale=0.01, size=(len(atoms), 3)))
    prism = prism_of(atoms)
    put(lmp, atoms, SPECIES)
    low, high, xy, yz, xz, periodic, _ = lmp.extract_box()
    np.testing.assert_array_equal(np.array(periodic, dtype=bool), atoms.pbc)
    np.testing.assert_array_equal([xy, xz, yz], prism.cell[[1, 2, 2], [0, 0, 1]])
    np.testing.assert_allclose(np.subtract(high, low), np.diag(prism.cell), **EXACT)
    ids = np.array(lmp.gather_atoms("id", 0, 1))
    assert ids.tolist() == list(range(1, len(atoms) + 1))
    assert [SPECIES[kind - 1] for kind in lmp.gather_atoms("type", 0, 1)] == list(atoms.symbols)
    assert list(lmp.numpy.extract_atom("mass")[1:]) == [30.0, 30.0, pytest.approx(22.98976928), 30.0, 6.015]
    positions = np.array(lmp.gather_atoms("x", 1, 3)).reshape(-1, 3)
    images = np.array(lmp.gather_atoms("image", 0, 3)).reshape(-1, 3)
    # LAMMPS wraps by subtracting box vectors, one at a time
    np.testing.assert_allclose(positions + images @ prism.cell, prism.to_lammps(atoms.positions), rtol=0, atol=1e-12)
    velocities = np.array(lmp.gather_atoms("v", 1, 3)).reshape(-1, 3)
    np.testing.assert_allclose(prism.to_ase(velocities) / (1000 * units.fs), atoms.get_velocities(), rtol=1e-14, atol=1e-14)


def test_atoms_at_rest_have_no_velocities(rng):
    assert "Velocities" not in data_file(crystal(rng), SPECIES)


def test_boundaries():
    assert boundary([True, False, True]) == "p m p"
