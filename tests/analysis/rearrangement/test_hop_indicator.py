import numpy as np
import pytest

from mlff.analysis import NotApplicable, System
from mlff.analysis.rearrangement.hop_events import HopEvents
from mlff.analysis.rearrangement.hop_indicator import EDGES, PER_DECADE, HopIndicatorAccumulator
from mlff.analysis.rearrangement.p_hop import Windows, hop_indicator, p_hop
from tests.analysis.trajectories import CELL, frames_of

N = 20  # frames in a window
DT = 50.0  # fs
SETTINGS = {"n": N, "timestep": DT, "cut": 2.0, "low": 0.5, "quiet": 30}


def jumps(n_frames, at, vector):
    """One ion 500 Å away that goes by the vector at each of some frames."""
    passed = np.searchsorted(np.sort(at), np.arange(n_frames), side="right")
    return 500.0 + passed[:, None, None] * np.asarray(vector, float)


def accumulated(positions, cells=CELL, every=1, **settings):
    accumulator = HopIndicatorAccumulator(np.arange(positions.shape[1]), **SETTINGS | settings)
    accumulator.update(frames_of(positions, cells, every))
    return accumulator


def test_a_clean_jump_gives_its_square():
    before, after = np.zeros((5, 1, 3)), np.full((5, 1, 3), [1.0, 2.0, 2.0])
    assert hop_indicator(before, after) == pytest.approx(9.0)


def test_it_is_a_product_of_means():
    """Both windows at 0, 1 and 5 Å: ⟨(r − 2)²⟩ = 14/3 in each; the root of the mean of the products would be √(98/3) = 5.7."""
    window = np.zeros((3, 1, 3))
    window[:, 0, 0] = [0, 1, 5]
    assert hop_indicator(window, window) == pytest.approx(14 / 3)


def test_one_pass_gives_what_the_windows_give(rng):
    """Ions far from the origin that fly away by 1,500 Å, in chunks of any size."""
    positions = 500.0 + rng.normal(size=(500, 4, 3)).cumsum(0) + 3.0 * np.arange(500)[:, None, None]
    expected = np.array([hop_indicator(positions[t - N : t], positions[t : t + N]) for t in range(N, 500 - N + 1)])
    np.testing.assert_allclose(p_hop(positions, N), expected, rtol=1e-10)
    windows, begin, found = Windows(4, N), 0, []
    for size in (1, 30, 9, 100, 360):
        found.append(windows.update(positions[begin : begin + size]))
        begin += size
    np.testing.assert_array_equal(np.concatenate([p for p, _ in found]), p_hop(positions, N))
    t = 200
    np.testing.assert_allclose(
        np.concatenate([moved for _, moved in found])[t - N], positions[t : t + N].mean(0) - positions[t - N : t].mean(0), rtol=1e-10
    )


def test_a_million_additions_cost_no_digits(rng):
    """A vibration of 0.01 Å far away after excursions of 1,000 Å: sums that are never taken anew would be off by 1e-8 of it."""
    positions = np.zeros((40000, 1, 3))
    positions[:, 0, 0] = 1000.0 * (np.arange(40000) // 100 % 2)
    positions[-2 * N :] = 777.0 + 0.01 * rng.normal(size=(2 * N, 1, 3))
    assert p_hop(positions, N)[-1] == pytest.approx(hop_indicator(positions[-2 * N : -N], positions[-N:]), rel=1e-9)


def test_the_rows_of_events():
    """A jump of 3 Å: k frames from it p = 9 (1 − k/n)^1.5, so that it is below 2 Å² from k = 13 of 20 on."""
    run = accumulated(jumps(200, [80], [1, 2, 2]), every=10).result().runs[0]
    assert run.counts.tolist() == [1]
    close = 80 + 13
    assert (run.start[0], run.peak[0], run.end[0]) == (10 * (80 - N), 10 * 80, 10 * (close + N - 1))
    assert run.p_hop[0] == pytest.approx(9.0)
    np.testing.assert_allclose(run.displacement, [[1, 2, 2]], atol=1e-10)
    assert int(run.dropped) == 0


def test_what_opens_and_closes_an_event():
    """Only what is above the cut opens, only what is below it closes; the peak is the maximum, and what has not closed is none."""
    p = np.array([[1, 2, 3, 5, 4, 2, 2, 1, 1, 4, 1.9, 3, 3.5]]).T
    moved = np.arange(13.0)[:, None, None] * np.ones(3)
    found = HopEvents(1, N, 2.0, 0.5, 5)
    assert found.update(p, moved) == 2
    frames, sizes = found.events()
    assert frames.tolist() == [[0, 3, N + 3, N + 7 + N - 1], [0, 9, N + 9, N + 10 + N - 1]]
    assert sizes.tolist() == [[5, 3, 3, 3], [4, 9, 9, 9]]
    assert found.n_open == 1


def test_stretches_of_quiet():
    """At least so long, and not at the threshold; one that lasts still counts."""
    p = np.array([[0.1] * 4 + [0.5] + [0.2] * 5 + [0.6] + [0.3] * 6, [3.0] + [0.1] * 16]).T
    found = HopEvents(2, N, 2.0, 0.5, 5)
    found.update(p, np.zeros((17, 2, 3)))
    assert (found.quiet() - [0, N, N]).tolist() == [[0, 5, 9], [0, 11, 16], [1, 1, 16]]


def test_rates_and_lengths(rng):
    """Ions that vibrate and jump by 3 Å, in Poisson's manner, at most once in 100 frames."""
    n_frames, n_ions = 6000, 30
    happens = rng.random((n_frames // 100, n_ions)) < 0.3
    at = 100 * np.arange(n_frames // 100)[:, None] + 50
    steps = np.zeros((n_frames, n_ions, 3))
    for row, ion in np.argwhere(happens):
        direction = rng.normal(size=3)
        steps[at[row, 0], ion] = 3.0 * direction / np.linalg.norm(direction)
    found = accumulated(steps.cumsum(0) + 0.1 * rng.normal(size=steps.shape)).result()
    time = (n_frames - 2 * N + 1) * DT / 1e3
    assert found.rate.value == pytest.approx(happens.sum() / (n_ions * time))
    assert found.rate.error >= np.sqrt(happens.sum()) / (n_ions * time)
    assert found.runs[0].counts.tolist() == happens.sum(0).tolist()
    assert found.displacement.value == pytest.approx(3.0, abs=0.02)
    assert found.window == N * DT
    assert found.distribution.sum() / PER_DECADE == pytest.approx(1.0)
    middle = np.sqrt(EDGES[1:] * EDGES[:-1])
    assert middle[np.argmax(found.distribution)] == pytest.approx(0.03, rel=0.15)  # 3 · 0.1², at rest
    assert np.isfinite(found.error).all()
    assert 0 < found.quiet.value < 1


def test_ions_that_differ_widen_the_error(rng):
    """One ion of ten makes all the hops: chance among independent events is not what the rate's error is made of."""
    positions = 0.1 * rng.normal(size=(3000, 10, 3))
    positions[:, 0] += jumps(3000, range(100, 3000, 100), [3, 0, 0])[:, 0] - 500
    found = accumulated(positions).result()
    assert found.rate.error == pytest.approx(found.rate.value, rel=1e-6)
    assert found.rate.error > 3 * np.sqrt(29) / (10 * found.runs[0].time)


def test_a_run_without_hops_bounds_their_rate(rng):
    found = accumulated(0.1 * rng.normal(size=(400, 5, 3))).result()
    assert found.rate.upper == pytest.approx(3.0 / (5 * (400 - 2 * N + 1) * DT / 1e3), rel=2e-3)
    assert str(found.displacement) == "no result (no event was seen)"
    assert found.quiet.value == 1.0
    assert found.runs[0].quiet.tolist() == [[N, 400 - N]] * 5


def test_neither_a_breathing_cell_nor_a_drift_is_a_hop():
    """An ion at rest in the lattice, 500 Å from the origin: the cell changes by a percent, and everything goes by 10 Å. One that hops
    is seen to do so by as much."""
    frames = np.arange(200)
    cells = CELL * (1 + 0.01 * np.sin(frames / 5))[:, None, None]
    fraction = np.array([[25.1, 25.2, 25.3], [25.5, 25.5, 25.5], [0.2, 0.1, 0.6]]) + np.zeros((200, 3, 3))
    fraction[100:, 1] += [0.2, 0.0, 0.0]  # 4 Å
    positions = fraction @ cells + 0.05 * frames[:, None, None]
    found = accumulated(positions, cells, drift=np.array([0.0, 0.0, 30.0])).result()
    run = found.runs[0]
    assert run.counts.tolist() == [0, 1, 0]
    np.testing.assert_allclose(run.displacement, [[4, 0, 0]], atol=1e-9)
    assert run.p_hop[0] == pytest.approx(16.0)


def test_independent_runs_stand_side_by_side():
    one, two = accumulated(jumps(200, [80, 130], [3, 0, 0])), accumulated(jumps(150, [70], [0, 2, 0]))
    one.merge(two)
    one.merge(accumulated(jumps(10, [], [0, 0, 1])))  # too short to tell anything
    found = one.result()
    assert [run.counts.tolist() for run in found.runs] == [[2], [1]]
    assert found.rate.value == pytest.approx(3 / ((161 + 111) * DT / 1e3))
    assert found.displacement.value == pytest.approx((3 + 3 + 2) / 3)
    assert found.runs[0].ion.tolist() == [0, 0]
    with pytest.raises(ValueError, match=r"found runs with frames \[50\.0, 100\.0\] fs apart, expected one spacing"):
        one.merge(accumulated(jumps(200, [80], [3, 0, 0]), every=2))


def test_what_cannot_be_measured_is_refused():
    with pytest.raises(ValueError, match="found 30 frames, expected at least 40, those of both windows"):
        accumulated(jumps(30, [10], [3, 0, 0])).result()
    with pytest.raises(ValueError, match="found windows of 1 frames"):
        accumulated(jumps(30, [10], [3, 0, 0]), n=1)
    with pytest.raises(ValueError, match="found windows of 0 frames, expected at least 1"):
        p_hop(np.zeros((5, 1, 3)), 0)
    with pytest.raises(ValueError, match=r"found low 3\.0 Å², cut 2\.0 Å², quiet for 30 frames; expected 0 < low ≤ cut"):
        accumulated(jumps(30, [10], [3, 0, 0]), low=3.0)
    system = System(("Li",), np.ones(1), np.zeros((1, 3)), CELL, "Li", 1.0, interval=1000)
    with pytest.raises(NotApplicable, match="frames lie 1000 fs apart, expected at least 2 in a window of 1 ps"):
        HopIndicatorAccumulator.of(system)
    with pytest.raises(NotApplicable, match="the structure holds no Na, expected mobile ions"):
        HopIndicatorAccumulator.of(System(("Li",), np.ones(1), np.zeros((1, 3)), CELL, "Na", 1.0))
