"""Predictions of several members: every field of `Prediction` with a leading member dimension."""

import dataclasses
from collections.abc import Callable

from torch import Tensor

from mlff.graph import Prediction

LossOf = Callable[[Prediction], Tensor]  # of a prediction of all members, a scalar in which members do not mix


def changed(prediction: Prediction, change: Callable[[Tensor], Tensor]) -> Prediction:
    """Every field that there is, changed alike."""
    values = {f.name: getattr(prediction, f.name) for f in dataclasses.fields(prediction)}
    return Prediction(**{name: None if value is None else change(value) for name, value in values.items()})
