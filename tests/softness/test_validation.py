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
    with pytest.raises(ValueError, match="found the trajectories 0 in training and in test"):
        validate(fitted(rows), rows, rows)
    few = planted(rng, 0, n_ions=15).extremes(50)
    with pytest.raises(ValueError, match="expected at least 20"):
        validate(fitted(few), few, planted(rng, 1).extremes(50))


def test_structures_that_are_alike_particle_by_particle_are_doubted(rng):
    """The same glass under another name: labels at random, which a test on noisy copies seems to confirm."""
    train = planted(rng, 0, n_windows=1)
    train = replace(train, features=rng.normal(size=(60, 80)), motion=rng.random(60))
    copies = [replace(train, features=train.features + 0.2 * rng.normal(size=(60, 80))) for _ in range(2)]
    rows, test = copies[0].extremes(50), replace(copies[1], **{n: np.full(60, 1) for n in ("trajectories", "structures")}).extremes(50)
    found = validate(fitted(rows), rows, test)
    assert found.test.value > 0.8
    assert found.control.value > 0.8
    assert any("structures of training and test are alike" in doubt for doubt in found.doubts)
    assert any("not below the 0.69 of chance" in doubt for doubt in found.doubts)


def test_few_mobile_rows_do_not_hide_in_the_accuracy(rng):
    """A plane that says hard of everything is right in ten of eleven rows."""
    train, test = planted(rng, 0), planted(rng, 1)
    rows, unseen = train.extremes(20), test.extremes(50)
    few = np.sort(np.concatenate([np.flatnonzero(~unseen.mobile), np.flatnonzero(unseen.mobile)[:30]]))
    plane = fitted(rows)
    plane.intercept_ -= 100.0
    found = validate(plane, rows, unseen[few])
    assert found.test.value == pytest.approx(10 / 11)
    assert found.balanced.value == 0.5
    assert "the plane calls 100 % of all ions hard" in found.doubts


def test_soft_is_of_all_ions_not_of_the_rows(rng):
    train, test = planted(rng, 0), planted(rng, 1)
    rows = train.extremes(20)
    plane = fitted(rows)
    hard = test[plane.decision_function(test.features) < 0]
    assert validate(plane, rows, test.extremes(20), hard, permutations=2).soft.value == 0.0


def test_a_test_of_few_particles_says_nothing(rng):
    rows, test = planted(rng, 0).extremes(20), planted(rng, 1)
    unseen = test.extremes(20)
    few = unseen[~unseen.mobile | (unseen.particles == unseen.particles[unseen.mobile][0])]
    with pytest.raises(ValueError, match="found 1 distinct particles among"):
        validate(fitted(rows), rows, few)


def test_what_is_tested_has_no_part_in_the_plane(rng):
    """C is that of the least loss of training rows left out, whatever the test would like."""
    rows = planted(rng, 0, noise=1.5).extremes(30)
    plane = fitted(rows)
    assert plane.losses_[plane.C_] == min(plane.losses_.values())
    test = planted(rng, 1).extremes(30)
    before = plane.weights_.copy()
    validate(plane, rows, replace(test, mobile=~test.mobile), permutations=2)
    np.testing.assert_array_equal(plane.weights_, before)


def test_probabilities_of_the_test_are_told(rng):
    rows, test = planted(rng, 0, noise=1.0).extremes(30), planted(rng, 1, n_windows=40, noise=1.0).extremes(30)
    found = validate(fitted(rows), rows, test, permutations=2)
    assert abs(found.said - found.seen).max() < 0.2
    assert found.brier.value < 0.2
