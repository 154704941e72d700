import numpy as np
import pytest

from mlff.analysis import NotApplicable, System
from mlff.analysis.diffusion.slabs import SlabAccumulator
from mlff.units import CM2_PER_S
from tests.analysis.trajectories import DT, frames_of

BOX = np.diag([20.0, 20.0, 40.0])
SKEWED = np.array([[20.0, 0, 0], [4.0, 18.0, 0], [9.0, 5.0, 40.0]])
SLOW, FAST = 1e-5, 4e-5  # cm²/s; at 100 fs from frame to frame


def measured(positions, cell=BOX, symbols=None, axis=2, edges=(0.0, 0.5), **settings):
    symbols = ["Li"] * positions.shape[1] if symbols is None else symbols
    ions = np.flatnonzero(np.array(symbols) == "Li")
    accumulator = SlabAccumulator(symbols, ions, DT, axis, edges, **({"lags": range(2, 21, 2)} | settings))
    accumulator.update(frames_of(positions, cell))
    return accumulator


def walkers(rng, cell, n_frames, n_ions, axis=2):
    """Brownian steps of the diffusivity at the place where each begins, slow in the first half along the axis."""
    inverse = np.linalg.inv(cell)
    r = rng.random((n_ions, 3)) @ cell
    positions = np.empty((n_frames, n_ions, 3))
    for t in range(n_frames):
        positions[t] = r
        d = np.where((r @ inverse)[:, axis] % 1 < 0.5, SLOW, FAST)
        r = r + np.sqrt(2 * d * CM2_PER_S * DT)[:, None] * rng.normal(size=r.shape)
    return positions


@pytest.mark.parametrize("cell", [BOX, SKEWED], ids=["box", "skewed"])
def test_two_diffusivities_side_by_side(cell, rng):
    """Each slab has its own, in the plane, along the normal of its faces, and in all directions, within the errors."""
    result = measured(walkers(rng, cell, 1500, 120), cell, regions=("slow", "fast"), lags=range(2, 21, 2), stride=2, least_msd=0.1).result()
    for region, expected in (("slow", SLOW), ("fast", FAST)):
        found = [result.diffusivity[region, way] for way in ("all", "along", "in_plane")] + [result.diffusivity_staying[region]]
        for d in found:
            # up to a tenth of the ions cross within the lags, and are counted where they came from
            assert abs(d.value - expected) < 2.5 * d.error + 0.08 * expected
            assert d.error < 0.15 * expected
    assert result.origins == 740
    assert result.height == pytest.approx(40)
    assert result.staying["slow"][-1] > 0.9


def test_the_numbers_sum_to_all_ions_at_any_time(rng):
    """Exactly, over more frames than there are intervals, and on the boundary."""
    positions = walkers(rng, BOX, 1300, 30)
    positions[:, 0, 2], positions[:, 1, 2], positions[:, 2, 2] = -1e-17, 40 * (1 - 1e-16), 20.0
    result = measured(positions, edges=(0.0, 0.25, 0.5, 0.9)).result()
    assert (result.ion_frames.sum(1) == 30 * result.frames).all()
    assert result.frames.sum() == 1300
    assert len(result.times) <= 512
    np.testing.assert_allclose(result.numbers.sum(1), 30, rtol=1e-14)
    fractions = positions[..., 2] / 40 % 1
    expected = np.stack([(fractions[:4] >= a) & (fractions[:4] < b) for a, b in ((0, 0.25), (0.25, 0.5), (0.5, 0.9))], axis=-1).sum((0, 1))
    assert result.times[0] == 1.5 * DT
    found = result.ion_frames[0, :3]
    assert (np.abs(found - expected) <= 8).all()  # the first two may belong to either side of their boundary
    assert found[1] == expected[1]


def test_an_ion_belongs_to_the_slab_of_its_wrapped_place_and_is_displaced_unwrapped(rng):
    """One that runs through three cells at a steady pace: it is in every slab in turn, with the same displacement from each."""
    steps = np.arange(600)
    positions = np.zeros((600, 1, 3))
    positions[:, 0, 2] = 0.2 * steps + 0.05
    result = measured(positions, edges=(0, 0.25, 0.5, 0.75), lags=(1, 5)).result()
    for region in result.regions:
        np.testing.assert_allclose(result.msd[region, "along"], [0.04, 1.0])
        np.testing.assert_allclose(result.msd[region, "in_plane"], 0, atol=1e-12)
    assert (result.ion_frames.sum(0) == 150).all()


def test_those_that_stay_never_left_in_between():
    """Out and back within the lag is no stay, though the ion is there at both ends; nor does another of its slabs count."""
    place = np.array([5.0, 15.0, 5.0, 5.0, 5.0, 5.0])
    positions = np.zeros((6, 1, 3))
    positions[:, 0, 2] = place
    result = measured(positions, edges=(0.0, 0.25), lags=(2, 3), stride=1).result()
    # origins 0, 1, 2: from frame 0 it leaves, from 2 it stays
    np.testing.assert_allclose(result.staying["1"], [0.5, 0.5])
    np.testing.assert_allclose(result.staying["2"], [0.0, 0.0])
    assert np.isnan(result.msd_staying["2", "all"]).all()


def test_staying_keeps_the_plane_and_holds_the_normal(rng):
    """Walkers of one diffusivity in thin slabs, at lags in which most leave: in the plane it is right, along the normal it is held."""
    steps = np.sqrt(2 * FAST * CM2_PER_S * DT) * rng.normal(size=(1500, 80, 3))
    positions = rng.random((80, 3)) @ BOX + steps.cumsum(0)
    result = measured(positions, edges=np.arange(10) / 10, regions=["thin"] + ["rest"] * 9, lags=range(5, 51, 5), stride=5).result()
    assert result.staying["thin"][-1] < 0.5
    found = result.diffusivity_staying["thin"]
    assert abs(found.value - FAST) < 2.5 * found.error
    assert result.msd_staying["thin", "along"][-1] < 0.5 * result.msd["thin", "along"][-1]


def test_slabs_of_one_name_are_counted_together(rng):
    positions = walkers(rng, BOX, 200, 40)
    result = measured(positions, edges=(0.1, 0.4, 0.6, 0.9), regions=("bulk", "core", "bulk", "core")).result()
    assert result.regions == ("bulk", "core")
    fractions = positions[..., 2] / 40 % 1
    core = ((fractions >= 0.4) & (fractions < 0.6)) | (fractions >= 0.9) | (fractions < 0.1)
    assert result.ion_frames[:, 1].tolist() == core.sum(1).tolist()


def test_slabs_move_with_the_framework(rng):
    """Ions that are carried along with a crystal that drifts stay in their slabs and do not diffuse."""
    symbols = ["S", "S", "Li", "Li"]
    positions = np.array([[0, 0, 1.0], [5, 5, 21.0], [3, 3, 10.0], [3, 3, 12.0]]) + 0.1 * np.arange(500)[:, None, None]
    weights = np.array([1.0, 1.0, 0, 0])
    still = measured(positions, symbols=symbols, drift=weights).result()
    assert (still.ion_frames[:, 0] == 2 * still.frames).all()
    np.testing.assert_allclose(still.msd["1", "all"], 0, atol=1e-12)
    moving = measured(positions, symbols=symbols).result()
    assert moving.ion_frames[:, 1].max() > 0


def test_the_slabs_move_with_the_atoms(rng):
    """By one slab: the answers of all slabs move on by one."""
    positions = walkers(rng, SKEWED, 200, 40)
    settings = {"cell": SKEWED, "edges": np.arange(4) / 4}
    here, there = measured(positions, **settings).result(), measured(positions + 0.25 * SKEWED[2], **settings).result()
    np.testing.assert_array_equal(there.ion_frames, np.roll(here.ion_frames, 1, axis=1))
    for k in range(4):
        one, other = str(k + 1), str((k + 1) % 4 + 1)
        np.testing.assert_allclose(there.msd[other, "along"], here.msd[one, "along"])


def test_where_nothing_diffuses_there_is_a_bound(rng):
    """Vibrations alone: below what so many missed hops would be; an empty slab has no result."""
    positions = np.array([[5.0, 5, 5]] * 8) + 0.2 * rng.normal(size=(2000, 8, 3))
    result = measured(positions).result()
    bounded = result.diffusivity["1", "all"]
    assert not bounded.known
    # three hops of 3 Å in 8 × 2000 frames
    assert bounded.upper == pytest.approx(3.0 * 9 / (6 * 16000 * DT * CM2_PER_S), rel=0.5)
    assert "the MSD reaches 0.2" in bounded.reason
    assert str(result.diffusivity["2", "all"]) == "no result (no ion was there)"


def test_a_short_run_has_numbers_but_no_diffusivity(rng):
    result = measured(walkers(rng, BOX, 15, 5)).result()
    assert result.frames.sum() == 15
    assert result.origins == 0
    assert result.diffusivity["1", "all"].reason == "the run is shorter than the longest lag"
    few = measured(walkers(rng, BOX, 25, 5)).result()
    assert few.diffusivity["1", "all"].reason == "the run is too short for an error"


def test_independent_runs_join(rng):
    runs = [walkers(rng, BOX, n, 30) for n in (400, 400, 400, 700)]
    first, *others = [measured(run, least_msd=0.1) for run in runs]
    alone = first.result().diffusivity["2", "all"]
    for other in others:
        first.merge(other)
    joined = first.result()
    assert (joined.ion_frames.sum(1) == 30 * joined.frames).all()
    assert joined.frames.sum() == 1900
    assert joined.origins == 3 * 380 + 680
    assert joined.diffusivity["2", "all"].error < alone.error


def test_settings_become_frames():
    system = System(("Li", "S"), np.ones(2), np.zeros((2, 3)), BOX, "Li", 2.0, 5)
    accumulator = SlabAccumulator.of(system, axis="b", n_slabs=4, longest_lag=10.0, n_lags=5, origins=10)
    assert accumulator._motion.lags.tolist() == [200, 400, 600, 800, 1000]
    assert accumulator._motion.stride == 100
    assert accumulator._motion.axis == 1
    known = System(("Li", "S"), np.ones(2), np.zeros((2, 3)), BOX, "Li", 2.0, 5, n_frames=400)
    assert SlabAccumulator.of(known)._motion.lags[-1] == 100


def test_what_has_no_slabs_is_refused(rng):
    positions = rng.random((3, 2, 3))
    with pytest.raises(ValueError, match=r"expected ascending fractions in \[0, 1\)"):
        measured(positions, edges=(0.5, 0.2))
    with pytest.raises(ValueError, match=r"expected ascending fractions in \[0, 1\)"):
        measured(positions, edges=(0.0, 1.0))
    with pytest.raises(ValueError, match="found 1 names of 2 slabs"):
        measured(positions, regions=["core"])
    with pytest.raises(ValueError, match="expected ascending lags"):
        measured(positions, lags=(2, 1))
    with pytest.raises(ValueError, match="found axis 3"):
        measured(positions, axis=3)
    with pytest.raises(ValueError, match="found no frame"):
        SlabAccumulator(["Li"], [0], DT, 2, (0.0,)).result()
    with pytest.raises(ValueError, match="found frames of 2 atoms, expected 1"):
        SlabAccumulator(["Li"], [0], DT, 2, (0.0,)).update(frames_of(positions))
    system = System(("Li",), np.ones(1), np.zeros((1, 3)), BOX, "Li", 1.0)
    with pytest.raises(ValueError, match="found the axis 'z', expected a, b or c"):
        SlabAccumulator.of(system, axis="z")
    with pytest.raises(ValueError, match="found n_slabs 0"):
        SlabAccumulator.of(system, n_slabs=0)
    with pytest.raises(NotApplicable, match="found no Na"):
        SlabAccumulator.of(System(("Li",), np.ones(1), np.zeros((1, 3)), BOX, "Na", 1.0))
    with pytest.raises(NotApplicable, match="not periodic along all axes"):
        SlabAccumulator.of(System(("Li",), np.ones(1), np.zeros((1, 3)), BOX, "Li", 1.0, pbc=np.zeros(3, bool)))
