"""What a plane is told to be worth: the truth on planted planes, and doubts where there is nothing to learn."""

from dataclasses import replace

import numpy as np
import pytest

from softness.hyperplane import Hyperplane
from softness.rows import Rows
from softness.validation import validate
from tests.softness.planted import planted


def fitted(rows: Rows, **settings) -> Hyperplane:
    return Hyperplane(**settings).fit(rows.features, rows.mobile, rows.groups)


def test_a_planted_plane_is_worth_what_the_noise_leaves(rng):
    train, test = planted(rng, 0), planted(rng, 1)
    rows = train.extremes(20)
    found = validate(fitted(rows), rows, test.extremes(20), test)
    assert found.test.value > 0.93
    assert abs(found.train.value - found.test.value) < 0.05
    assert found.auc.value > 0.98
    assert found.balanced.value == pytest.approx(found.test.value, abs=0.01)
    assert found.soft_of_mobile.value > 0.9
    assert found.soft.value == pytest.approx(0.5, abs=0.1)
    assert found.control.value == pytest.approx(0.5, abs=0.1)
    assert 0 < found.test.error < 0.03
    assert (np.diff(found.curve_rows) > 0).all()
    assert found.curve[-1] == pytest.approx(found.test.value, abs=0.02)
    assert found.doubts == []


def test_more_extreme_rows_are_told_better(rng):
    train, test = planted(rng, 0, noise=1.0), planted(rng, 1, noise=1.0)
    accuracy = {}
    for percent in (10, 50):
        rows = train.extremes(percent)
        accuracy[percent] = validate(fitted(rows), rows, test.extremes(percent), permutations=2).test.value
    assert accuracy[10] > accuracy[50] + 0.08


def test_what_has_nothing_to_do_with_structure_is_doubted(rng):
    train, test = (replace(planted(rng, k), motion=rng.random(600)) for k in (0, 1))
    rows = train.extremes(20)
    found = validate(fitted(rows), rows, test.extremes(20), test)
    assert found.test.value == pytest.approx(0.5, abs=0.1)
    assert any("is not above the 0.5 of chance" in doubt for doubt in found.doubts)


def test_a_plane_that_calls_everything_soft_is_doubted(rng):
    train, test = planted(rng, 0), planted(rng, 1)
    rows = train.extremes(20)
    plane = fitted(rows)
    plane.intercept_ += 100.0
    found = validate(plane, rows, test.extremes(20), test)
    assert found.soft_of_mobile.value == 1.0  # as if it were perfect
    assert found.doubts[0] == "the plane calls 100 % of all ions soft"


def test_errors_are_those_of_particles(rng):
    """Ten rows of one structure each: as uncertain as one."""
    train, test = planted(rng, 0), planted(rng, 1, n_windows=1)
    rows, alone = train.extremes(20), test.extremes(50)
    plane = fitted(rows)
    many = Rows.join([replace(alone, at=alone.at + 10 * k, begins=alone.begins + 10 * k, ends=alone.ends + 10 * k) for k in range(10)])
    once, often = (validate(plane, rows, part, permutations=2).test.error for part in (alone, many))
    assert often == pytest.approx(once, rel=0.3)


def test_what_would_flatter_is_refused(rng):
    train = planted(rng, 0)
    rows = train.extremes(20)
    with pytest.raises(ValueError, match="found trajectory 0 in training and in test"):
        validate(fitted(rows), rows, rows)
    few = planted(rng, 0, n_ions=15).extremes(50)
    with pytest.raises(ValueError, match="expected at least 20"):
        validate(fitted(few), few, planted(rng, 1).extremes(50))
