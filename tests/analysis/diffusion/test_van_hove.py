from itertools import product

import numpy as np
import pytest

from mlff.analysis import PairDistributionAccumulator, System
from mlff.analysis.diffusion.distinct_pairs import distinct_distances
from mlff.analysis.diffusion.van_hove import VanHoveAccumulator
from mlff.trajectory import Frames
from mlff.units import CM2_PER_S
from tests.analysis.trajectories import CELL, DT, brownian, frames_of

SMALL = np.array([[6.0, 0, 0], [2.5, 5.0, 0], [-1.5, 2.0, 7.0]])


def measured(positions, lags, cells=CELL, drift=None, **settings):
    accumulator = VanHoveAccumulator(np.arange(positions.shape[1]), DT, lags, drift=drift, **settings)
    accumulator.update(frames_of(positions, cells))
    return accumulator.result()


def test_walkers_have_the_closed_forms(rng):
    """G_s = (4πDt)^(−3/2) exp(−r²/4Dt) whose integral is 1, and independent ones no structure, in a skewed cell."""
    diffusivity, n, n_frames = 5e-5, 150, 2400
    positions = rng.random((n, 3)) @ CELL + brownian(rng, n_frames, n, diffusivity)
    found = measured(positions, [5, 20], r_max=9.0, width=0.5, stride=8)
    shell = 4 / 3 * np.pi * np.diff(found.edges**3)
    for k, lag in enumerate([5, 20]):
        assert found.times[k] == lag * DT
        assert found.origins[k] == (n_frames - lag + 7) // 8
        spread = 4 * diffusivity * CM2_PER_S * lag * DT
        expected = np.exp(-(found.r**2) / spread) / (np.pi * spread) ** 1.5
        likely = expected * shell > 0.02
        np.testing.assert_allclose(found.self_part[k][likely], expected[likely], rtol=0.1)
        assert (shell * found.self_part[k]).sum() + found.beyond[k] == pytest.approx(1)
        pulls = (found.relative[k][4:] - (1 - 1 / n)) / found.relative_error[k][4:]  # an ion's own images are farther than r_max
        assert abs(found.relative[k][4:] - 1).max() < 0.04
        assert np.sqrt((pulls**2).mean()) < 2.2
        np.testing.assert_allclose(found.distinct[k], found.relative[k] * found.density, rtol=1e-12)
    assert found.density == pytest.approx(n / np.linalg.det(CELL))
    near = 1 - found.self_part[0][2:] @ shell[2:] - found.beyond[0]
    assert found.near == 1.0
    assert found.stayed[0].value == pytest.approx(near)
    assert found.replaced[1].value == pytest.approx(1.0, abs=4 * found.replaced[1].error)


def test_at_lag_zero_it_is_the_density_times_g(rng):
    """In a cell much smaller than r_max, where ions see their own images too."""
    positions = 300.0 + rng.random((12, 5, 3)) @ SMALL
    found = measured(positions, [0], SMALL, r_max=9.0, width=0.1)
    pairs = PairDistributionAccumulator(["Li"] * 5, r_max=9.0, width=0.1)
    pairs.update(frames_of(positions, SMALL))
    g = pairs.result().g["Li", "Li"]
    np.testing.assert_allclose(found.relative[0], g, rtol=1e-9)
    np.testing.assert_allclose(found.distinct[0], g * 5 / np.linalg.det(SMALL), rtol=1e-9)
    assert found.self_part[0][1:].max() == 0


@pytest.mark.parametrize("r_max", [2.0, 9.0])
@pytest.mark.parametrize("n", [3, 60])
def test_every_image_counts_once(rng, n, r_max):
    """Against the sum over all images, of ions that have left the cell."""
    then = 4 * rng.normal(size=(n, 3))
    now = then + rng.normal(size=(n, 3))
    expected = np.zeros(45, int)
    start, end = then - np.floor(then), now - np.floor(now)
    for shift in product(range(-4, 5), repeat=3):
        d = np.linalg.norm((end[None] + shift - start[:, None]) @ SMALL, axis=-1)
        itself = (np.floor(now) - np.floor(then) == shift).all(axis=1)
        d[np.diag(itself)] = np.inf
        expected += np.histogram(d, 45, (0, r_max))[0]
    assert expected.sum() > 0
    np.testing.assert_array_equal(distinct_distances(then, now, SMALL, r_max, 45), expected)


def test_an_ion_that_leaves_the_cell_is_itself_and_its_image_another():
    """One ion steps by a whole cell vector: it is 4 Å away, and an image of it is where it was, as in an endless chain that steps."""
    cubic = 4.0 * np.eye(3)
    positions = np.zeros((2, 1, 3))
    positions[1, 0, 0] = 4.0
    found = measured(positions, [1], cubic, r_max=5.0, width=0.1)
    shell = 4 / 3 * np.pi * np.diff(found.edges**3)
    assert found.self_part[0][40] * shell[40] == pytest.approx(1)
    around = found.distinct[0] * shell
    assert around[0] == pytest.approx(1)
    assert around[40] == pytest.approx(5)
    assert around.sum() == pytest.approx(6)
    assert found.replaced[0].reason == "the run is too short for an error"


def test_a_row_that_moves_up_fills_its_places():
    """All ions of a lattice step to the next site in every frame: none stayed, and each is replaced by exactly one."""
    sites = np.stack(np.meshgrid(*[np.arange(4.0)] * 3, indexing="ij"), axis=-1).reshape(-1, 3) * 3.0
    steps = 3.0 * np.arange(80)[:, None, None] * np.array([1.0, 0, 0])
    found = measured(100.0 + sites + steps, [1], 12.0 * np.eye(3), r_max=6.0)
    assert found.stayed[0].value == 0
    assert found.replaced[0].value == pytest.approx(27.0 / (4 / 3 * np.pi))
    assert found.replaced[0].error == pytest.approx(0)


def test_a_cell_that_breathes_moves_no_ion(rng):
    """Ions at rest in the lattice, 500 Å from the origin: in Å they move by more than 2 Å."""
    cells = CELL @ (np.eye(3) + 0.005 * rng.normal(size=(50, 3, 3)))
    positions = (rng.random((30, 3)) + 25.0) @ cells
    assert np.linalg.norm(np.diff(positions, axis=0), axis=-1).max() > 2
    found = measured(positions, [1, 10], cells)
    assert [estimate.value for estimate in found.stayed] == [1, 1]
    assert found.self_part[:, 1:].max() == 0


def test_a_drift_is_taken_away(rng):
    still = rng.random((20, 3)) @ CELL + np.zeros((40, 1, 1))
    moving = still + 0.5 * np.arange(40)[:, None, None]
    assert measured(moving, [5], drift=np.ones(20)).stayed[0].value == 1
    assert measured(moving, [5]).stayed[0].value == 0


def test_who_goes_too_far_is_told():
    positions = np.zeros((100, 4, 3))
    positions[:, :2, 0] = 1.5 * np.arange(100)[:, None]  # two of four go on, 15 Å in ten frames
    positions[:, 1:, 1] = 3.0 * np.arange(3)
    found = measured(positions, [10], r_max=10.0)
    assert found.beyond[0] == pytest.approx(0.5)
    shell = 4 / 3 * np.pi * np.diff(found.edges**3)
    assert (found.self_part[0] * shell).sum() == pytest.approx(0.5)


def test_lags_that_share_frames_have_larger_errors(rng):
    """The error of a lag of many origins' distance is that of stretches as long as the lag, or none."""
    walks = rng.random((10, 1, 20, 3)) @ CELL + np.stack([brownian(rng, 400, 20, 1e-4) for _ in range(10)])
    runs = [measured(walk, [10, 40, 250], width=1.0, r_max=6.0, near=3.0, stride=2) for walk in walks]
    for k in range(2):
        scatter = np.std([run.stayed[k].value for run in runs], ddof=1)
        assert 0.5 < scatter / np.mean([run.stayed[k].error for run in runs]) < 1.8
    assert all(np.isnan(run.self_error[2]).all() for run in runs)


def test_origins_are_few_and_memory_does_not_grow(rng):
    system = System(("Li",) * 3, np.full(3, 6.94), np.zeros((3, 3)), CELL, "Li", 1.0, 10)
    accumulator = VanHoveAccumulator.of(system)  # of unknown length: 100 ps are 10,000 frames
    assert accumulator.stride == 40
    assert len(accumulator.state()["waiting"]) <= 257
    positions = rng.random((3, 3)) @ CELL + brownian(rng, 3000, 3, 1e-5)
    accumulator.update(frames_of(positions, every=10))
    size = sum(array.nbytes for array in accumulator.state().values())
    assert accumulator.result().times.tolist() == [0, 1000, 3000, 10000]  # fs; the run is 30 ps long
    assert accumulator.result().origins.tolist() == [75, 73, 68, 50]
    again = brownian(rng, 9000, 3, 1e-5)
    accumulator.update(Frames(10 * np.arange(3000, 12000), again, frames_of(again).cells))
    assert sum(array.nbytes for array in accumulator.state().values()) < 2 * size


def test_lags_longer_than_the_run_are_left_out():
    system = System(("Li",) * 3, np.full(3, 6.94), np.zeros((3, 3)), CELL, "Li", 1.0, 10, n_frames=4000)
    accumulator = VanHoveAccumulator.of(system)
    assert accumulator.lags.tolist() == [0, 100, 300, 1000, 3000]
    assert accumulator.stride == 12
    assert len(accumulator.state()["waiting"]) == 251


def test_runs_join_at_any_stride(rng):
    runs = rng.random((10, 3)) @ CELL + np.stack([brownian(rng, 200, 10, 1e-4) for _ in range(2)])
    accumulators = [VanHoveAccumulator(np.arange(10), DT, [4], stride=stride) for stride in (1, 2)]
    for accumulator, run in zip(accumulators, runs, strict=True):
        accumulator.update(frames_of(run))
    each = [accumulator.result() for accumulator in accumulators]
    accumulators[1].merge(accumulators[0])
    whole = accumulators[1].result()
    n = [run.origins[0] for run in each]
    assert n == [196, 98]
    assert whole.origins[0] == 294
    np.testing.assert_allclose(whole.self_part[0], np.average([run.self_part[0] for run in each], axis=0, weights=n), rtol=1e-9)
    other = VanHoveAccumulator(np.arange(10), DT, [4])
    other.update(frames_of(runs[0], every=3))
    with pytest.raises(ValueError, match="1 and 3 steps apart, expected one spacing"):
        accumulators[0].merge(other)


def test_what_has_no_correlation_is_refused(rng):
    with pytest.raises(ValueError, match=r"expected r_max > width > 0, r_max ≥ near > 0"):
        VanHoveAccumulator([0], DT, [1], r_max=0.5)
    with pytest.raises(ValueError, match="expected ascending ones from 0 on"):
        VanHoveAccumulator([0], DT, [4, 2])
    with pytest.raises(ValueError, match="found no atoms to follow"):
        VanHoveAccumulator([], DT, [1])
    with pytest.raises(ValueError, match="found 3 frames, expected more than 5, the shortest lag"):
        measured(np.zeros((3, 1, 3)), [5])
    with pytest.raises(ValueError, match="expected none below 0"):
        VanHoveAccumulator.of(System(("Li",), np.ones(1), np.zeros((1, 3)), CELL, "Li", 1.0), lags=[-1])
    accumulator = VanHoveAccumulator([0], DT, [1])
    accumulator.update(frames_of(np.zeros((3, 1, 3))))
    with pytest.raises(ValueError, match="frames lie 1 steps apart, but from step 2 to 0"):
        accumulator.update(frames_of(np.zeros((3, 1, 3))))
