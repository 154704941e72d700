"""Jumps between sites: every one that was made, none that was not."""

import numpy as np
import pytest

from mlff.analysis import NotApplicable, System
from mlff.analysis.sites import HopAccumulator
from mlff.trajectory import Frames
from tests.analysis.lattice_walk import LENGTH, Lattice, Walk, free_walk, lattice, vacancy_walk
from tests.analysis.trajectories import frames_of

FRAME = 50.0  # fs


def system_of(walk: Walk, positions: np.ndarray, temperature: float | None = 600.0) -> System:
    n = positions.shape[1]
    return System(("Li",) * n, np.full(n, 6.94), positions[0], walk.lattice.cell, "Li", FRAME, temperature=temperature)


def hops(walk: Walk, positions: np.ndarray | None = None, cells: np.ndarray | None = None, **settings):
    positions = walk.positions if positions is None else positions
    accumulator = HopAccumulator(system_of(walk, positions), **({"sites": walk.lattice.fractions} | settings))
    accumulator.update(frames_of(positions, walk.lattice.cell if cells is None else cells))
    return accumulator.result()


def shaken(rng, walk: Walk, amplitude: float = 0.2) -> np.ndarray:
    """Vibrations that stay within a core of 0.35 × 3 Å."""
    shift = amplitude * rng.normal(size=walk.positions.shape)
    return walk.positions + np.clip(shift, -0.55, 0.55)


def still(grid: Lattice, n_frames: int) -> Walk:
    """An ion on each site, none of which moves."""
    at = np.broadcast_to(np.arange(len(grid.sites)), (n_frames, len(grid.sites)))
    return Walk(grid, grid.sites[at], at, 0)


def ordered(grid: Lattice) -> Lattice:
    """The same, with the ways from each site in one order."""
    order = np.argsort(np.rint(grid.ways) @ [1.0, 10.0, 100.0], axis=1)
    return Lattice(
        grid.cell,
        grid.sites,
        np.take_along_axis(grid.neighbours, order, axis=1),
        np.take_along_axis(grid.ways, order[:, :, None], axis=1),
    )


def seen_jumps(walk: Walk) -> int:
    """Between frames: an ion that was at two sites within one frame is seen once."""
    return int((np.abs(np.diff(walk.positions, axis=0)).max(axis=2) > 0.1).sum())


@pytest.mark.parametrize("kind", ["sc", "bcc", "fcc", "diamond"])
def test_every_jump_of_vibrating_ions_is_counted_and_no_other(kind, rng):
    walk = vacancy_walk(lattice(kind, 4), rng, 3, 3e-5, FRAME, 3000)  # hardly two within a frame
    found = hops(walk, shaken(rng, walk))
    assert found.n_jumps == seen_jumps(walk) > 40
    assert found.jumps_of_ions.sum() == found.counts.sum() == found.n_jumps
    np.testing.assert_allclose(np.linalg.norm(found.vectors, axis=1), LENGTH, atol=1e-6)
    assert not found.multiples.any()
    assert found.outside == 0


def test_crossing_a_border_is_no_jump(rng):
    """An ion that swings to 1.6 Å towards its neighbour, 3 Å away, is past the border of the two and in no other core."""
    walk = still(lattice("sc", 3), 400)
    positions = walk.positions.copy()
    positions[:, 0, 0] += 0.8 - 0.8 * np.cos(np.arange(400))
    found = hops(walk, positions)
    assert found.n_jumps == 0
    assert found.frequency.upper == pytest.approx(-np.log(0.05) / (27 * 0.05 * 400), rel=0.01)  # 1/ps, of 27 ions in 20 ps
    assert "value" not in str(found.frequency)


def test_a_cell_that_breathes_and_shears_makes_no_jumps(rng):
    walk = vacancy_walk(lattice("fcc", 4), rng, 2, 2e-4, FRAME, 500)
    cells = walk.lattice.cell @ (np.eye(3) + 0.03 * rng.normal(size=(500, 3, 3)))
    fractions = walk.positions @ np.linalg.inv(walk.lattice.cell)
    assert hops(walk, fractions @ cells, cells).n_jumps == seen_jumps(walk) > 20


def test_flows_are_in_balance_or_said_to_be_not(rng):
    grid = ordered(lattice("sc", 3))
    even = free_walk(grid, rng, 40, np.full(6, 3e-4), FRAME, 2000)
    assert hops(even).balance.p > 1e-3
    along = np.where(grid.ways[0, :, 0] > 1, 6e-4, np.where(grid.ways[0, :, 0] < -1, 1e-4, 3e-4))
    driven = hops(free_walk(grid, rng, 40, along, FRAME, 2000))
    assert driven.balance.p < 1e-6
    assert driven.balance.forward + driven.balance.backward > 20


def test_rates_residence_and_the_jump_diffusivity_of_a_poisson_process(rng):
    walk = free_walk(lattice("sc", 5), rng, 60, np.full(6, 1e-5), FRAME, 8000)
    found = hops(walk)
    rate = 0.06  # 1/ps, six ways
    assert abs(found.frequency.value - rate) < 4 * found.frequency.error < 0.15 * rate
    assert abs(found.residence_time.value - 1 / rate) < 4 * found.residence_time.error
    d = rate * LENGTH**2 / 6 * 1e-4  # cm²/s
    assert abs(found.jump_diffusivity.value - d) < 4 * found.jump_diffusivity.error
    assert abs(found.correlation_factor.value - 1) < 4 * found.correlation_factor.error < 1
    residence = found.residence
    k = int(np.searchsorted(residence.times, 1 / rate))
    assert residence.survival[k] == pytest.approx(np.exp(-rate * residence.times[k]), abs=4 * residence.error[k] + 0.01)


def test_a_vacancy_correlates_the_jumps(rng):
    walk = vacancy_walk(lattice("sc", 4), rng, 1, 2e-2, 1.0, 25000)
    found = hops(walk)
    assert found.returns.value > 0.2  # the ion that just jumped is beside the vacancy
    assert found.correlation_factor.value < 0.9


def test_the_attempt_frequency_is_that_of_the_site(rng):
    """Harmonic motion about sites from which the first frame is far."""
    walk = still(lattice("sc", 3), 6000)
    frequency, n = 4.0, walk.positions.shape[1]  # THz
    phase = 2 * np.pi * rng.random((n, 3))
    t = 5e-3 * np.arange(6000)[:, None, None]  # ps
    positions = walk.positions + 0.3 * np.cos(2 * np.pi * frequency * t + phase)
    accumulator = HopAccumulator(
        System(("Li",) * n, np.full(n, 6.94), positions[0], walk.lattice.cell, "Li", 5.0), sites=walk.lattice.fractions
    )
    accumulator.update(frames_of(positions, walk.lattice.cell))
    found = accumulator.result()
    assert found.attempt_frequency.value == pytest.approx(frequency, rel=0.01)
    assert found.amplitude.value == pytest.approx(0.3 / np.sqrt(2), rel=0.01)


def test_three_ions_in_a_row_are_a_string(rng):
    """Each takes the site that the one before it left, within half a picosecond; far away one jumps alone."""
    grid = lattice("sc", 6)
    walk = still(grid, 120)
    sites = np.rint(grid.sites / LENGTH).astype(int)
    row = [int(np.flatnonzero((sites == [k, 0, 0]).all(1))[0]) for k in range(3)]
    alone = int(np.flatnonzero((sites == [0, 3, 3]).all(1))[0])
    gone = [int(np.flatnonzero((sites == place).all(1))[0]) for place in ([3, 0, 0], [1, 3, 3])]
    order = walk.at[0]
    keep = np.flatnonzero(~np.isin(order, gone))
    positions, where = walk.positions[:, keep].copy(), order[keep]
    for begin, site in ((60, row[2]), (64, row[1]), (68, row[0]), (60, alone)):
        positions[begin:, np.flatnonzero(where == site)[0], 0] += LENGTH
    found = hops(walk, positions)
    assert found.n_jumps == 4
    assert dict(zip(found.strings.sizes.tolist(), found.strings.strings.tolist(), strict=True)) == {1: 1, 2: 0, 3: 1}
    assert found.strings.share.value == pytest.approx(0.75)


@pytest.mark.parametrize("kind", ["bcc", "fcc"])
def test_sites_are_found_from_the_density(kind, rng):
    grid = lattice(kind, 4)
    walk = vacancy_walk(grid, rng, 6, 1e-3, FRAME, 3000)
    cells = grid.cell @ (np.eye(3) + 0.01 * rng.normal(size=(3000, 3, 3)))
    positions = (shaken(rng, walk) @ np.linalg.inv(grid.cell)) @ cells
    found = hops(walk, positions, cells, sites=None)
    assert found.found
    assert len(found.sites) == len(grid.sites)
    away = found.sites.fractions[:, None] - grid.fractions % 1
    away = np.linalg.norm((away - np.rint(away)) @ grid.cell, axis=-1).min(axis=1)
    assert away.max() < 0.1  # Å
    assert found.n_jumps == pytest.approx(seen_jumps(walk), rel=0.02)


def test_the_activation_follows_from_rate_and_attempt_frequency(rng):
    walk = free_walk(lattice("sc", 4), rng, 30, np.full(6, 2e-6), FRAME, 6000)
    phase = 2 * np.pi * rng.random((30, 3))
    found = hops(walk, walk.positions + 0.3 * np.cos(2 * np.pi * 1.0 * 0.05 * np.arange(6000)[:, None, None] + phase))
    assert found.attempt_frequency.value == pytest.approx(1.0, rel=0.05)  # THz
    expected = -8.617333262e-5 * 600 * np.log(found.frequency.value / found.attempt_frequency.value)
    assert found.activation.value == pytest.approx(expected)


def test_what_cannot_be_is_refused(rng):
    walk = vacancy_walk(lattice("sc", 3), rng, 1, 1e-4, FRAME, 10)
    system = system_of(walk, walk.positions)
    with pytest.raises(ValueError, match=r"expected a share between 0 and 0.5"):
        HopAccumulator(system, sites=walk.lattice.fractions, core=0.6)
    with pytest.raises(ValueError, match="found labels without sites"):
        HopAccumulator(system, labels=["a"])
    with pytest.raises(ValueError, match="give one label to each"):
        HopAccumulator(system, sites=walk.lattice.fractions, labels=["a"])
    with pytest.raises(ValueError, match=r"two sites 0 Å apart"):
        HopAccumulator(system, sites=[[0, 0, 0], [0, 0, 1]])
    with pytest.raises(ValueError, match="a jump needs a second frame"):
        HopAccumulator(system, sites=walk.lattice.fractions).result()
    with pytest.raises(NotApplicable, match="found no Na"):
        HopAccumulator(System(system.symbols, system.masses, system.positions, system.cell, "Na", FRAME))
    accumulator = HopAccumulator(system, sites=walk.lattice.fractions)
    with pytest.raises(ValueError, match="expected 26"):
        accumulator.update(Frames(np.arange(2), np.zeros((2, 3, 3)), np.zeros((2, 3, 3))))
