"""What lies around each ion: which units of a glass, how many of their ligands, at which distances."""

from collections.abc import Mapping, Sequence

import numpy as np

from mlff.geometry import Anion
from softness.radial import pairs_around

OTHER = "other"  # ligands in no unit of a known shape


def units_of_atoms(anions: Sequence[Anion], n_atoms: int) -> np.ndarray:
    """Kind of the anion that each atom belongs to, (n_atoms,) str; "" for one in none."""
    kinds = np.full(n_atoms, "", dtype="U16")
    for anion in anions:
        kinds[anion.atoms] = anion.kind
    return kinds


def near_units(
    positions: np.ndarray,
    cell: np.ndarray,
    symbols: Sequence[str],
    ions: np.ndarray,
    anions: Sequence[Anion],
    r_max: float = 5.0,
    centre: str = "P",
) -> dict[str, np.ndarray]:
    """By kind of unit, (n_ions,) bool: whether a centre of such a unit is nearer than r_max, Å. An ion may be near several kinds."""
    return {kind: count > 0 for kind, count in _counts(positions, cell, symbols, ions, anions, r_max, centre).items() if kind}


def unit_shares(
    positions: np.ndarray,
    cell: np.ndarray,
    symbols: Sequence[str],
    ions: np.ndarray,
    anions: Sequence[Anion],
    r_max: float = 5.0,
    ligand: str = "S",
) -> dict[str, np.ndarray]:
    """By kind of unit, (n_ions,): share of the ligands within r_max, Å, that belong to one, the probability of papers 004; those in none
    are `OTHER`. NaN without a ligand."""
    counts = _counts(positions, cell, symbols, ions, anions, r_max, ligand)
    total = np.sum(list(counts.values()), axis=0).astype(float)
    total[total == 0] = np.nan
    return {kind or OTHER: count / total for kind, count in counts.items() if kind or count.any()}


def _counts(
    positions: np.ndarray, cell: np.ndarray, symbols: Sequence[str], ions: np.ndarray, anions: Sequence[Anion], r_max: float, species: str
) -> dict[str, np.ndarray]:
    """By kind of unit, and of "" for none, (n_ions,): atoms of the species within r_max, Å."""
    kinds = units_of_atoms(anions, len(symbols))
    rows, neighbours, _ = pairs_around(positions, cell, symbols, ions, [species], r_max)
    names = [*sorted({anion.kind for anion in anions}), ""]
    return {kind: np.bincount(rows[kinds[neighbours] == kind], minlength=len(ions)) for kind in names}


def partial_g(
    positions: np.ndarray, cell: np.ndarray, symbols: Sequence[str], ions: np.ndarray, targets: Mapping[str, np.ndarray], edges: np.ndarray
) -> dict[str, np.ndarray]:
    """g(r) of some ions and the atoms of each set of targets, by its name, (n_bins,); 1 where they lie without order.

    Args:
        targets: indices. edges: (n_bins + 1,), Å.
    """
    volume, shells = abs(np.linalg.det(cell)), 4 / 3 * np.pi * np.diff(np.asarray(edges) ** 3)
    species = sorted({symbols[k] for chosen in targets.values() for k in chosen})
    _, neighbours, distances = pairs_around(positions, cell, symbols, ions, species, float(edges[-1]))
    found = {}
    for name, chosen in targets.items():
        counts = np.histogram(distances[np.isin(neighbours, chosen)], edges)[0]
        found[name] = counts * volume / (max(1, len(ions)) * max(1, len(chosen)) * shells)
    return found
