"""Local cells: the surroundings of one atom as they are in the large cell, whole anions, no charge, and nothing too near."""

from collections import Counter
from functools import cache

import numpy as np
import pytest
from ase import Atoms

from mlff.active.local_cell import LocalCells, Uncut, local_cell
from mlff.geometry import classify, find_anions, neighbor_list
from mlff.structure import structure
from mlff.structure.charge import formal_charge
from mlff.structure.distances import check_distances

BOUNDARY, GLASS = "Li6PS5Cl_GB_ordered_520", "LiPS_glass_25_264"
CASES = [(BOUNDARY, 442, 14.0, 5.0), (BOUNDARY, 265, 14.0, 5.0), (GLASS, 106, 13.0, 4.0), (GLASS, 240, 13.0, 4.0)]


@cache
def large(name: str) -> Atoms:
    return structure(name)


def surroundings(atoms: Atoms, centre: int, radius: float) -> tuple[list[int], np.ndarray]:
    """Atomic numbers and places, (n, 3), Å, of the neighbours of an atom, in an order of their own."""
    (i, j), shifts = neighbor_list(atoms.positions, atoms.cell.array, atoms.pbc, radius)
    own = i == centre
    vectors = (atoms.positions[j] + shifts @ atoms.cell.array - atoms.positions[i])[own]
    order = np.lexsort(np.round(vectors, 6).T)
    return atoms.numbers[j[own]][order].tolist(), vectors[order]


@pytest.mark.parametrize(("name", "atom", "edge", "core"), CASES)
def test_the_core_is_that_of_the_large_cell(name, atom, edge, core):
    cut = local_cell(large(name), atom, edge, core)
    numbers, vectors = surroundings(large(name), atom, core)
    found, there = surroundings(cut, cut.info["centre"], core)
    assert cut.numbers[cut.info["centre"]] == large(name).numbers[atom]
    assert found == numbers
    assert len(numbers) >= 10
    np.testing.assert_allclose(there, vectors, atol=1e-9)


@pytest.mark.parametrize(("name", "atom", "edge", "core"), CASES)
def test_it_is_neutral_whole_and_without_overlaps(name, atom, edge, core):
    cut = local_cell(large(name), atom, edge, core)
    assert formal_charge(cut) == (0, [])
    assert cut.info["charge"] == 0
    topology = classify(cut.numbers, cut.positions, cut.cell.array, cut.pbc)
    assert not topology.others
    assert not topology.percolating
    assert {anion.kind for anion in topology.anions} <= {anion.kind for anion in find_anions(*whole(large(name)))}
    for anion in topology.anions:
        assert not anion.shifts.any()  # in one piece as they lie
    check_distances(cut, "cut")
    # of S of different anions, which bonds would reveal last
    assert nearest(cut, "S", topology) > nearest(large(name), "S", classify(*whole(large(name)))) - 1e-6
    assert len(cut) < len(large(name)) / 2


def whole(atoms: Atoms) -> tuple:
    return atoms.numbers, atoms.positions, atoms.cell.array, atoms.pbc


def nearest(atoms: Atoms, symbol: str, topology) -> float:
    """Of two atoms of an element in different anions, Å."""
    piece = np.arange(len(atoms)) + len(atoms)
    for k, anion in enumerate(topology.anions):
        piece[anion.atoms] = k
    (i, j), shifts = neighbor_list(*[atoms.positions, atoms.cell.array, atoms.pbc], 4.2)
    lengths = np.linalg.norm(atoms.positions[j] + shifts @ atoms.cell.array - atoms.positions[i], axis=1)
    own = np.array(atoms.get_chemical_symbols()) == symbol
    # contacts of 3.24 Å (0.9 of the van der Waals radii) are what ions keep anyhow
    return min(3.24, lengths[(piece[i] != piece[j]) & own[i] & own[j]].min())


def test_periods_of_the_large_cell_are_kept_where_they_are_short():
    cut = local_cell(large(BOUNDARY), 442, 14.0, 5.0)
    lengths = cut.cell.lengths()
    assert lengths[0] == pytest.approx(large(BOUNDARY).cell.lengths()[0])  # 10.3 Å
    assert 0.95 * 14 <= lengths[1] <= 1.1 * 14 + 1e-9
    assert lengths[1] == lengths[2]
    np.testing.assert_allclose(cut.cell.angles(), 90)


def test_it_says_where_it_is_from():
    frame = large(BOUNDARY).copy()
    frame.info = {"trajectory": "a", "step": 7}
    info = local_cell(frame, 442).info
    assert info["trajectory"] == "a"
    assert info["step"] == 7
    assert info["local_cell_of"] == "520 atoms, cut around atom 442 (Li)"
    assert info["cut_around"] == 442
    assert info["n_removed"] >= 0


def test_the_lattice_and_where_it_is_cut_in_periods_do_not_matter(rng):
    """The same crystal in another cell, its atoms moved by whole periods and all of it by any vector."""
    atoms = large(BOUNDARY)
    sheared = atoms.copy()
    sheared.set_cell(atoms.cell.array + np.array([[0, 0, 0], [0, 0, 0], [0, 1, 0]]) @ atoms.cell.array)
    sheared.positions += rng.integers(-2, 3, size=(len(atoms), 3)) @ sheared.cell.array + [1.0, -3.0, 7.0]
    one, other = local_cell(atoms, 442), local_cell(sheared, 442)
    np.testing.assert_allclose(other.cell.lengths(), one.cell.lengths(), atol=1e-9)
    assert Counter(other.get_chemical_symbols()) == Counter(one.get_chemical_symbols())


def test_a_crystal_that_fits_the_box_loses_nothing():
    """Rock salt in a cell of whole periods that are cut: every ion has the neighbours that it had."""
    grid = np.array([[i, j, k] for i in range(8) for j in range(8) for k in range(8)])
    symbols = ["Li" if point.sum() % 2 else "Cl" for point in grid]
    atoms = Atoms(symbols, positions=2.57 * grid, cell=8 * 2.57 * np.eye(3), pbc=True)
    cut = local_cell(atoms, 100, 4 * 2.57, 4.0)
    assert len(cut) == 64
    assert cut.info["n_removed"] == 0
    numbers, vectors = surroundings(cut, 5, 4.0)
    assert len(numbers) == 18
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1).min(), 2.57)


@pytest.mark.parametrize(
    ("edge", "core", "reason"),
    [
        pytest.param(10.6, 5.2, "the core of a local cell meets itself", id="no-room"),
        pytest.param(60.0, 5.0, "the frame is no larger than a local cell", id="no-need"),
    ],
)
def test_what_cannot_be_cut_says_so(edge, core, reason):
    with pytest.raises(Uncut) as refusal:
        local_cell(large(BOUNDARY), 422, edge, core)
    assert refusal.value.reason == reason
    assert "larger" in str(refusal.value)


def test_a_charge_that_is_not_known_is_refused():
    atoms = large(BOUNDARY).copy()
    atoms.symbols[442] = "Ti"
    with pytest.raises(Uncut, match=r"found Ti near .*whose formal charge is not known") as refusal:
        local_cell(atoms, 442)
    assert refusal.value.reason == "an unknown charge in the core of a local cell"


def test_lengths_and_boundaries_that_make_no_sense_are_refused():
    with pytest.raises(ValueError, match="expected a core above 0 and an edge of more than two of it"):
        LocalCells(edge=9.0, core=5.0)
    with pytest.raises(ValueError, match="larger_than is 0"):
        LocalCells(larger_than=0)
    atoms = large(BOUNDARY).copy()
    atoms.pbc = [True, True, False]
    with pytest.raises(ValueError, match="expected all three"):
        local_cell(atoms, 3)
