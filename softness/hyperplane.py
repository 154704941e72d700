"""The plane in the space of structure functions that parts what moves from what stays, and the signed distance from it: softness."""

from collections.abc import Sequence

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import expit
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold
from sklearn.svm import LinearSVC
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

CLASSIFIERS = {
    "logistic": lambda C, balanced: LogisticRegression(C=C, class_weight="balanced" if balanced else None, max_iter=2000),
    "svm": lambda C, balanced: LinearSVC(C=C, class_weight="balanced" if balanced else None, dual=False, max_iter=5000),
}
FORMS = ("distance", "decision", "unit_variance")


class Hyperplane(ClassifierMixin, BaseEstimator):
    """Logistic regression, or a linear support vector machine, on standardised features; C by cross-validation that keeps groups together.

    Features are standardised by the rows that are fitted alone, in each fold anew; columns without variance are left alone. Classes weigh
    the same however many rows they have. The second of the sorted classes is the mobile one.

    Args:
        model: "logistic" or "svm".
        C: inverse strength of the L2 penalty; None chooses one of Cs by the mean log loss of the folds left out (hinge loss of an SVM's).
        folds: of the cross-validation; fewer where a class has fewer groups, none below two: then C is 1.
        balanced: whether both classes weigh the same.
        softness: "distance", (w·z + b)/|w|, the distance from the plane in standardised features; "decision", w·z + b; "unit_variance",
            the decision value over its standard deviation in training.
    Attributes:
        weights_, intercept_: w, (n_features,), and b, of standardised features z = (x − mean_) / scale_.
        C_: chosen. losses_: {C: mean loss of the folds}. slope_: of the calibrated probability, 1/(1 + exp(−slope_·decision)), from rows
            left out. deviation_: standard deviation of the decision value in training.
    """

    def __init__(
        self,
        model: str = "logistic",
        C: float | None = None,
        Cs: Sequence[float] = (1e-4, 1e-3, 1e-2, 1e-1, 1.0, 10.0),
        folds: int = 5,
        balanced: bool = True,
        softness: str = "distance",
    ):
        self.model, self.C, self.Cs, self.folds, self.balanced, self.softness = model, C, Cs, folds, balanced, softness

    def fit(self, X, y, groups=None):
        """Args: X: (n, n_features). y: (n,), two classes. groups: (n,), rows that are not independent, such as those of one particle.

        Raises:
            ValueError: not two classes, a setting that is none, or features that are not finite.
        """
        if self.model not in CLASSIFIERS or self.softness not in FORMS:
            raise ValueError(
                f"found model {self.model!r} and softness {self.softness!r}, expected one of {', '.join(CLASSIFIERS)} and one of "
                f"{', '.join(FORMS)}"
            )
        X, y = validate_data(self, X, y, dtype=float)
        check_classification_targets(y)
        self.classes_, y = np.unique(y, return_inverse=True)
        if len(self.classes_) != 2:
            raise ValueError(f"Only binary classification is supported: found {len(self.classes_)} class, expected two, mobile and not")
        splits = self._splits(y, groups)
        self.losses_ = {}
        candidates = [float(C) for C in (self.Cs if self.C is None else [self.C])]
        held_out = {}
        for C in candidates if splits else ():
            held_out[C] = np.concatenate([self._decision(X[test], *self._plane(X[train], y[train], C)) for train, test in splits])
            self.losses_[C] = float(np.average(self._loss(held_out[C], y_out := y[_tests(splits)]), weights=_weights(y_out, self.balanced)))
        # of equal losses the stronger penalty
        self.C_ = min(self.losses_, key=lambda C: (self.losses_[C], C)) if splits else (1.0 if self.C is None else float(self.C))
        self.weights_, self.intercept_, self.mean_, self.scale_ = self._plane(X, y, self.C_)
        decisions = self._decision(X, self.weights_, self.intercept_, self.mean_, self.scale_)
        self.deviation_ = float(decisions.std()) or 1.0
        out, y_out = (held_out[self.C_], y[_tests(splits)]) if splits else (decisions, y)
        self.slope_ = _slope(out, y_out, _weights(y_out, self.balanced))
        return self

    def decision_function(self, X) -> np.ndarray:
        """w·z + b, (n,)."""
        check_is_fitted(self)
        X = validate_data(self, X, dtype=float, reset=False)
        return self._decision(X, self.weights_, self.intercept_, self.mean_, self.scale_)

    def soft(self, X) -> np.ndarray:
        """Softness, (n,), in the form of the setting; positive where the structure is like that of the mobile."""
        decisions = self.decision_function(X)
        return decisions / self._unit

    def predict(self, X) -> np.ndarray:
        decisions = self.decision_function(X)
        return self.classes_[(decisions > 0).astype(int)]

    def predict_proba(self, X) -> np.ndarray:
        """Calibrated probability of either class, (n, 2), where both were as frequent."""
        decisions = self.decision_function(X)
        mobile = expit(self.slope_ * decisions)
        return np.stack([1 - mobile, mobile], axis=1)

    @property
    def raw_plane(self) -> tuple[np.ndarray, float]:
        """v, (n_features,), and c of raw features: softness is X @ v + c."""
        check_is_fitted(self)
        v = self.weights_ / self.scale_ / self._unit
        return v, float(self.intercept_ / self._unit - v @ self.mean_)

    @property
    def _unit(self) -> float:
        norm = float(np.linalg.norm(self.weights_))
        return {"distance": norm or 1.0, "decision": 1.0, "unit_variance": self.deviation_}[self.softness]

    def _plane(self, X: np.ndarray, y: np.ndarray, C: float) -> tuple[np.ndarray, float, np.ndarray, np.ndarray]:
        """Of these rows alone: w, b, and the mean and scale of the features."""
        mean, scale = X.mean(0), X.std(0)
        scale = np.where(scale > 1e-12 * np.maximum(1.0, abs(mean)), scale, 1.0)
        fitted = CLASSIFIERS[self.model](C, self.balanced).fit((X - mean) / scale, y)
        return fitted.coef_[0], float(fitted.intercept_[0]), mean, scale

    @staticmethod
    def _decision(X: np.ndarray, w: np.ndarray, b: float, mean: np.ndarray, scale: np.ndarray) -> np.ndarray:
        return (X - mean) / scale @ w + b

    def _loss(self, decisions: np.ndarray, y: np.ndarray) -> np.ndarray:
        margin = np.where(y == 1, decisions, -decisions)
        return np.logaddexp(0, -margin) if self.model == "logistic" else np.maximum(0, 1 - margin)

    def _splits(self, y: np.ndarray, groups) -> list[tuple[np.ndarray, np.ndarray]]:
        alone = np.arange(len(y)) if groups is None else np.asarray(groups)
        n = min(self.folds, *(len(np.unique(alone[y == k])) for k in (0, 1)))
        if n < 2:
            return []
        splitter = StratifiedKFold if groups is None else StratifiedGroupKFold
        splits = splitter(n_splits=n, shuffle=True, random_state=0).split(y[:, None], y, groups)
        return [(train, test) for train, test in splits if len(test) and 0 < y[train].mean() < 1]

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        return tags


def _tests(splits: list[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    return np.concatenate([test for _, test in splits])


def _weights(y: np.ndarray, balanced: bool) -> np.ndarray:
    share = np.bincount(y, minlength=2) / len(y)
    return 0.5 / np.maximum(share, 1e-12)[y] if balanced else np.ones(len(y))


def _slope(decisions: np.ndarray, y: np.ndarray, weights: np.ndarray) -> float:
    """Of the probability that fits rows left out best (Platt, without an offset: both classes weigh the same); almost 0 where the decision
    value tells nothing of them."""
    margin = np.where(y == 1, decisions, -decisions) / (decisions.std() or 1.0)
    found = minimize_scalar(lambda slope: weights @ np.logaddexp(0, -slope * margin), bounds=(0.0, 50.0), method="bounded")
    return max(float(found.x), 1e-9) / float(decisions.std() or 1.0)
