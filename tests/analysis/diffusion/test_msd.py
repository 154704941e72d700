import numpy as np
import pytest

from mlff.analysis import MeanSquareDisplacement
from mlff.trajectory import Frames
from tests.analysis.trajectories import CELL, DT, brownian, displacements_of, frames_of


def test_ballistic_motion_is_exact(rng):
    velocity = rng.normal(size=(6, 3)) * 1e-3  # Å/fs
    run = displacements_of(500.0 + DT * np.arange(300)[:, None, None] * velocity).runs[0]
    expected = (velocity**2).sum(1) * run.times[:, None] ** 2
    # 500 Å from the origin: 1e-13 Å of rounding on displacements from 0.1 Å
    np.testing.assert_allclose(run.all_origins[:, :3].sum(1), expected, rtol=1e-9)
    np.testing.assert_allclose(run.first_origin[:, :3].sum(1), expected, rtol=1e-9)
    np.testing.assert_allclose(run.collective[:, :3].sum(1), (velocity.sum(0) ** 2).sum() / 6 * run.times**2, rtol=1e-9)
    assert run.duration == 299 * DT


def test_the_tensor_tells_the_axes_apart(rng):
    steps = rng.normal(size=(4000, 30, 3)) @ np.array([[2.0, 0.0, 0.0], [1.0, 1.0, 0.0], [0.0, 0.0, 0.5]])
    tensor = displacements_of(steps.cumsum(0)).tensor()[0]
    expected = np.array([[5.0, 1.0, 0.0], [1.0, 1.0, 0.0], [0.0, 0.0, 0.25]])
    np.testing.assert_allclose(tensor, expected, atol=0.06)  # 5 √(2/1.2e5) × 3


def test_far_from_the_origin_nothing_changes(rng):
    """In float32, 500 Å from the origin, vibrations of 0.01 Å would drown."""
    walk = 0.01 * rng.normal(size=(400, 5, 3))
    near, far = displacements_of(walk).msd(), displacements_of(walk + [500.0, -700.0, 900.0]).msd()
    np.testing.assert_allclose(far, near, rtol=1e-9)


def test_a_cell_that_breathes_and_shears_moves_nobody(rng):
    """Ions at rest in the lattice, one of them 30 cells away, in a fluctuating triclinic cell; and a known path on top."""
    n_frames = 200
    cells = CELL @ (np.eye(3) + 0.02 * rng.normal(size=(n_frames, 3, 3)))
    fraction = rng.random((4, 3)) + np.array([[0, 0, 0], [0, 0, 0], [30, -20, 10], [0, 0, 0]])
    np.testing.assert_allclose(displacements_of(fraction @ cells, cells=cells).msd(), 0.0, atol=1e-20)

    path = np.arange(n_frames)[:, None, None] * np.array([[0.01, 0.02, -0.03]])  # per frame, in cell vectors
    found = displacements_of((fraction + path) @ cells, cells=cells)
    step = np.array([0.01, 0.02, -0.03]) @ cells.mean(0)
    np.testing.assert_allclose(found.msd(), (step**2).sum() * (found.times / DT) ** 2, rtol=1e-9)
    np.testing.assert_allclose(found.tensor()[0], np.outer(step, step), rtol=1e-9)
    np.testing.assert_allclose(found.runs[0].total.T, np.tile((n_frames - 1) * step, (4, 1)), rtol=1e-9)


def test_the_drift_that_is_asked_for_is_removed(rng):
    walk, masses = brownian(rng, 300, 8, 1e-5), np.array([7.0] * 4 + [32.0] * 4)
    drift = np.cumsum(rng.normal(size=(300, 1, 3)), axis=0)
    framework = masses * (np.arange(8) >= 4)
    for weights in (masses, framework):
        still, moving = (displacements_of(x, drift=weights).msd() for x in (walk, walk + drift))
        np.testing.assert_allclose(moving, still, rtol=1e-9)
    assert displacements_of(walk + drift).msd()[0] > 2 * displacements_of(walk).msd()[0]
    centred = walk - np.einsum("n,tnc->tc", framework / framework.sum(), walk)[:, None]
    np.testing.assert_allclose(displacements_of(walk, drift=framework).msd(), displacements_of(centred).msd(), rtol=1e-9)


def test_stretches_of_time_cover_the_run(rng):
    for n_frames in (2, 33, 34, 1000):
        walk = rng.normal(size=(n_frames, 3, 3)).cumsum(0)
        run = displacements_of(walk).runs[0]
        step = round(run.block_time / DT)
        assert len(run.blocks) == (n_frames - 1) // step
        assert n_frames - 1 < 17 or 16 <= len(run.blocks) <= 32
        ends = walk[::step]
        np.testing.assert_allclose(run.blocks, (ends[1:] - ends[:-1]).transpose(0, 2, 1), atol=1e-12)
        np.testing.assert_allclose(run.total, (walk[-1] - walk[0]).T, atol=1e-12)


def test_runs_of_other_lengths_share_their_lags(rng):
    long, short = brownian(rng, 400, 3, 1e-5), brownian(rng, 90, 3, 1e-5)
    both = displacements_of(long, short)
    assert both.n_ions == 6
    alone = displacements_of(short)
    np.testing.assert_array_equal(both.times, alone.times)
    np.testing.assert_array_equal(both.per_ion()[:, 3:], alone.per_ion())


def test_runs_of_other_spacings_are_refused(rng):
    one, other = (MeanSquareDisplacement(np.arange(3), 1.0) for _ in range(2))
    one.update(frames_of(brownian(rng, 20, 3, 1e-5)))
    other.update(frames_of(brownian(rng, 20, 3, 1e-5), every=2))
    one.merge(other)
    with pytest.raises(ValueError, match=r"frames \[1\.0, 2\.0\] fs apart, expected one spacing"):
        one.result()


def test_what_cannot_be_followed_is_refused(rng):
    walk = brownian(rng, 20, 4, 1e-5)
    with pytest.raises(ValueError, match="no ions to follow"):
        MeanSquareDisplacement(np.zeros(4, bool), 1.0)
    with pytest.raises(ValueError, match=r"timestep is 0 fs"):
        MeanSquareDisplacement(np.arange(4), 0)
    with pytest.raises(ValueError, match="sum to nothing"):
        MeanSquareDisplacement(np.arange(4), 1.0, drift=np.zeros(4))
    accumulator = MeanSquareDisplacement(np.arange(4), 1.0)
    with pytest.raises(ValueError, match="found 0 frames, expected at least 2"):
        accumulator.result()
    frames = frames_of(walk, every=5)
    accumulator.update(frames)
    with pytest.raises(ValueError, match="frames lie 5 steps apart, but from step 95 to 101"):
        accumulator.update(Frames(np.array([101]), walk[:1], CELL[None]))
    with pytest.raises(ValueError, match="found frames of 3 atoms after frames of 4"):
        accumulator.update(Frames(np.array([100]), walk[:1, :3], CELL[None]))
    with pytest.raises(ValueError, match="drift has 3 weights for 4 atoms"):
        MeanSquareDisplacement(np.arange(3), 1.0, drift=np.ones(3)).update(frames)
    with pytest.raises(ValueError, match="no volume"):
        MeanSquareDisplacement(np.arange(3), 1.0).update(frames_of(walk, np.zeros((3, 3))))
    with pytest.raises(ValueError, match=r"stored with timestep = 2\.0, but this accumulator has 1\.0"):
        accumulator.merge(MeanSquareDisplacement(np.arange(4), 2.0))
