"""An evaluation by kernels that take all members through all stages tile by tile; a drop-in for `by_stages` where they serve."""

import torch
from torch import Tensor

from mlff.engine.heads import Head, message, readout
from mlff.model.lean import Lean
from mlff.model.lean2 import Lean2
from mlff.model.potential import Potential
from mlff.nn.native.evaluation import Evaluated, Model, Network, Perceptron, Workspace, evaluate
from mlff.nn.native.library import library_for
from mlff.nn.native.mlp import can_perceive
from mlff.nn.node_block import NodeBlock
from mlff.nn.slots import Neighborhood


def can_evaluate(potential: Potential, hood: Neighborhood) -> bool:
    """Whether the kernels serve this stack and these edges."""
    model = potential.architecture
    if not isinstance(model, Lean | Lean2) or hood.vectors.dtype != torch.float64:
        return False
    n_inputs = 2 if isinstance(model, Lean2) else 1
    return can_perceive(model.readout.linear.weight, len(model.readout.hidden), n_inputs) and library_for(hood.vectors) is not None


def evaluated_by_tiles(model: Model, hood: Neighborhood, virials: bool, workspace: Workspace) -> Evaluated:
    """What `evaluated_by_stages` says of the potential that `kernel_model` made this of."""
    return evaluate(library_for(hood.vectors), model, hood, virials, workspace)


def kernel_model(potential: Potential) -> Model:
    """A stack of `lean` or `lean2` as the kernels take it."""
    model, sites = potential.architecture, [1] * len(potential.species)  # how many there are is nothing to its weights
    near, far, send = [model.scale.factors()], None, None
    if isinstance(model, Lean2):
        far, send = _network(model.hop_block, [*near, model.hop_scale.factors()]), _perceptron(message(model, sites))
    return Model(
        stage=model.stage,
        bins=model.bins,
        near=_network(model.block, near),
        readout=_perceptron(readout(model, sites)),
        far=far,
        message=send,
        scale=potential.energy_scale,
        repulsion=None if potential.repulsion is None else potential.repulsion.screened(),
    )


def _network(block: NodeBlock, factors: list[list[Tensor]]) -> Network:
    n_in = [[factor.shape[-1] for factor in of_source] for of_source in factors]
    return Network(block.sizes, n_in, block.packed(factors))


def _perceptron(head: Head) -> Perceptron:
    return Perceptron(head.sizes, [s.mean.shape[-2] for s in head.standardize], head.weights(), *head.constants())
