"""What a hyperplane is worth on trajectories that it has not seen, beside what chance would give."""

from dataclasses import dataclass

import numpy as np
from sklearn.base import clone
from sklearn.metrics import roc_auc_score

from mlff.analysis import Estimate
from softness.hyperplane import Hyperplane
from softness.resampling import draws
from softness.rows import Rows, Samples, expect_separate

ONE_SIDED = 0.95  # share of one class in what a plane says, from which on it says the same of everything
FEWEST_TESTED = 5  # distinct particles of a class, without which a test says nothing; and rows in a bin of the calibration
BINS = 10
SHARES = (0.1, 0.2, 0.4, 0.7, 1.0)  # of the particles, of the learning curve


@dataclass(frozen=True)
class Validation:
    """train, test: shares of rows told rightly; balanced: mean over both classes of the test; auc: of the test.

    soft_of_mobile: P(S > 0 | mobile), of the test's mobile rows. soft: P(S > 0), of all samples of the test trajectories, or of its rows
        where nothing else is given. The one says little without the other: a plane that calls everything soft has 1 and 1.
    control: balanced accuracy of planes fitted to labels that are drawn for each particle number, the same in training and test, mean
        and its standard error: 0.5, unless structures of the two sides are alike particle by particle.
    said, seen, seen_error: (k,), calibrated probability of test rows, and the share of them that is mobile. brier: mean square of the
        difference, 0.25 for one that knows nothing. Both classes weigh the same.
    loss: log loss of rows left out in the choice of C, None without; log 2 for a plane that knows nothing.
    curve_rows: (k,), training rows. curve: (k,), test accuracy with them.
    n_train, n_test: rows. n_particles: distinct ones in training.
    """

    train: Estimate
    test: Estimate
    balanced: Estimate
    auc: Estimate
    soft_of_mobile: Estimate
    soft: Estimate
    control: Estimate
    said: np.ndarray
    seen: np.ndarray
    seen_error: np.ndarray
    brier: Estimate
    loss: float | None
    curve_rows: np.ndarray
    curve: np.ndarray
    n_train: int
    n_test: int
    n_particles: int

    @property
    def doubts(self) -> list[str]:
        """Why the plane may be worth nothing, in words; none where it tells mobile from immobile."""
        found = []
        if self.soft.value > ONE_SIDED or self.soft.value < 1 - ONE_SIDED:
            word = "soft" if self.soft.value > 0.5 else "hard"
            found.append(f"the plane calls {100 * max(self.soft.value, 1 - self.soft.value):.0f} % of all ions {word}")
        if self.balanced.value - 2 * self.balanced.error <= 0.5:
            found.append(f"the balanced accuracy on the test, {self.balanced}, is not above the 0.5 of chance")
        if abs(self.control.value - 0.5) > 0.03 + 3 * self.control.error:
            found.append(f"planes fitted to permuted labels reach {self.control}, expected 0.5: structures of training and test are alike")
        if self.loss is not None and self.loss >= np.log(2):
            found.append(f"in training, rows left out have a loss of {self.loss:.2f}, not below the {np.log(2):.2f} of chance")
        return found


def validate(
    plane: Hyperplane, train: Rows, test: Rows, everyone: Samples | None = None, permutations: int = 10, seed: int = 0
) -> Validation:
    """Of a plane fitted to `train`.

    Errors are standard errors from resampling whole particles.

    Args:
        everyone: all samples of the test trajectories, of whatever motion. permutations: of the control.
    Raises:
        ValueError: a trajectory in training and in test, or a class of too few particles in either.
    """
    expect_separate(train, test)
    train.expect_many()
    test.expect_many(FEWEST_TESTED)
    rng = np.random.default_rng(seed)
    decisions = plane.decision_function(test.features)
    right = (decisions > 0) == test.mobile
    others = test if everyone is None else everyone
    fixed = clone(plane).set_params(C=plane.C_, folds=0)
    permuted = [_permuted(fixed, train, test, rng) for _ in range(permutations)]
    probability, weights = plane.predict_proba(test.features)[:, 1], 0.5 / np.where(test.mobile, test.mobile.mean(), 1 - test.mobile.mean())
    said, seen, seen_error = _reliability(probability, test.mobile, weights)
    rows, curve = _learning_curve(fixed, train, test, rng)
    return Validation(
        train=_resampled(plane.predict(train.features) == train.mobile, train.groups, rng),
        test=_resampled(right, test.groups, rng),
        balanced=_resampled(right, test.groups, rng, lambda k: _balanced(right[k], test.mobile[k])),
        auc=_resampled(right, test.groups, rng, lambda k: _auc(test.mobile[k], decisions[k])),
        soft_of_mobile=_resampled(right[test.mobile], test.groups[test.mobile], rng),
        soft=_resampled(plane.decision_function(others.features) > 0, others.groups, rng),
        control=Estimate(float(np.mean(permuted)), float(np.std(permuted, ddof=1) / np.sqrt(permutations))),
        said=said,
        seen=seen,
        seen_error=seen_error,
        brier=_resampled(weights * np.square(probability - test.mobile), test.groups, rng),
        loss=plane.losses_[plane.C_] if plane.losses_ and plane.model == "logistic" else None,
        curve_rows=rows,
        curve=curve,
        n_train=len(train),
        n_test=len(test),
        n_particles=len(np.unique(train.groups)),
    )


def _permuted(fixed: Hyperplane, train: Rows, test: Rows, rng: np.random.Generator) -> float:
    """Balanced accuracy on labels that have nothing to do with structure, but are the same for one particle number on both sides."""
    numbers, place = np.unique(np.concatenate([train.particles, test.particles]), return_inverse=True)
    label = rng.permutation(len(numbers)) % 2 == 0
    own, other = label[place.reshape(-1)[: len(train)]], label[place.reshape(-1)[len(train) :]]
    if own.all() or not own.any() or other.all() or not other.any():
        return 0.5
    said = clone(fixed).fit(train.features, own).predict(test.features).astype(bool)
    return float((said[other].mean() + (~said[~other]).mean()) / 2)


def _reliability(probability: np.ndarray, mobile: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Means of the told probability in bins, the weighted share of mobile rows, and its binomial error."""
    place = np.minimum((probability * BINS).astype(int), BINS - 1)
    total, squares = np.bincount(place, weights, BINS), np.bincount(place, weights**2, BINS)
    kept = np.bincount(place, minlength=BINS) >= FEWEST_TESTED
    said = np.bincount(place, weights * probability, BINS)[kept] / total[kept]
    seen = np.bincount(place, weights * mobile, BINS)[kept] / total[kept]
    effective = total[kept] ** 2 / squares[kept]
    return said, seen, np.sqrt(np.maximum(seen * (1 - seen), 0.25 / effective) / effective)


def _accuracy(plane: Hyperplane, test: Rows) -> float:
    return float((plane.predict(test.features) == test.mobile).mean())


def _learning_curve(fixed: Hyperplane, train: Rows, test: Rows, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Of growing numbers of whole particles; sizes at which a class is missing are left out."""
    groups = train.groups
    order, found = rng.permutation(groups.max() + 1), []
    for share in SHARES:
        chosen = np.isin(groups, order[: max(2, round(share * len(order)))])
        if 0 < train.mobile[chosen].mean() < 1:
            part = clone(fixed).fit(train.features[chosen], train.mobile[chosen])
            found.append((int(chosen.sum()), _accuracy(part, test)))
    return np.array([n for n, _ in found]), np.array([accuracy for _, accuracy in found])


def _resampled(values: np.ndarray, groups: np.ndarray, rng: np.random.Generator, statistic=None) -> Estimate:
    """The statistic of row numbers (None: the mean of the values), with its scatter over draws of as many groups."""
    of = statistic or (lambda k: values[k].mean())
    drawn = [of(rows) for rows in draws(groups, rng)]
    # where all rows are right no draw differs: half a row is what cannot be seen
    return Estimate(float(of(np.arange(len(values)))), max(float(np.nanstd(drawn, ddof=1)), 0.5 / len(values)))


def _balanced(right: np.ndarray, mobile: np.ndarray) -> float:
    """NaN where a draw holds one class alone."""
    return float((right[mobile].mean() + right[~mobile].mean()) / 2) if 0 < mobile.mean() < 1 else np.nan


def _auc(mobile: np.ndarray, decisions: np.ndarray) -> float:
    return float(roc_auc_score(mobile, decisions)) if 0 < mobile.mean() < 1 else np.nan
