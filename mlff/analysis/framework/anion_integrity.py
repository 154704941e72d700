"""How long polyatomic anions hold together: the check of `geometry.breakage` on many frames at once."""

from collections.abc import Sequence

import numpy as np
from numba import njit

from mlff.analysis.estimate import Estimate
from mlff.geometry import Anion, bonds_to_watch


class WatchedBonds:
    """The bonds of anions of any kinds.

    Attributes:
        kinds: in the order of the alphabet. kind_of: (n_anions,), index into it.
        atoms: (n_bonds, 2). shifts: (n_bonds, 3), whole cells, from the first atom's to the second's. limits: (n_bonds,), Å.
        anion_of: (n_bonds,), index into the anions.
    """

    def __init__(self, anions: Sequence[Anion], numbers: np.ndarray):
        self.kinds = tuple(sorted({anion.kind for anion in anions}))
        self.kind_of = np.array([self.kinds.index(anion.kind) for anion in anions], np.int64)
        atoms, shifts, limits, owner = [np.zeros((0, 2), np.int64)], [np.zeros((0, 3))], [np.zeros(0)], [np.zeros(0, np.int64)]
        for k in range(len(self.kinds)):
            members = np.flatnonzero(self.kind_of == k)
            watched, longest = bonds_to_watch([anions[a] for a in members], numbers)
            for (which, one, two), limit in zip(watched, longest, strict=True):
                anion = anions[members[which]]
                atoms.append(anion.atoms[None, [one, two]])
                shifts.append((anion.shifts[two] - anion.shifts[one])[None].astype(float))
                limits.append([limit])
                owner.append([members[which]])
        self.atoms, self.shifts, self.limits, self.anion_of = (np.concatenate(x) for x in (atoms, shifts, limits, owner))

    def broken(self, positions: np.ndarray, cells: np.ndarray) -> np.ndarray:
        """Which anions have a bond longer than its limit.

        Args:
            positions: (n_frames, n_atoms, 3), Å, unwrapped since the frame in which the anions were found. cells: (n_frames, 3, 3), Å.
        Returns:
            (n_frames, n_anions) bool; an anion with a coordinate that is NaN is broken.
        """
        found = np.zeros((len(positions), len(self.kind_of)), np.bool_)
        positions, cells = (np.ascontiguousarray(x, dtype=float) for x in (positions, cells))
        _watch(positions, cells, self.atoms, self.shifts, self.limits, self.anion_of, found)
        return found


def intact_share(broken: np.ndarray, blocks: np.ndarray) -> Estimate:
    """Share of anions of one kind that are whole.

    Args:
        broken: (n_anions,), share of the time in which each had a broken bond.
        blocks: (n_blocks,), share of whole ones in equal stretches of time.
    Returns:
        the mean over time and anions, with an error from the scatter of anions or of blocks, whichever is larger. Where none ever broke,
        the 95 % lower limit that so many anions allow.
    """
    n = len(broken)
    if not broken.any():
        return Estimate(None, lower=float(0.05 ** (1 / n)), reason=f"none of {n} ever broke")
    value = 1 - float(broken.mean())
    errors = [np.sqrt(value * (1 - value) / n)]  # what chance alone makes of n anions that break once and for all
    errors += [x.std(ddof=1) / np.sqrt(len(x)) for x in (broken, blocks) if len(x) > 1]
    return Estimate(value, float(max(errors)))


@njit(cache=True, nogil=True)
def _watch(positions, cells, atoms, shifts, limits, anion_of, found):
    for t in range(len(positions)):
        for b in range(len(atoms)):
            i, j = atoms[b, 0], atoms[b, 1]
            square = 0.0
            for c in range(3):
                x = positions[t, j, c] - positions[t, i, c]
                for a in range(3):
                    x += shifts[b, a] * cells[t, a, c]
                square += x * x
            if not square <= limits[b] * limits[b]:
                found[t, anion_of[b]] = True
