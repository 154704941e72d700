"""Partly occupied sites drawn: an exact composition, and no two atoms on sites that exclude each other."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from ase import Atoms
from ase.data import atomic_numbers, chemical_symbols

from mlff.geometry import neighbor_list
from mlff.structure.arrangement import EMPTY, Exclusion, rearranged
from mlff.structure.distances import exclusion_distance
from mlff.structure.sites import Sites


def occupied(sites: Sites, composition: Mapping[str, int], rng: np.random.Generator | None) -> Atoms:
    """Atoms on all full sites, and on partly occupied ones drawn at random.

    Each orbit receives the nearest whole number of atoms to its occupancy. Where that leaves atoms on sites that exclude each other (a
    site split in two whose halves are refined above one half, say), atoms go to other orbits of their element. What is random is which
    sites hold atoms: this is no sample of a thermal equilibrium.

    Args:
        composition: atoms of each element in the cell, those of full sites included.
        rng: None is enough where all sites are full.
    Returns:
        periodic atoms in the order of the sites; `info["occupancies"]` counts what each drawn orbit holds:
        {"Ag1": {"sites": 384, "Ag": 64}}.
    Raises:
        ValueError: the composition does not fit the sites, no arrangement without conflicts was found, or rng is missing.
    """
    allotment = allotted(sites, composition)
    if allotment is None:
        return placed(sites, None, np.zeros(0, np.int64))
    if rng is None:
        partly = [label for label, whole in zip(sites.labels, sites.is_full(), strict=True) if not whole]
        raise ValueError(
            f"found partly occupied sites ({', '.join(partly)}) and no generator to draw them with; give rng=np.random.default_rng(seed)"
        )
    return placed(sites, allotment, drawn_occupants(allotment, rng))


@dataclass(frozen=True, eq=False)
class Allotment:
    """How many atoms of each element the orbits of partly occupied sites receive, and what excludes what there.

    drawn: (n_sites,) bool, which sites these are; m of them.
    elements: (n_occupants,) int, atomic numbers, the first 0: EMPTY.
    orbit: (m,) int, rows of counts. counts: (n_orbits, n_occupants) int.
    rules: of the m sites.
    """

    drawn: np.ndarray
    elements: np.ndarray
    orbit: np.ndarray
    counts: np.ndarray
    rules: Exclusion


def allotted(sites: Sites, composition: Mapping[str, int]) -> Allotment | None:
    """The whole numbers nearest to the occupancies that give the composition; None where all sites are full.

    Raises:
        ValueError: there are none.
    """
    full = sites.is_full()
    if full.all():
        return None
    drawn, numbers = ~full[sites.orbit], sites.first_numbers()
    orbits, orbit, sizes = np.unique(sites.orbit[drawn], return_inverse=True, return_counts=True)
    elements = np.array([0, *sorted({atomic_numbers[symbol] for k in orbits for symbol in sites.occupancies[k]})])
    # one row for each orbit, one column for each occupant, the first of them EMPTY
    fractions = np.array([[sites.occupancies[k].get(chemical_symbols[z], 0.0) for z in elements] for k in orbits])
    fractions[:, EMPTY] = 1 - fractions[:, 1:].sum(1)
    fractions[abs(fractions) < 1e-3] = 0  # 0.385 + 0.615, rounded
    wanted = np.array([composition.get(chemical_symbols[z], 0) - (numbers[~drawn] == z).sum() for z in elements[1:]])
    counts = _whole_numbers(fractions * sizes[:, None], wanted)
    if counts is None:
        raise ValueError(
            f"found sites for {dict(zip(sites.labels, sites.occupancies, strict=True))}, which cannot hold {dict(composition)}; "
            "ask for the composition of the occupancies, or repeat the cell until it is a whole number of atoms"
        )
    return Allotment(drawn, elements, orbit, counts, _exclusion(sites, drawn, numbers, elements, fractions[orbit] > 0))


def drawn_occupants(allotment: Allotment, rng: np.random.Generator) -> np.ndarray:
    """Occupants at random without conflicts, (m,) int, places in `allotment.elements`.

    Raises:
        ValueError: no such arrangement was found.
    """
    orbit = allotment.orbit
    occupants = np.zeros(len(orbit), np.int64)
    for k, row in enumerate(allotment.counts):
        occupants[orbit == k] = rng.permutation(np.repeat(np.arange(len(row)), row))
    occupants, conflicts = rearranged(occupants, orbit, allotment.rules, rng)
    if conflicts:
        occupants, conflicts = rearranged(occupants, np.zeros_like(orbit), allotment.rules, rng)
    if conflicts:
        raise ValueError(
            f"found {conflicts} atoms on sites that exclude each other, expected none, with {_symbols(allotment.elements[occupants])} "
            f"on {len(orbit)} sites; ask for fewer atoms of these elements, or start from an ordered structure"
        )
    return occupants


def placed(sites: Sites, allotment: Allotment | None, occupants: np.ndarray) -> Atoms:
    """Atoms on the full sites and, as the occupants say, on the others; see `occupied`."""
    numbers, info = sites.first_numbers(), {}
    if allotment is not None:
        numbers[allotment.drawn] = allotment.elements[occupants]
        partly = [k for k, whole in enumerate(sites.is_full()) if not whole]
        info["occupancies"] = {
            sites.labels[k]: {"sites": int((sites.orbit == k).sum())} | _symbols(numbers[sites.orbit == k]) for k in partly
        }
    held = numbers != 0
    return Atoms(numbers[held], sites.fractions[held] @ sites.cell, cell=sites.cell, pbc=True, info=info)


def _exclusion(sites: Sites, drawn: np.ndarray, numbers: np.ndarray, elements: np.ndarray, may_hold: np.ndarray) -> Exclusion:
    first, second = np.meshgrid(elements, elements, indexing="ij")
    limits = np.where((first > 0) & (second > 0), exclusion_distance(first, second), 0.0)
    beside = np.unique(numbers[~drawn])
    of_fixed = exclusion_distance(*np.meshgrid(elements, beside, indexing="ij")) * (elements > 0)[:, None]
    positions = sites.fractions @ sites.cell
    (i, j), shifts = neighbor_list(positions, sites.cell, [True] * 3, max(limits.max(), of_fixed.max(initial=0.0)))
    distances = np.linalg.norm(positions[j] + shifts @ sites.cell - positions[i], axis=1)
    place = np.cumsum(drawn) - 1
    fixed = np.zeros(may_hold.shape, np.int64)
    to_fixed = drawn[i] & ~drawn[j]
    excluded = distances[to_fixed, None] < of_fixed[:, np.searchsorted(beside, numbers[j[to_fixed]])].T
    np.add.at(fixed, place[i[to_fixed]], excluded)
    among = drawn[i] & drawn[j]  # sorted by i, as neighbor_list gives them
    starts = np.searchsorted(place[i[among]], np.arange(drawn.sum() + 1))
    return Exclusion(may_hold, starts, place[j[among]], distances[among], limits, fixed)


def _whole_numbers(expected: np.ndarray, totals: np.ndarray) -> np.ndarray | None:
    """Whole numbers nearest to those expected, (n_orbits, 1 + n_elements); None where there are none.

    Each row sums to the orbit's sites, and each column but that of empty sites to the element's total: a transport problem, solved for
    the least Σ |n − expected|.
    """
    from scipy.optimize import Bounds, LinearConstraint, milp

    rows, columns = expected.shape
    size = expected.size
    # the unknowns: n, then the deviations above and below; n − above + below = expected
    eye = np.eye(size)
    per_row = np.kron(np.eye(rows), np.ones(columns))
    per_column = np.kron(np.ones(rows), np.eye(columns))[1:]
    matrix = np.block([[eye, -eye, eye], [per_row, np.zeros((rows, 2 * size))], [per_column, np.zeros((columns - 1, 2 * size))]])
    right = np.concatenate([expected.ravel(), np.round(expected.sum(1)), totals])
    possible = np.where(expected > 0, np.round(expected.sum(1, keepdims=True)), 0).ravel()  # an element stays where its occupancy is given
    solution = milp(
        np.repeat([0.0, 1.0, 1.0], size),
        constraints=LinearConstraint(matrix, right, right),
        bounds=Bounds(0, np.concatenate([possible, np.full(2 * size, np.inf)])),
        integrality=np.repeat([1, 0, 0], size),
    )
    return np.round(solution.x[:size]).astype(np.int64).reshape(rows, columns) if solution.success else None


def _symbols(numbers: np.ndarray) -> dict[str, int]:
    return dict(sorted(Counter(chemical_symbols[z] for z in numbers if z).items()))
