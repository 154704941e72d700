"""Sites of the mobile ion: places in the lattice, each with a core within which an ion is surely there."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mlff.analysis.system import System
from mlff.geometry import neighbor_list

PERIODIC = np.ones(3, bool)
TOO_NEAR = 0.5  # Å: two sites closer than an ion's vibration are one


@dataclass(frozen=True)
class Sites:
    """fractions: (n, 3), in 0 to 1. labels: (n,) str, the type of each. cores: (n,), Å, radii; no two cores touch."""

    fractions: np.ndarray
    labels: np.ndarray
    cores: np.ndarray

    def __len__(self) -> int:
        return len(self.fractions)


def sites_in(cell: np.ndarray, fractions: np.ndarray, labels: Sequence[str], share: float = 0.35, most: float = 1.0) -> Sites:
    """Sites with cores of `share` of the distance to the nearest other site, at most `most` Å.

    Raises:
        ValueError: none, two at one place, labels of another number, or a share with which cores would touch.
    """
    fractions = np.array(fractions, dtype=float)
    if fractions.ndim != 2 or fractions.shape[1:] != (3,) or not len(fractions) or not np.isfinite(fractions).all():
        raise ValueError(f"found sites of shape {fractions.shape}, expected (n, 3) finite fractional coordinates; give at least one site")
    if len(labels) != len(fractions):
        raise ValueError(f"found {len(labels)} labels for {len(fractions)} sites; give one label to each")
    if not (0 < share < 0.5 and most > 0):
        raise ValueError(
            f"found cores of {share} of the distance and at most {most} Å; expected a share between 0 and 0.5, so that none touch"
        )
    fractions = wrapped(fractions)
    (i, j), shifts = neighbor_list(fractions @ cell, cell, PERIODIC, most / share)
    distances = np.linalg.norm((fractions[j] - fractions[i] + shifts) @ cell, axis=1)
    nearest = np.full(len(fractions), most / share)
    np.minimum.at(nearest, i, distances)
    if (nearest < TOO_NEAR).any():
        raise ValueError(
            f"found two sites {nearest.min():.2g} Å apart, expected at least {TOO_NEAR} Å; leave one of them out, "
            "or search with a larger distance"
        )
    return Sites(fractions, np.array([str(label) for label in labels]), np.minimum(share * nearest, most))


def sites_of(structure: System, cell: np.ndarray) -> np.ndarray:
    """Fractional coordinates in `cell`, (n, 3), of the mobile ions of a structure with every site filled, repeated to fill that cell.

    Raises:
        ValueError: the cell is no multiple of the structure's.
    """
    multiple = cell @ np.linalg.inv(structure.cell)
    repeat = np.round(np.diag(multiple)).astype(int)
    if (repeat < 1).any() or np.abs(multiple - np.diag(repeat)).max() > 0.1 * repeat.max():
        raise ValueError(
            f"found a cell that is {np.round(multiple, 2).tolist()} times that of the structure of the sites, expected whole multiples "
            "along its own vectors; give fractional coordinates in the cell of the run"
        )
    fractions = np.linalg.solve(structure.cell.T, structure.positions[structure.ions].T).T
    offsets = np.stack(np.meshgrid(*(np.arange(n) for n in repeat), indexing="ij"), axis=-1).reshape(-1, 1, 3)
    return ((fractions + offsets) / repeat).reshape(-1, 3)


def matched(own: Sites, other: Sites, cell: np.ndarray) -> np.ndarray:
    """Which of the own sites each of the other is, (n,) int64.

    Raises:
        ValueError: they are not the same sites.
    """
    both = np.concatenate([own.fractions, other.fractions])
    (i, j), shifts = neighbor_list(both @ cell, cell, PERIODIC, float(own.cores.max()))
    distances = np.linalg.norm((both[j] - both[i] + shifts) @ cell, axis=1)
    fits = (i >= len(own)) & (j < len(own))
    fits[fits] &= distances[fits] < own.cores[j[fits]]
    pairs = np.unique(np.stack([i[fits] - len(own), j[fits]], axis=1), axis=0)
    if len(own) != len(other) or len(pairs) != len(own) or len(np.unique(pairs[:, 1])) != len(own):
        raise ValueError(
            f"found runs with {len(own)} and {len(other)} sites, of which {len(pairs)} lie at the same places, "
            "expected the same sites in all; give all runs the sites of one by `sites`"
        )
    return pairs[:, 1]


def wrapped(fractions: np.ndarray) -> np.ndarray:
    """In 0 ≤ f < 1."""
    inside = fractions - np.floor(fractions)
    return np.where(inside < 1.0, inside, 0.0)  # −1e-17 is 1 after rounding
