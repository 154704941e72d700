"""The published criteria, one number per frame and its levels, from deviations given by hand."""

from types import SimpleNamespace

import numpy as np
import pytest
from ase import Atoms

from mlff.active.criterion import ExpectedError, ForceDeviation, Grade, OnTheFly
from mlff.uncertainty import Calibration, FrameDeviation, IsotonicMap, Levels, ScaleMap

LI2S = Atoms("Li2S", positions=np.eye(3) * 2, cell=[6, 6, 6], pbc=True)


def value(criterion, force, virial=None, surrogate=None, frame=LI2S) -> float:
    """Of one frame of two Li and one S."""
    deviation = FrameDeviation(np.array(force, float), virial=virial)
    (found,) = criterion.uncertainty([frame], [deviation], surrogate)
    return found


def test_the_most_uncertain_atom_counts():
    assert value(ForceDeviation(), [0.1, 0.3, 0.2]) == 0.3


@pytest.mark.parametrize(
    ("lithium", "expected"),
    [(0.0, 0.0), (0.1, 0.05), (0.2, 0.1), (0.4, 0.2), (0.6, 0.3), (np.inf, np.inf)],
)
def test_a_species_counts_as_far_as_it_is_between_its_own_levels(lithium, expected):
    """Levels 0.2 and 0.6 stand for 0.1 and 0.3."""
    criterion = ForceDeviation(0.1, 0.3, by_species={"Li": [0.2, 0.6]})
    assert value(criterion, [lithium, 0.0, 0.0]) == pytest.approx(expected)


def test_between_levels_of_another_ratio_the_scale_is_straight():
    """0.5 is the middle of 0.2 and 0.8: 0.2 is that of 0.1 and 0.3. A mere factor would give 0.25 or 0.1875."""
    assert value(ForceDeviation(0.1, 0.3, by_species={"Li": [0.2, 0.8]}), [0.5, 0, 0]) == pytest.approx(0.2)


def test_other_species_keep_the_common_levels():
    criterion = ForceDeviation(0.1, 0.3, by_species={"Li": [0.2, 0.6]})
    assert value(criterion, [0.3, 0.3, 0.25]) == 0.25  # of sulfur; that of lithium is worth 0.15


def test_a_virial_alone_makes_a_candidate_or_a_failure():
    criterion = ForceDeviation(0.1, 0.3, virial=[0.02, 0.06])
    virial = np.zeros((3, 3))
    virial[0, 2] = 0.04
    assert value(criterion, [0.0, 0.01, 0.0], virial) == pytest.approx(0.2)
    assert value(criterion, [0.0, 0.01, 0.0], 2 * virial) > 0.3


def test_a_failure_of_forces_is_not_mended_by_a_virial_between_the_levels():
    assert value(ForceDeviation(0.1, 0.3, virial=[0.02, 0.06]), [0.5, 0, 0], np.full((3, 3), 0.04)) == 0.5


def test_a_virial_is_not_looked_at_without_levels_or_without_a_volume():
    assert value(ForceDeviation(0.1, 0.3), [0.05, 0, 0], np.full((3, 3), 9.0)) == 0.05
    assert value(ForceDeviation(0.1, 0.3, virial=[0.02, 0.06]), [0.05, 0, 0], None) == 0.05


def test_dynamics_stops_where_every_species_has_failed_by_the_common_scale():
    assert ForceDeviation(0.1, 0.3).stop(Levels(0.1, 0.3)) == 0.3
    assert ForceDeviation(0.1, 0.3, by_species={"Li": [0.2, 0.6], "S": [0.05, 0.2]}).stop(Levels(0.1, 0.3)) == 0.6


def test_an_adaptive_level_leaves_a_share_of_what_did_not_fail():
    criterion = ForceDeviation(0.1, 0.3, adaptive=0.1)
    values = np.concatenate([np.linspace(0.15, 0.25, 100), np.full(50, 0.9), [np.inf]])
    levels = criterion.adapted(criterion.levels([]), values)
    assert (values[values < 0.3] >= levels.low).sum() == 10
    assert levels.high == 0.3


def test_an_adaptive_level_never_falls_below_low_nor_reaches_high():
    criterion, fixed = ForceDeviation(0.1, 0.3, adaptive=0.1), Levels(0.1, 0.3)
    assert criterion.adapted(fixed, np.linspace(0, 0.05, 100)) == fixed
    assert criterion.adapted(fixed, np.array([0.9])) == fixed
    almost = criterion.adapted(fixed, np.full(10, np.nextafter(0.3, 0)))
    assert almost.classify([np.nextafter(0.3, 0)]).tolist() == ["candidate"]


def test_levels_stay_without_it():
    assert ForceDeviation(0.1, 0.3).adapted(Levels(0.1, 0.3), np.full(9, 0.2)) == Levels(0.1, 0.3)


@pytest.mark.parametrize("options", [{"low": 0.3, "high": 0.1}, {"by_species": {"Li": [0.2, 0.1]}}, {"virial": [0.1, 0.1]}])
def test_levels_in_the_wrong_order_are_refused(options):
    with pytest.raises(ValueError, match="give the smaller one first"):
        ForceDeviation(**options)


def test_a_share_is_one():
    with pytest.raises(ValueError, match="adaptive is 5, expected a share"):
        ForceDeviation(adaptive=5)


def calibrated(*maps) -> SimpleNamespace:
    return SimpleNamespace(path="model", artefact=SimpleNamespace(calibration=Calibration(dict(maps)) if maps else None))


def test_it_is_the_largest_calibrated_error_each_element_by_its_own_map():
    """1.5 · 0.2/√3 of lithium is more than 0.5 · 0.4/√3 of sulfur, whose deviation is larger."""
    surrogate = calibrated((("Li", None), ScaleMap(1.5, 0, 1)), (("framework", None), ScaleMap(0.5, 0, 1)))
    assert value(ExpectedError(0.08, 0.25), [0.1, 0.2, 0.4], surrogate=surrogate) == pytest.approx(1.5 * 0.2 / np.sqrt(3))


def test_a_frame_is_judged_by_the_map_of_its_temperature():
    surrogate = calibrated((("all", None), ScaleMap(1.0, 0, 1)), (("all", 600.0), ScaleMap(3.0, 0, 1)))
    hot = LI2S.copy()
    hot.info["temperature"] = 600.0
    assert value(ExpectedError(0.08, 0.25), [0.1, 0.1, 0.1], surrogate=surrogate, frame=hot) == pytest.approx(0.3 / np.sqrt(3))


def test_members_that_disagree_without_bound_leave_no_bound():
    """A curve is level beyond its last point, and would call the frame accurate."""
    surrogate = calibrated((("all", None), IsotonicMap((0.0, 0.2), (0.0, 0.05), 0, 0.2)))
    assert value(ExpectedError(0.08, 0.25), [0.1, np.inf, 0.1], surrogate=surrogate) == np.inf


def test_a_model_that_is_not_calibrated_is_refused():
    with pytest.raises(ValueError, match=r"model is not calibrated.*or choose criterion=deviation"):
        value(ExpectedError(0.08, 0.25), [0.1, 0.1, 0.1], surrogate=calibrated())


def test_it_is_the_grade_of_the_most_unusual_atom():
    surrogate = SimpleNamespace(grades=lambda frames: [np.array([0.5, 3.0, 1.0]), np.array([0.2, 0.1, 0.9])])
    found = Grade().uncertainty([LI2S, LI2S], [None, None], surrogate)
    assert found.tolist() == [3.0, 0.9]
    assert Grade().levels([]).classify(found).tolist() == ["candidate", "accurate"]


def test_levels_are_save_and_break():
    assert Grade().levels([]) == Levels(2.0, 10.0)
    assert Grade().stop(Levels(2.0, 10.0)) is None


def test_the_threshold_follows_the_last_labels():
    rule = OnTheFly(first=0.2, least=0.05, margin=0.5, n_history=3, hard=4.0)
    assert rule.levels([]) == Levels(0.2, 0.8)
    levels = rule.levels([9.0, 9.0, 0.1, 0.2, 0.3])
    assert levels.low == pytest.approx(0.3)  # 1.5 · mean(0.1, 0.2, 0.3)
    assert levels.high == pytest.approx(1.2)


def test_it_never_falls_below_the_least():
    assert OnTheFly(least=0.05).levels([0.001] * 20).low == 0.05


def test_a_frame_that_was_learnt_without_success_does_not_set_it():
    assert OnTheFly(margin=0.5, n_history=2).levels([0.1, 0.2, np.inf]).low == pytest.approx(0.225)


def test_dynamics_stops_where_the_threshold_is_crossed_and_that_frame_is_a_candidate():
    rule = OnTheFly()
    levels = rule.levels([0.1])
    assert rule.stop(levels) == levels.low
    found = rule.uncertainty([LI2S], [FrameDeviation(np.array([0.0, levels.low, 0.1]))], None)
    assert levels.classify(found).tolist() == ["candidate"]


def test_a_frame_that_crosses_must_be_labelled():
    with pytest.raises(ValueError, match="expected above 1; a frame that crosses"):
        OnTheFly(hard=1.0)
