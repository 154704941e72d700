"""The hyperplane: a planted one is found, its forms agree, and nothing of a test reaches its training."""

from contextlib import suppress
from unittest import SkipTest

import numpy as np
import pytest
from sklearn.utils.estimator_checks import estimator_checks_generator

from softness.hyperplane import Hyperplane


def planted(rng, n=2000, n_features=12, noise=0.5):
    """Rows of features of different units whose class is the side of a plane, but for noise."""
    w = rng.normal(size=n_features)
    z = rng.normal(size=(n, n_features))
    y = z @ w / np.linalg.norm(w) + noise * rng.normal(size=n) > 0
    units, offsets = 10.0 ** rng.uniform(-3, 3, n_features), rng.normal(size=n_features) * 10
    return z * units + offsets * units, y, w / np.linalg.norm(w)


@pytest.mark.parametrize("model", ["logistic", "svm"])
def test_a_planted_plane_is_found(rng, model):
    X, y, w = planted(rng)
    plane = Hyperplane(model).fit(X, y)
    assert plane.weights_ @ w / np.linalg.norm(plane.weights_) > 0.99
    assert plane.score(X, y) == pytest.approx(1 - np.arctan(0.5) / np.pi, abs=0.03)  # what the noise leaves


@pytest.mark.parametrize("softness", ["distance", "decision", "unit_variance"])
def test_softness_from_raw_features_is_the_same(rng, softness):
    X, y, _ = planted(rng)
    plane = Hyperplane(softness=softness).fit(X, y)
    v, c = plane.raw_plane
    np.testing.assert_allclose(X @ v + c, plane.soft(X), atol=1e-10)
    assert (np.sign(plane.soft(X)) == np.sign(plane.decision_function(X))).all()


def test_softness_is_the_distance_from_the_plane(rng):
    X, y, _ = planted(rng)
    plane = Hyperplane().fit(X, y)
    z = (X - plane.mean_) / plane.scale_
    foot = z - plane.soft(X)[:, None] * plane.weights_ / np.linalg.norm(plane.weights_)
    np.testing.assert_allclose(foot @ plane.weights_ + plane.intercept_, 0, atol=1e-9)
    assert Hyperplane(softness="unit_variance").fit(X, y).soft(X).std() == pytest.approx(1.0)


def test_a_column_without_variance_is_left_alone(rng):
    X, y, _ = planted(rng)
    X[:, 3] = 7.25
    plane = Hyperplane().fit(X, y)
    assert plane.scale_[3] == 1.0
    assert np.isfinite(plane.soft(X)).all()


def test_the_scale_is_that_of_the_rows_fitted(rng):
    """Each fold has its own: a plane fitted on the others does not know the mean of those left out."""
    X, y, _ = planted(rng, 400)
    seen = []

    class Watched(Hyperplane):
        def _plane(self, X, y, C):
            found = super()._plane(X, y, C)
            seen.append((len(X), found[2], X.mean(0)))
            return found

    Watched(C=1.0, folds=4).fit(X, y)
    assert [n for n, _, _ in seen] == [300, 300, 300, 300, 400]
    for _, mean, own in seen:
        np.testing.assert_array_equal(mean, own)


def test_rows_of_one_particle_stay_together(rng):
    """Copies of a few particles with classes at random: rows apart look learnt, particles apart do not."""
    particles = rng.normal(size=(40, 60))
    groups = np.repeat(np.arange(40), 20)
    X, y = particles[groups] + 0.1 * rng.normal(size=(800, 60)), np.repeat(rng.permutation(40) % 2, 20)
    apart, together = Hyperplane(Cs=[1.0]).fit(X, y), Hyperplane(Cs=[1.0]).fit(X, y, groups)
    assert apart.losses_[1.0] < 0.1 < np.log(2) - 0.1 < together.losses_[1.0]


def test_both_classes_weigh_the_same(rng):
    X, y, _ = planted(rng, 6000, noise=1.0)
    few = np.concatenate([np.flatnonzero(y)[:150], np.flatnonzero(~y)])
    recall = [Hyperplane(C=1.0, balanced=balanced).fit(X[few], y[few]).predict(X[y]).mean() for balanced in (True, False)]
    assert recall[0] > 0.6
    assert recall[1] < 0.2  # nearly everything is called hard


def test_probabilities_are_those_of_rows_left_out(rng):
    """Many features, few rows: a plane that is surer of itself than it may be is brought back."""
    X, y, _ = planted(rng, 300, 80, noise=1.0)
    new, truth = X[200:], y[200:]
    plane = Hyperplane(C=100.0).fit(X[:200], y[:200])
    assert plane.slope_ < 0.5  # 1 as the regression itself has it
    p = plane.predict_proba(new)[:, 1]
    loss = -np.log(np.where(truth, p, 1 - p)).mean()
    itself = np.logaddexp(0, -np.where(truth, 1, -1) * plane.decision_function(new)).mean()
    assert loss < itself


def test_manners_of_an_estimator():
    checked = 0
    for estimator, check in estimator_checks_generator(Hyperplane()):
        with suppress(SkipTest):  # of arrays that are not numpy's
            check(estimator)
            checked += 1
    assert checked > 40


@pytest.mark.parametrize(
    ("settings", "y", "message"),
    [
        ({"model": "forest"}, [0, 1], "found model 'forest'"),
        ({"softness": "hard"}, [0, 1], "and softness 'hard'"),
        ({}, [1, 1], "found 1 class, expected two, mobile and not"),
    ],
)
def test_what_cannot_be_fitted_is_refused(settings, y, message):
    with pytest.raises(ValueError, match=message):
        Hyperplane(**settings).fit([[0.0], [1.0]], y)
