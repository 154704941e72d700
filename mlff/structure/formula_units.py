"""Overlapping ions removed, and with them what makes whole formula units, so that composition and charge stay."""

from collections import Counter
from functools import reduce
from math import gcd

import numpy as np
from ase.geometry import get_distances

from mlff.structure.bodies import Bodies
from mlff.structure.push_off import too_near


def formula_unit(kinds: np.ndarray) -> dict[str, int]:
    """The smallest whole numbers of bodies in the proportion of these: {"Cl": 1, "Li": 6, "PS4": 1, "S": 1}."""
    counts = Counter(kinds.tolist())
    common = reduce(gcd, counts.values())
    return {kind: count // common for kind, count in sorted(counts.items())}


def without_overlaps(bodies: Bodies, cell: np.ndarray, r_min: np.ndarray, unit: dict[str, int]) -> tuple[np.ndarray, int]:
    """Which bodies stay, (n_bodies,) bool, and how many formula units go.

    Of two that overlap the one goes that overlaps most in all; what then lacks of whole formula units is taken nearest to the gaps.

    Args:
        cell: (3, 3) rows, Å. r_min: as `pushed_off` has it. unit: as `formula_unit` gives it.
    """
    pairs, _, lack = too_near(bodies, bodies.positions, cell, r_min)
    pairs = bodies.of_atom[pairs]
    removed: list[int] = []
    while len(pairs):
        removed.append(int(np.bincount(pairs.ravel(), np.repeat(lack, 2)).argmax()))
        left = (pairs != removed[-1]).all(1)
        pairs, lack = pairs[left], lack[left]
    kept = np.ones(len(bodies.kinds), bool)
    if not removed:
        return kept, 0
    counts = Counter(bodies.kinds[removed].tolist())
    units = max(-(-count // unit[kind]) for kind, count in counts.items())
    kept[removed] = False
    centres = bodies.centres()
    for kind, per_unit in unit.items():
        others = np.flatnonzero(kept & (bodies.kinds == kind))
        _, distances = get_distances(centres[others], centres[removed], cell=cell, pbc=True)
        kept[others[np.argsort(distances.min(1), kind="stable")[: units * per_unit - counts[kind]]]] = False
    return kept, units
