"""Jumps on sites that are given in other ways, told by types, moved with the atoms, or found in several runs."""

import numpy as np
import pytest

from mlff.analysis import Estimate, System
from mlff.analysis.sites import HopAccumulator, activation_free_energy, correlation_factor
from mlff.units import K_B
from tests.analysis.lattice_walk import LENGTH, free_walk, lattice, vacancy_walk
from tests.analysis.trajectories import frames_of

FRAME = 20.0  # fs


def followed(positions: np.ndarray, cells: np.ndarray, **settings) -> HopAccumulator:
    n, cell = positions.shape[1], np.broadcast_to(cells, (len(positions), 3, 3))[0]
    accumulator = HopAccumulator(System(("Li",) * n, np.full(n, 6.94), positions[0], cell, "Li", FRAME), **settings)
    accumulator.update(frames_of(positions, cells))
    return accumulator


def flows(found) -> np.ndarray:
    """n_ij, (n, n)."""
    counts = np.zeros((len(found.sites),) * 2, int)
    np.add.at(counts, tuple(found.hops.T), found.counts)
    return counts


def of_walk(walk) -> np.ndarray:
    """The same from the sites that the walk tells."""
    counts, moved = np.zeros((len(walk.lattice.sites),) * 2, int), walk.at[1:] != walk.at[:-1]
    np.add.at(counts, (walk.at[:-1][moved], walk.at[1:][moved]), 1)
    return counts


def nearest(fractions: np.ndarray, others: np.ndarray, cell: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Which of the others each is nearest to, and how far, Å."""
    d = fractions[:, None] - others
    d = np.linalg.norm((d - np.rint(d)) @ cell, axis=-1)
    return d.argmin(1), d.min(1)


def shaking(rng, walk) -> np.ndarray:
    return walk.positions + np.clip(0.2 * rng.normal(size=walk.positions.shape), -0.5, 0.5)


def test_each_flow_is_that_of_the_walk_in_spite_of_strays(rng):
    """Now and then an ion is past the border to a neighbour, in no core, and comes back: a nearest-site count sees jumps there."""
    grid = lattice("bcc", 4)
    walk = vacancy_walk(grid, rng, 4, 2e-4, FRAME, 1500)
    way = grid.ways[walk.at, rng.integers(grid.neighbours.shape[1], size=walk.at.shape)]
    strays = rng.random(walk.at.shape) < 0.02
    strays[1:] &= walk.at[1:] == walk.at[:-1]  # in the frame of a jump the ion is at its site, so that this is the frame
    positions = np.where(strays[..., None], walk.positions + 0.53 * way, shaking(rng, walk))
    found = followed(positions, grid.cell, sites=grid.fractions, core=0.3).result()
    fractions = positions[:, :, None] @ np.linalg.inv(grid.cell) - grid.fractions
    nearer = np.square((fractions - np.rint(fractions)) @ grid.cell).sum(-1).argmin(-1)
    assert np.count_nonzero(np.diff(nearer, axis=0)) > 10 * found.n_jumps > 500
    np.testing.assert_array_equal(found.jumps_of_ions, (walk.at[1:] != walk.at[:-1]).sum(0))
    np.testing.assert_array_equal(flows(found), of_walk(walk))
    np.testing.assert_allclose(found.occupancies, [np.mean((walk.at == s).sum(1)) for s in range(len(grid.sites))], atol=1e-12)


def test_the_way_through_a_cell_of_one_site():
    """An ion that always goes to the next image of its own site, in a skewed cell that breathes: the site is the same, the place is not."""
    cell = np.array([[3.0, 0, 0], [1.4, 3.1, 0], [-1.2, 0.7, 3.4]])
    cells = cell * (1 + 0.01 * np.sin(np.arange(200)))[:, None, None]
    fractions = 0.97 + (np.arange(200) // 10)[:, None, None] * np.array([1.0, 0, 0])
    found = followed(fractions @ cells, cells, sites=[[0.97, 0.97, 0.97]]).result()
    assert (found.n_jumps, found.hops.tolist(), found.shifts.tolist()) == (19, [[0, 0]], [[1, 0, 0]])
    np.testing.assert_allclose(found.vectors[0], cells.mean(0)[0], rtol=1e-12)
    assert (found.balance.forward, found.balance.backward) == (19, 0)
    assert found.balance.p < 1e-4
    assert found.correlation_factor.value == pytest.approx(19)  # every jump in one direction: R² = 19² a²
    assert found.returns.value == 0
    assert found.transition_matrix().tolist() == [[1.0]]


def test_sites_move_with_the_atoms(rng):
    grid = lattice("bcc", 3)
    walk = vacancy_walk(grid, rng, 3, 2e-4, FRAME, 500)
    positions, shift = shaking(rng, walk), np.array([0.31, -0.22, 0.67])
    here, there = (followed(p, grid.cell).result() for p in (positions, positions + shift @ grid.cell))
    assert here.n_jumps == there.n_jumps > 20
    partner, away = nearest(here.sites.fractions + shift, there.sites.fractions, grid.cell)
    assert len(here.sites) == len(there.sites) == len(set(partner.tolist())) == len(grid.sites)
    assert away.max() < 0.05
    np.testing.assert_allclose(here.occupancies, there.occupancies[partner], atol=1e-3)
    np.testing.assert_array_equal(flows(here), flows(there)[np.ix_(partner, partner)])


def test_independent_runs_join(rng):
    """Each finds its sites in an order of its own; the jumps are those of both, also through the border of the cell."""
    grid = lattice("bcc", 3)
    walks = [vacancy_walk(grid, rng, 3, 2e-4, FRAME, n) for n in (400, 600)]
    parts = [followed(shaking(rng, walk), grid.cell) for walk in walks]
    ours, other = (part.result().sites.fractions for part in parts)
    assert (nearest(ours, other, grid.cell)[0] != np.arange(len(ours))).any()
    parts[0].merge(parts[1])
    found = parts[0].result()
    place, _ = nearest(found.sites.fractions, grid.fractions, grid.cell)
    expected = sum(of_walk(walk) for walk in walks)
    np.testing.assert_array_equal(flows(found), expected[np.ix_(place, place)])
    np.testing.assert_allclose(np.linalg.norm(found.vectors, axis=1), LENGTH, atol=0.15)
    n = walks[0].at.shape[1]
    assert (found.n_frames, found.n_ions) == (1000, 2 * n)
    assert found.frequency.value == pytest.approx(expected.sum() / (n * 1000 * FRAME / 1e3))
    assert found.occupancies.sum() == pytest.approx(n, rel=0.01)
    elsewhere = followed(walks[0].positions + 0.5 * grid.ways[0, 0], grid.cell)
    with pytest.raises(ValueError, match="give all runs the sites of one by `sites`"):
        parts[1].merge(elsewhere)


def test_runs_with_other_frames_do_not_join(rng):
    grid = lattice("sc", 2)
    walk = free_walk(grid, rng, 4, np.full(6, 1e-4), FRAME, 100)
    one = followed(walk.positions, grid.cell, sites=grid.fractions)
    other = HopAccumulator(one.system, sites=grid.fractions)
    other.update(frames_of(walk.positions, grid.cell, every=2))
    with pytest.raises(ValueError, match="found runs with frames 20 and 40 fs apart"):
        one.merge(other)


def test_a_structure_gives_the_sites(rng):
    """All sites of one cell filled; the run is of 3 × 3 × 3 of them, and labels are told once for each cell."""
    grid, one = lattice("diamond", 3), lattice("diamond", 1)
    walk = vacancy_walk(grid, rng, 4, 2e-4, FRAME, 200)
    structure = System(("Li", "Li"), np.full(2, 6.94), one.sites, one.cell, "Li", 1.0)
    found = followed(walk.positions, grid.cell, sites=structure, labels=["a", "b"]).result()
    assert len(found.sites) == 54
    assert found.n_jumps == of_walk(walk).sum() > 0
    assert (found.sites.labels[found.hops[:, 0]] != found.sites.labels[found.hops[:, 1]]).all()  # from one sublattice to the other
    larger = System(("Li", "Li"), np.full(2, 6.94), one.sites, 1.3 * one.cell, "Li", 1.0)
    with pytest.raises(ValueError, match="expected whole multiples along its own vectors"):
        followed(walk.positions, grid.cell, sites=larger)


def test_types_of_sites(rng):
    """Two chains of sites; from those of the one ions jump four times as often."""
    sites = np.array([[x / 4, y, 0.1] for y in (0.1, 0.6) for x in range(4)])
    jumps = (rng.random((4000, 2)) < [0.01, 0.04]) * rng.choice([-1, 1], size=(4000, 2))
    at = jumps.cumsum(0)
    positions = np.stack([at * 3.0, np.broadcast_to([1.2, 7.2], at.shape), np.full(at.shape, 1.2)], axis=-1)
    found = followed(positions, np.diag([12.0] * 3), sites=sites, labels=["slow"] * 4 + ["fast"] * 4).result()
    slow, fast = found.types["slow"], found.types["fast"]
    assert (slow.n_sites, fast.n_sites) == (4, 4)
    assert abs(slow.frequency.value - 0.5) < 4 * slow.frequency.error
    assert abs(fast.frequency.value - 2.0) < 4 * fast.frequency.error
    assert slow.occupancy.value == fast.occupancy.value == 0.25
    assert fast.residence_time.value == pytest.approx(1 / fast.frequency.value)


def test_missing_sites_are_told(rng):
    """Every second site of the lattice is not given: ions are in no core for half of the time."""
    grid = lattice("sc", 4)
    walk = free_walk(grid, rng, 100, np.full(6, 2e-4), FRAME, 1500)
    even = np.rint(grid.fractions * 4).sum(1).astype(int) % 2 == 0
    found = followed(walk.positions, grid.cell, sites=grid.fractions[even]).result()
    assert found.outside == pytest.approx(0.5, abs=0.05)
    assert 0 < found.unplaced < 0.1


def test_the_list_of_jumps_is_short():
    """The first ones, with the ion's name and the frame in which it came."""
    at = np.zeros((50, 2))
    at[10:, 0], at[20:, 1], at[30:, 0] = 1, 1, 0
    positions = np.stack([3.0 * at, np.broadcast_to([1.0, 5.0], at.shape), np.ones(at.shape)], axis=-1)
    sites = [[x / 3, y / 8, 1 / 8] for y in (1, 5) for x in (0, 1)]
    found = followed(positions, np.diag([9.0, 8.0, 8.0]), sites=sites, keep=2).result()
    assert found.n_jumps == 3
    assert found.events.tolist() == [[10, 0, 1], [20, 2, 3]]
    assert found.who.tolist() == ["Li1", "Li2"]
    assert found.returns.value == pytest.approx(1 / 3)


def test_the_activation_free_energy():
    """Γ = ν exp(−ΔF/kT); a bound from a bound, on the other side."""
    rate = 5 * np.exp(-0.3 / (K_B * 500))
    found = activation_free_energy(Estimate(rate, 0.0), Estimate(5.0, 0.5), 500.0)
    assert found.value == pytest.approx(0.3)
    assert found.error == pytest.approx(K_B * 500 * 0.1)
    bound = activation_free_energy(Estimate(None, upper=rate), Estimate(5.0, 0.0), 500.0)
    assert bound.lower == pytest.approx(0.3)
    assert activation_free_energy(Estimate(rate, 0.0), Estimate(5.0, 0.5), None).reason == "the temperature is not known"


def test_the_correlation_factor_of_two_diffusivities():
    jump = Estimate(1e-7, 1e-8)
    found = correlation_factor(Estimate(5e-8, 3e-9), jump)
    assert found.value == pytest.approx(0.5)
    assert found.error == pytest.approx(np.hypot(0.03, 0.05))
    assert correlation_factor(Estimate(None, upper=1e-8), Estimate(1e-7, 0.0)).upper == pytest.approx(0.1)
    assert correlation_factor(found, Estimate(None, upper=1e-7)).reason == "no jump diffusivity"
