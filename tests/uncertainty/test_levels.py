import numpy as np
import pytest

from mlff.uncertainty import FORCE_LEVELS, GRADE_LEVELS, Levels, frame_deviation


def test_a_level_belongs_to_the_class_above_it():
    assert Levels(0.11, 0.26).classify([0.0, 0.1099, 0.11, 0.2599, 0.26, 9.0]).tolist() == [
        *("accurate", "accurate"),
        *("candidate", "candidate"),
        *("failed", "failed"),
    ]


def test_what_is_not_known_has_failed():
    assert Levels(0.11, 0.26).classify([np.nan, np.inf]).tolist() == ["failed", "failed"]
    diverged = np.full((2, 3, 3), np.nan)
    assert FORCE_LEVELS.classify(frame_deviation(diverged).max_force) == "failed"


def test_more_disagreement_is_never_less_alarming(rng):
    """The law that levels with an inverted sign break: they keep what has failed and reject what is accurate."""
    rank = {"accurate": 0, "candidate": 1, "failed": 2}
    forces = rng.normal(size=(4, 6, 3))
    growing = [frame_deviation(size * forces).max_force for size in np.geomspace(1e-3, 10, 50)]

    def never_falls(classes):
        return bool((np.diff([rank[name] for name in classes.tolist()]) >= 0).all())

    assert never_falls(FORCE_LEVELS.classify(growing))
    assert {*FORCE_LEVELS.classify(growing).tolist()} == set(rank)
    inverted = np.where(
        np.array(growing) > FORCE_LEVELS.high, "accurate", np.where(np.array(growing) > FORCE_LEVELS.low, "candidate", "failed")
    )
    assert not never_falls(inverted)


@pytest.mark.parametrize(("low", "high"), [(0.26, 0.11), (0.2, 0.2), (-0.26, -0.11), (np.nan, 1.0)])
def test_levels_in_the_wrong_order_or_with_the_wrong_sign_are_refused(low, high):
    with pytest.raises(ValueError, match="expected 0 ≤ low < high"):
        Levels(low, high)


def test_users_of_moment_tensor_potentials_find_their_levels():
    assert GRADE_LEVELS.classify([0.9, 2.0, 10.0]).tolist() == ["accurate", "candidate", "failed"]
