"""What reads the rows of a stack: the readout of its energies, and lean2's message."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from mlff.engine.derivatives import jvp
from mlff.model.invariant_model import InvariantModel
from mlff.model.lean2 import Lean2
from mlff.nn.native.mlp import MlpSizes, can_perceive, mlp, mlp_dual
from mlff.nn.readout import Standardize

Dual = tuple[Tensor, Tensor]  # a value and its rate


@dataclass(frozen=True)
class Head:
    """A perceptron of rows that are not standardised yet, and may come in pieces, each (n_members, n_in, n_sites).

    standardize: of each piece.
    layers: the perceptron of the standardised rows in tensor operations.
    sizes, weights: the same for `mlff.nn.native.mlp`; its weights as one row for each member.
    """

    standardize: Sequence[Standardize]
    layers: Callable[[Tensor], Tensor]
    sizes: MlpSizes
    weights: Callable[[], Tensor]
    sites_per_species: tuple[int, ...]

    def __call__(self, *rows: Tensor) -> Tensor:
        """(n_members, n_out, n_sites); to be differentiated with respect to the rows alone."""
        if self._has_kernels():
            return mlp(self.sizes, self.weights().detach(), rows, *self.constants(), self.sites_per_species)
        return self.layers(torch.cat([s(x) for s, x in zip(self.standardize, rows, strict=True)], dim=-2))

    def dual(self, *rows: Dual) -> Dual:
        """The same and its rate, with the graph of the weights."""
        values, rates = zip(*rows, strict=True)
        if self._has_kernels():
            return mlp_dual(self.sizes, self.weights(), values, rates, *self.constants(), self.sites_per_species)
        x = torch.cat([s(value) for s, value in zip(self.standardize, values, strict=True)], dim=-2)
        x_rate = torch.cat([rate / s.spread for s, rate in zip(self.standardize, rates, strict=True)], dim=-2)
        return jvp(self.layers, (x,), (x_rate,))

    def _has_kernels(self) -> bool:
        return can_perceive(self.standardize[0].spread, len(self.sizes.hidden), len(self.standardize))

    def constants(self) -> tuple[Tensor, Tensor]:
        """Mean and spread of all pieces, (n_members, n_in, 1)."""
        return torch.cat([s.mean for s in self.standardize], dim=-2), torch.cat([s.spread for s in self.standardize], dim=-2)


def readout(model: InvariantModel, sites_per_species: tuple[int, ...]) -> Head:
    """Energies, (n_members, 1, n_sites)."""
    read = model.readout

    def weights() -> Tensor:
        first, *others = read.hidden
        hidden = [first.weight, *(part for layer in others for part in (layer.weight, layer.bias))]
        offset = read.species_offset.weight + first.bias.unsqueeze(-2)
        no_offset = offset.new_zeros(len(offset), 1)
        return _packed(offset, *hidden, read.last.weight, no_offset, read.linear.weight)

    standardize = [model.standardize, model.hop_standardize] if isinstance(model, Lean2) else [model.standardize]
    sizes = MlpSizes(tuple(layer.bias.shape[-1] for layer in read.hidden), 1, is_direct=True)
    return Head(standardize, lambda x: read(x, sites_per_species).unsqueeze(-2), sizes, weights, sites_per_species)


def message(model: Lean2, sites_per_species: tuple[int, ...]) -> Head:
    """h, (n_members, n_hop, n_sites)."""
    first, _, second = model.message

    def weights() -> Tensor:
        offset = first.bias.unsqueeze(-2).expand(-1, len(sites_per_species), -1)
        return _packed(offset, first.weight, second.weight, second.bias)

    sizes = MlpSizes((first.bias.shape[-1],), second.bias.shape[-1], is_direct=False)
    return Head([model.standardize], model.send, sizes, weights, sites_per_species)


def _packed(*weights: Tensor) -> Tensor:
    return torch.cat([weight.flatten(1) for weight in weights], dim=1)
