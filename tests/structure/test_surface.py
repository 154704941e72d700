"""Slabs hold whole anions and the composition of the crystal, between planes of the indices asked for."""

import numpy as np
import pytest
from ase import Atoms

from mlff.geometry import classify, neighbor_list
from mlff.structure import crystal, prototype
from mlff.structure.builder import check_built
from mlff.structure.surface import slab, surface_basis

SURFACES = [(0, 2, 1), (1, 1, 1), (0, 0, 1), (0, 1, 1)]


@pytest.mark.parametrize("name", ["Li6PS5Cl_4c_0", "Li6PS5Cl_4c_50_P2122", "Li7P3S11_relaxed"])
@pytest.mark.parametrize("miller", SURFACES)
def test_a_slab_is_made_of_whole_layers_of_whole_anions(name, miller, rng):
    bulk = crystal(name, rng=rng)
    atoms = slab(bulk, miller, n_layers=3, vacuum=12.0, rng=rng)
    found = [classify(frame.numbers, frame.positions, frame.cell.array, frame.pbc) for frame in (bulk, atoms)]
    assert atoms.symbols.formula.count() == {symbol: 3 * n for symbol, n in bulk.symbols.formula.count().items()}
    assert found[1].counts() == {kind: 3 * n for kind, n in found[0].counts().items()}
    assert found[1].others == ()
    check_built(atoms, name)
    # the area of the surface times the distance of planes, 1 / |h a* + k b* + l c*|, is the volume of the cell
    spacing = 1 / np.linalg.norm(np.array(miller) @ bulk.cell.reciprocal().array)
    area = np.linalg.norm(np.cross(*atoms.cell.array[:2]))
    assert area * spacing == pytest.approx(bulk.get_volume())
    z = atoms.positions[:, 2]
    assert atoms.cell.array[2] == pytest.approx([0, 0, np.ptp(z) + 12.0])
    assert z.min() == pytest.approx(6.0)
    # whole anions reach beyond the planes at both surfaces, by their size at most
    assert 3 * spacing - 3.5 < np.ptp(z) < 3 * spacing + 5.0


def bonds(atoms, r_max=3.0):
    """Sorted distances, Å, of the neighbours of atoms, rounded."""
    (i, j), shifts = neighbor_list(atoms.positions, atoms.cell.array, atoms.pbc, r_max)
    distances = np.linalg.norm(atoms.positions[j] + shifts @ atoms.cell.array - atoms.positions[i], axis=1)
    return {k: tuple(np.sort(distances[i == k]).round(4)) for k in range(len(atoms))}


@pytest.mark.parametrize("miller", SURFACES)
def test_the_middle_of_a_slab_is_the_crystal(miller, rng):
    bulk = prototype("Li7P3S11_relaxed")
    atoms = slab(bulk, miller, n_layers=8, vacuum=10.0, rng=rng)
    kinds = {(symbol, near) for symbol, near in zip(bulk.symbols, bonds(bulk).values(), strict=True)}
    z = atoms.positions[:, 2]
    middle = np.flatnonzero((z > z.min() + 10) & (z < z.max() - 10))  # Å: anions reach 8 Å, bonds 3
    assert len(middle) > 5
    near = bonds(atoms)
    assert {(atoms.symbols[k], near[k]) for k in middle} <= kinds
    assert any((atoms.symbols[k], near[k]) not in kinds for k in range(len(atoms)))  # at the surface, neighbours are missing


def dipole(atoms: Atoms) -> float:
    """e Å along z, of PS4 at their middles and of the other atoms where they are."""
    found = classify(atoms.numbers, atoms.positions, atoms.cell.array, atoms.pbc)
    total, alone = 0.0, np.ones(len(atoms), bool)
    for anion in found.anions:
        assert (anion.shifts[:, 2] == 0).all()
        total += -3 * atoms.positions[anion.atoms, 2].mean()
        alone[anion.atoms] = False
    charges = {"Li": 1, "S": -2, "Cl": -1}
    return total + sum(charges[atom.symbol] * atom.position[2] for atom, single in zip(atoms, alone, strict=True) if single)


@pytest.mark.parametrize("miller", SURFACES)
def test_no_slab_of_argyrodite_is_polar(miller, rng):
    atoms = slab("Li6PS5Cl_4c_0", miller, rng=rng)
    assert dipole(atoms) == pytest.approx(0, abs=1e-6)
    assert atoms.info["dipole"] == pytest.approx(0, abs=1e-6)
    # moved where planes of the crystal alternate in charge: (111) and (001)
    assert (atoms.info["n_moved"] > 0) == (miller in [(1, 1, 1), (0, 0, 1)])


def test_every_termination_can_be_built(rng):
    bulk = crystal("Li6PS5Cl_4c_0", rng=rng)
    count = slab(bulk, (0, 2, 1), rng=rng).info["n_terminations"]
    assert count > 1
    for k in range(count):
        atoms = slab(bulk, (0, 2, 1), termination=k, rng=rng)
        check_built(atoms, str(k))
        assert dipole(atoms) == pytest.approx(atoms.info["dipole"])
    with pytest.raises(ValueError, match=rf"found termination {count}, expected one of 0 to {count - 1}; leave it out"):
        slab(bulk, (0, 2, 1), termination=count, rng=rng)


@pytest.mark.parametrize(("formula", "charge"), [("NaCl", 1), ("MgO", 2)])
def test_what_moves_lies_outermost_and_half_a_level_stays(formula, charge, rng):
    """Planes of cations and anions by turns: half of the cations of one surface go to the other."""
    salt = Atoms(formula, [[0, 0, 0], [0, 0, 2.0]], cell=[4, 4, 4], pbc=True).repeat((2, 1, 1))
    atoms = slab(salt, (0, 0, 1), n_layers=3, rng=rng)
    assert atoms.info["n_moved"] == 1
    charges = np.where(atoms.symbols == formula[:2], charge, -charge)
    assert charges @ atoms.positions[:, 2] == pytest.approx(0, abs=1e-9)
    heights, counts = np.unique(atoms.positions[:, 2].round(6), return_counts=True)
    assert counts.tolist() == [1, 2, 2, 2, 2, 2, 1]
    assert np.diff(heights) == pytest.approx([2.0] * 6)  # at their places in the crystal


@pytest.mark.parametrize(("miller", "lengths"), [((0, 2, 1), (1, np.sqrt(5))), ((0, 0, 1), (1, 1)), ((1, 1, 1), (np.sqrt(2), np.sqrt(2)))])
def test_the_surface_cell_is_the_smallest(miller, lengths):
    basis = surface_basis(miller, np.eye(3))
    assert np.linalg.norm(basis[:2], axis=1) == pytest.approx(lengths)
    assert basis @ miller == pytest.approx([0, 0, 1])
    assert round(np.linalg.det(basis)) == 1


@pytest.mark.parametrize("miller", [(0, 0, 2), (0, 0, 0), (1, 0), (0.5, 1, 0)])
def test_indices_must_be_whole_and_coprime(miller):
    with pytest.raises(ValueError, match="expected three whole numbers without a common divisor"):
        surface_basis(miller, np.eye(3))
