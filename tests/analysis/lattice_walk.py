"""Ions on the sites of a lattice, by kinetic Monte Carlo: what they did is known jump by jump."""

from dataclasses import dataclass

import numpy as np
from ase.build import bulk
from numba import njit

from mlff.geometry import neighbor_list

LENGTH = 3.0  # Å, of a jump
CONSTANT = {"sc": 1.0, "bcc": 2 / np.sqrt(3), "fcc": np.sqrt(2), "diamond": 4 / np.sqrt(3)}  # of the cube, in jump lengths
CORRELATION = {"sc": 0.6531, "bcc": 0.7272, "fcc": 0.7815, "diamond": 0.5}  # of tracers that one vacancy moves (Compaan and Haven, 1956)


@dataclass(frozen=True)
class Lattice:
    """cell: (3, 3), Å, skewed where the primitive cell is. sites: (n, 3), Å. neighbours: (n, z) int64; ways: (n, z, 3), Å, to them."""

    cell: np.ndarray
    sites: np.ndarray
    neighbours: np.ndarray
    ways: np.ndarray

    @property
    def fractions(self) -> np.ndarray:
        return self.sites @ np.linalg.inv(self.cell)


@dataclass(frozen=True)
class Walk:
    """positions: (n_frames, n_ions, 3), Å, unwrapped. at: (n_frames, n_ions) int64, the site of each. jumps: from first to last
    frame."""

    lattice: Lattice
    positions: np.ndarray
    at: np.ndarray
    jumps: int


def lattice(kind: str, n: int) -> Lattice:
    """n × n × n primitive cells."""
    atoms = bulk("X", kind, a=CONSTANT[kind] * LENGTH).repeat(n)
    (i, j), shifts = neighbor_list(atoms.positions, atoms.cell.array, np.ones(3, bool), 1.1 * LENGTH)
    order = np.argsort(i, kind="stable")
    ways = (atoms.positions[j] + shifts @ atoms.cell.array - atoms.positions[i])[order]
    return Lattice(atoms.cell.array, atoms.positions, j[order].reshape(len(atoms), -1), ways.reshape(len(atoms), -1, 3))


def vacancy_walk(kind_of: Lattice, rng: np.random.Generator, vacancies: int, rate: float, frame_time: float, n_frames: int) -> Walk:
    """All sites but a few are filled; an ion beside a vacancy jumps into it at `rate`, 1/fs."""
    n = len(kind_of.sites)
    where = rng.permutation(n)[: n - vacancies]
    return _walk(kind_of, rng, where, True, np.full(kind_of.neighbours.shape[1], rate), frame_time, n_frames)


def free_walk(kind_of: Lattice, rng: np.random.Generator, n_ions: int, rates: np.ndarray, frame_time: float, n_frames: int) -> Walk:
    """Ions that do not see each other jump along each of the z ways from a site at `rates` (z,), 1/fs."""
    where = rng.integers(len(kind_of.sites), size=n_ions)
    return _walk(kind_of, rng, where, False, np.asarray(rates, float), frame_time, n_frames)


def _walk(kind_of, rng, where, exclusive, rates, frame_time, n_frames) -> Walk:
    at = np.empty((n_frames, len(where)), np.int64)
    positions = np.empty((n_frames, len(where), 3))
    start = where.astype(np.int64)
    jumps = _run(kind_of.neighbours, kind_of.ways, start, kind_of.sites[start], exclusive, rates, frame_time, rng, at, positions)
    return Walk(kind_of, positions, at, jumps)


@njit(cache=True)
def _run(neighbours, ways, where, r, exclusive, rates, frame_time, rng, at, positions):
    """Waiting times are exponential. With exclusion the vacancies attempt, so that few attempts are in vain; without, the ions do."""
    n_sites = len(neighbours)
    occupant = np.full(n_sites, -1)
    for i in range(len(where)):
        occupant[where[i]] = i
    empty = np.flatnonzero(occupant < 0) if exclusive else where
    chances = np.cumsum(rates)
    total = len(empty) * chances[-1]
    time, jumps = rng.standard_exponential() / total, 0
    for t in range(len(at)):
        while time <= t * frame_time:
            k = rng.integers(0, len(empty))
            way = np.searchsorted(chances, rng.random() * chances[-1], side="right")
            if exclusive:
                s = empty[k]
                to = neighbours[s, way]
                i = occupant[to]
                if i >= 0:  # that ion comes to the vacancy
                    r[i] -= ways[s, way]
                    where[i], occupant[s], occupant[to], empty[k] = s, i, -1, to
                    jumps += 1
            else:
                r[k] += ways[where[k], way]
                where[k] = neighbours[where[k], way]
                jumps += 1
            time += rng.standard_exponential() / total
        at[t] = where
        positions[t] = r
    return jumps
