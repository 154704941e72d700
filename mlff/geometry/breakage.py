"""Whether anions found before still hold together: a check on arrays, cheap enough for every tenth step of a simulation."""

from collections.abc import Sequence

import numpy as np

from mlff.geometry.bonds import longest_bond
from mlff.geometry.topology import Anion


def bonds_to_watch(anions: Sequence[Anion], numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The bonds of anions of equal size, as flat arrays for `broken_anions`.

    Args:
        anions: n_anions of one kind, as `find_anions` gave them.
        numbers: atomic numbers of the whole structure, (n,).
    Returns:
        watched: (n_bonds, 3) int64: the anion, and the places of the two atoms within it.
        limits: (n_bonds,), Å; multiply them to allow for more.
    Raises:
        ValueError: the anions are not of one kind.
    """
    kinds = sorted({anion.kind for anion in anions})
    if len(kinds) != 1:
        raise ValueError(f"found anions of the kinds {kinds}, expected at least one anion, all of one kind; choose it by `kinds`")
    watched = np.concatenate([np.insert(anion.bonds, 0, k, axis=1) for k, anion in enumerate(anions)])
    atoms = np.stack([anion.atoms for anion in anions])
    elements = np.asarray(numbers)[atoms]
    return watched, longest_bond(elements[watched[:, 0], watched[:, 1]], elements[watched[:, 0], watched[:, 2]])


def broken_anions(positions: np.ndarray, watched: np.ndarray, limits: np.ndarray) -> np.ndarray:
    """The anions with a bond longer than its limit.

    Args:
        positions: (n_anions, n_atoms_of_one, 3), Å, each anion in one piece (`positions[atoms] + shifts @ cell`, or unwrapped from there).
        watched, limits: of `bonds_to_watch`.
    Returns:
        (k,) int64, ascending; empty where all are whole. An anion with a coordinate that is NaN is broken.
    """
    bonds = positions[watched[:, 0], watched[:, 2]] - positions[watched[:, 0], watched[:, 1]]
    whole = np.square(bonds).sum(-1) <= np.square(limits)
    return np.unique(watched[~whole, 0])
