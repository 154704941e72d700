"""The reference: plain autograd through each member in turn, and double backward for gradients of forces."""

import copy
import dataclasses

import torch
from torch import Tensor
from torch.func import functional_call

from mlff.engine.prediction import LossOf, changed
from mlff.engine.stack import member_state, n_members
from mlff.graph import AtomGraph, Prediction
from mlff.model.potential import Potential


class Reference:
    """Like `Engine`, for any architecture, by `Potential.forward` alone.

    Args:
        potential: of `mlff.engine.stack`; its weights may change between calls.
    """

    def __init__(self, potential: Potential):
        self.potential = potential
        self._member = copy.deepcopy(potential)  # a shape to fill with the weights of one member at a time

    def predict(self, graph: AtomGraph, compute_stress: bool = True) -> Prediction:
        """Every field with a leading member dimension; no graph of the parameters."""
        return self._each(graph, compute_stress, training=False)

    def loss(self, graph: AtomGraph, loss: LossOf, compute_stress: bool = True) -> tuple[Tensor, Prediction]:
        """The loss with its graph, and the prediction."""
        prediction = self._each(graph, compute_stress, training=True)
        return loss(prediction), changed(prediction, Tensor.detach)

    def _each(self, graph: AtomGraph, compute_stress: bool, training: bool) -> Prediction:
        self._member.train(training)
        alone = []
        for k in range(n_members(self.potential)):
            weights = {name: tensor[k] for name, tensor in self.potential.named_parameters()}
            alone.append(functional_call(self._member, member_state(self.potential, k) | weights, (graph, True, compute_stress)))
        fields = {f.name: [getattr(p, f.name) for p in alone] for f in dataclasses.fields(Prediction)}
        return Prediction(**{name: None if values[0] is None else torch.stack(values) for name, values in fields.items()})
