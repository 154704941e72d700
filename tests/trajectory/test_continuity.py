"""Steps that go on over joints, the timestep that a file tells, and what counts as a jump."""

import numpy as np
import pytest

from mlff.trajectory.continuity import MARGIN, Clock, Joint, Jumps, Steps


def counted(*files: list[int | None], repeats: tuple[int, ...] = ()) -> list[int | None]:
    """Stored steps of files; None where a frame was dropped. repeats: numbers of the frames that are the same as the one before."""
    steps, found = Steps(), []
    for file in files:
        for k, own in enumerate(file):
            if steps.is_joint(own, k == 0):
                found.append(steps.across(own, len(found) in repeats, "x, frame 0"))
            else:
                found.append(steps.within(own))
    return found


@pytest.mark.parametrize(
    ("files", "repeats", "expected"),
    [
        pytest.param([[0, 10, 20], [30, 40]], (), [0, 10, 20, 30, 40], id="goes on"),
        pytest.param([[0, 10, 20], [20, 30]], (3,), [0, 10, 20, None, 30], id="last frame again"),
        pytest.param([[0, 10, 20, 20, 30]], (3,), [0, 10, 20, None, 30], id="last frame again, in one file"),
        pytest.param([[0, 10, 20], [0, 10]], (3,), [0, 10, 20, None, 30], id="counts anew from the last frame"),
        pytest.param([[1, 2, 3], [1, 2], [1, 2]], (), [1, 2, 3, 4, 5, 6, 7], id="counts anew from the next frame"),
        pytest.param([[5, 15, 0, 10]], (), [5, 15, 25, 35], id="counts anew in one file"),
        pytest.param([[None, None], [None, None]], (), [0, 1, 2, 3], id="no steps"),
        pytest.param([[None, None], [None, None]], (2,), [0, 1, None, 2], id="no steps, last frame again"),
        pytest.param([[7], [7], [7]], (), [7, 8, 9], id="single frames"),
        pytest.param([[100, 200], [1000, 1100]], (), [100, 200, 1000, 1100], id="a gap"),
    ],
)
def test_steps_go_on(files, repeats, expected):
    assert counted(*files, repeats=repeats) == expected


def test_a_run_that_was_restarted_earlier_is_refused():
    with pytest.raises(ValueError, match=r"found step 20 after step 30, expected later steps: .* remove what was written from step 20 on"):
        counted([10, 20, 30], [20, 30])
    with pytest.raises(ValueError, match="found step 30 the same step with other positions, expected later steps"):
        counted([10, 20, 30], [30, 40])


def timestep(pairs, given: float | None = None) -> float:
    clock = Clock(given)
    for step, time in pairs:
        clock.take(step, time, f"x, step {step}")
    return clock.timestep("x")


def test_the_timestep_is_what_the_whole_length_tells():
    """20 atomic units of time, to three decimals as CP2K writes them: the first two frames tell 0.484, the whole 0.483777."""
    assert timestep([(k, round(0.48377687 * k, 3)) for k in range(10000)]) == pytest.approx(0.48377687, rel=1e-6)
    # float32 ps, a million steps from the origin
    assert timestep([(k, float(np.float32(k * 2e-3)) * 1e3) for k in range(1_000_000, 1_300_000, 500)]) == pytest.approx(2, rel=1e-6)
    assert timestep([(0, None), (1, None)], given=1.5) == 1.5


def test_a_timestep_that_is_missing_changes_or_is_another_than_given():
    with pytest.raises(ValueError, match=r"x, step 0: found no time in this file, expected a timestep; give timestep=… in fs"):
        timestep([(0, None)])
    with pytest.raises(ValueError, match="found one frame, whose time tells no timestep; give timestep=…"):
        timestep([(0, 0.0)])
    with pytest.raises(ValueError, match="x, step 40: found 10 fs after 10 steps, expected 20 as before; the timestep changed"):
        timestep([(0, 0.0), (10, 20.0), (20, 40.0), (30, 60.0), (40, 70.0), (50, 80.0)])
    with pytest.raises(ValueError, match="x, step 10: found 2 fs from step to step in the file, but timestep=1; leave timestep out"):
        timestep([(0, 0.0), (10, 20.0)], given=1.0)
    with pytest.raises(ValueError, match="found times that do not ascend"):
        timestep([(0, 5.0), (10, 5.0)])


def test_times_of_the_next_file_may_begin_anew():
    clock = Clock(None)
    for step, time in ((0, 0.0), (10, 20.0)):
        clock.take(step, time, "x")
    clock.anew()
    for step, time in ((20, 0.0), (30, 20.0)):
        clock.take(step, time, "y")
    assert clock.timestep("x") == 2.0
    clock.anew()
    clock.take(40, 0.0, "z")
    with pytest.raises(ValueError, match="z: found 10 fs after 10 steps, expected 20 as before"):
        clock.take(50, 10.0, "z")


def jumps(rng, across: np.ndarray) -> Jumps:
    """1000 frames of ten atoms that vibrate and one that hops 2 Å now and then; then a joint."""
    moved = np.abs(rng.normal(scale=0.05, size=(1000, 11)))
    moved[::100, 10] = 2.0
    found = Jumps(["S"] * 10 + ["Li"])
    found.take_joint(Joint("b.dump, frame 0", 10, 10, across))  # compared with what comes after it too
    found.take(moved)
    return found


def test_a_jump_is_more_than_any_step_within_a_file(rng):
    still = np.full(11, 0.05)
    jumps(rng, still).check()
    hop = still.copy()
    hop[10] = 2.0
    jumps(rng, hop).check()
    hop[3] = 1.01 * MARGIN * 2.0
    with pytest.raises(ValueError, match=r"b.dump, frame 0: found a jump of 2.52 Å by atom 3 \(S\), .* expected at most 2 and 0.6"):
        jumps(rng, hop).check()


def test_all_atoms_that_move_a_little_are_a_jump_too(rng):
    """1 Å by every atom is less than one hop, but in the mean more than any step."""
    with pytest.raises(ValueError, match=r"found a jump of 1 Å by atom 0 \(S\), 1 Å in the mean of all, 10 steps after"):
        jumps(rng, np.ones(11)).check()


def test_single_frames_have_nothing_to_be_compared_with():
    found = Jumps(["Li"])
    found.take(np.zeros((0, 1)))
    found.take_joint(Joint("b", 1, 1, np.array([3.0])))
    found.check()
