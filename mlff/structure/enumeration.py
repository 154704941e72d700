"""All arrangements of occupants on sites that exclude each other, by a search that leaves a branch as soon as the rest cannot fit."""

from collections.abc import Iterator

import numpy as np

from mlff.structure.arrangement import EMPTY, Exclusion
from mlff.structure.occupation import Allotment


def enumerated(allotment: Allotment, most_steps: int) -> Iterator[np.ndarray | None]:
    """Each arrangement without conflicts once, (m,) int as `drawn_occupants` gives it; None as the last where the steps were used up."""
    orbit, rules = allotment.orbit, allotment.rules
    clique = cliques(rules)
    order = np.argsort(clique, kind="stable")
    place = np.argsort(order)
    clique = clique[order]
    after = clique.max() - clique  # cliques behind the one of each place
    left = allotment.counts.copy()
    occupants = np.full(len(orbit), -1)

    def fits(k: int, occupant: int) -> bool:
        site = order[k]
        if not left[orbit[site], occupant] or rules.fixed[site, occupant]:
            return False
        near = slice(rules.starts[site], rules.starts[site + 1])
        others, distances = rules.neighbours[near], rules.distances[near]
        before = place[others] < k
        if (distances[before] < rules.limits[occupant, occupants[others[before]]]).any():
            return False
        # a clique holds one atom at most: what is left must find one each
        begun = np.searchsorted(clique, clique[k])
        holds = occupant != EMPTY or (occupants[order[begun:k]] != EMPTY).any()
        open_here = not holds and k + 1 < len(clique) and clique[k + 1] == clique[k]
        return left[:, EMPTY + 1 :].sum() - (occupant != EMPTY) <= after[k] + open_here

    k, steps = 0, 0
    while k >= 0:
        steps += 1
        if steps > most_steps:
            yield None
            return
        site = order[k]
        tried = occupants[site]
        if tried >= 0:  # back at this site: what it held is free again
            left[orbit[site], tried] += 1
        occupants[site] = next((o for o in range(tried + 1, left.shape[1]) if fits(k, o)), -1)
        if occupants[site] < 0:
            k -= 1
            continue
        left[orbit[site], occupants[site]] -= 1
        if k + 1 < len(order):
            k += 1
        else:
            yield occupants.copy()


def cliques(rules: Exclusion) -> np.ndarray:
    """(m,) int, numbers from 0: sites of which no two may hold atoms, whatever they are, put together one after the other."""
    m = len(rules.may_hold)
    nearest = rules.limits[1:, 1:].min()  # below it any two elements exclude each other
    number = np.full(m, -1)
    for site in range(m):
        if number[site] >= 0:
            continue
        members = [site]
        number[site] = site
        near = slice(rules.starts[site], rules.starts[site + 1])
        for other in rules.neighbours[near][rules.distances[near] < nearest]:
            if number[other] < 0 and all(_exclude(rules, other, member, nearest) for member in members):
                members.append(other)
                number[other] = site
    return np.unique(number, return_inverse=True)[1]


def _exclude(rules: Exclusion, site: int, other: int, nearest: float) -> bool:
    near = slice(rules.starts[site], rules.starts[site + 1])
    return bool((rules.distances[near][rules.neighbours[near] == other] < nearest).any())
