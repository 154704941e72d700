"""Occupants of sites rearranged until no two are on sites that exclude each other."""

from dataclasses import dataclass

import numpy as np

EMPTY = 0  # the occupant that excludes nothing
MOVES = 20  # per site, before a rearrangement counts as stuck
RANDOM_MOVES = 0.1  # share of moves that ignore what they break, without which the last conflicts of a crowded sublattice stay


@dataclass(frozen=True, eq=False)
class Exclusion:
    """Which occupants exclude which.

    may_hold: (n_sites, n_occupants) bool, whether the site's occupancy knows the occupant.
    starts: (n_sites + 1,), neighbours: (n_pairs,), distances: (n_pairs,), Å: those of site i stand at starts[i]:starts[i + 1].
    limits: (n_occupants, n_occupants), Å, below which two exclude each other; zero for EMPTY.
    fixed: (n_sites, n_occupants) int, atoms outside these sites that exclude the occupant there.
    """

    may_hold: np.ndarray
    starts: np.ndarray
    neighbours: np.ndarray
    distances: np.ndarray
    limits: np.ndarray
    fixed: np.ndarray


def rearranged(occupants: np.ndarray, group: np.ndarray, rules: Exclusion, rng: np.random.Generator) -> tuple[np.ndarray, int]:
    """Exchanges of two occupants within a group, each the one that leaves fewest conflicts (ties at random), until there are none.

    Args:
        occupants: (n_sites,) int, indices of occupants, each where it may be.
        group: (n_sites,) int; what is where changes only within a group, so that each keeps its composition.
    Returns:
        the new occupants, and how many of them still conflict: 0 unless it is stuck.
    """
    occupants = occupants.copy()
    sites = np.arange(len(occupants))
    # conflicts[i, o]: what excludes o from site i at present
    conflicts = rules.fixed.copy()
    for i in sites:
        _count(conflicts, rules, i, occupants[i], 1)
    for _ in range(MOVES * len(sites)):
        unhappy = np.flatnonzero(conflicts[sites, occupants])
        if not len(unhappy):
            return occupants, 0
        i = rng.choice(unhappy)
        mine = occupants[i]
        others = np.flatnonzero((group == group[i]) & (occupants != mine) & rules.may_hold[:, mine] & rules.may_hold[i, occupants])
        if not len(others):
            continue
        if rng.random() > RANDOM_MOVES:
            cost = conflicts[:, mine] + conflicts[i, occupants]
            near = slice(rules.starts[i], rules.starts[i + 1])
            j, d = rules.neighbours[near], rules.distances[near]
            # of two that change places neither is in the other's way where it was
            np.subtract.at(cost, j, (d < rules.limits[mine, mine]).astype(int) + (d < rules.limits[occupants[j], occupants[j]]))
            others = others[cost[others] == cost[others].min()]
        j = rng.choice(others)
        for site, old, new in ((i, mine, occupants[j]), (j, occupants[j], mine)):
            _count(conflicts, rules, site, old, -1)
            _count(conflicts, rules, site, new, 1)
        occupants[i], occupants[j] = occupants[j], mine
    return occupants, int((conflicts[sites, occupants] > 0).sum())


def _count(conflicts: np.ndarray, rules: Exclusion, site: int, occupant: int, sign: int) -> None:
    """Adds to, or takes from, the neighbours' conflicts what the occupant of a site excludes there."""
    near = slice(rules.starts[site], rules.starts[site + 1])
    np.add.at(conflicts, rules.neighbours[near], sign * (rules.distances[near, None] < rules.limits[occupant]))
