"""What a stack of potentials predicts, member by member, and the gradient of a loss on it."""

import torch
from torch import Tensor

from mlff.engine.by_stages import evaluated_by_stages
from mlff.engine.by_tiles import can_evaluate, evaluated_by_tiles, kernel_model
from mlff.engine.choice import edges_of
from mlff.engine.gradient import energy_rates
from mlff.engine.prediction import LossOf, changed
from mlff.graph import AtomGraph, Prediction
from mlff.model.potential import Potential, stress_from_virials
from mlff.nn.native.evaluation import Model, Workspace
from mlff.nn.slots import Neighborhood, edge_differences


class Engine:
    """Predictions of all members of a stack at once; every field has a leading member dimension.

    Args:
        potential: of `mlff.engine.stack`.
        constant: whether its weights stay as they are, so that kernels need them packed but once.
    """

    def __init__(self, potential: Potential, constant: bool = False):
        self.potential, self._workspace, self._constant = potential, Workspace(), constant
        self._packed: Model | None = None

    def predict(self, graph: AtomGraph, compute_stress: bool = True) -> Prediction:
        """energy (n_members, n_graphs), energies (n_members, n_atoms), forces (n_members, n_atoms, 3) and stress
        (n_members, n_graphs, 3, 3); no graph of the parameters."""
        return self.evaluate(self.potential.neighborhood(graph), compute_stress)

    @torch.no_grad()
    def evaluate(self, hood: Neighborhood, compute_stress: bool = True) -> Prediction:
        """As `predict`, of edges that are known already."""
        potential = self.potential
        if can_evaluate(potential, hood):
            if self._packed is None or not self._constant:
                self._packed = kernel_model(potential)
            found = evaluated_by_tiles(self._packed, hood, compute_stress, self._workspace)
        else:
            found = evaluated_by_stages(potential, hood, compute_stress)
        energies = potential.without_repulsion(hood, found.energies)
        if found.repelled is not None:
            energies = energies + hood.of_atoms(found.repelled)
        energy = energies.new_zeros(len(energies), hood.n_graphs).index_add(1, hood.graph_index, energies)
        stress = stress_from_virials(found.virials, hood.cell) if compute_stress else None
        return Prediction(energy=energy, energies=energies, forces=found.forces, stress=stress)

    def loss(self, graph: AtomGraph, loss: LossOf, compute_stress: bool = True) -> tuple[Tensor, Prediction]:
        """The loss, whose `backward` gives the exact gradient of every member's weights, and the prediction.

        Args:
            loss: of a prediction as `predict` gives it, a scalar; members must not mix in it.
        """
        hood = self.potential.neighborhood(graph)
        prediction = self.evaluate(hood, compute_stress)
        leaves = [t.requires_grad_() for t in (prediction.energy, prediction.forces, prediction.stress) if t is not None]
        value = loss(prediction)
        into = torch.autograd.grad(value, leaves, allow_unused=True, materialize_grads=True)
        surrogate = self._surrogate(hood, *into)
        # the loss's value with the surrogate's gradient
        return value.detach() + (surrogate - surrogate.detach()), changed(prediction, Tensor.detach)

    def _surrogate(self, hood: Neighborhood, into_energy: Tensor, into_forces: Tensor, into_stress: Tensor | None = None) -> Tensor:
        """e·E − D_v E + (1/V) D_W E, whose gradient is the loss's."""
        potential = self.potential
        direction = -hood.at_sites(into_forces.mT)
        velocities = edge_differences(direction, hood.neighbor) * hood.filled
        if into_stress is not None:
            volume = torch.linalg.det(hood.cell).abs()
            strain = torch.where(volume > 0, 1 / volume, torch.zeros_like(volume)).view(-1, 1, 1) * 0.5 * (into_stress + into_stress.mT)
            per_site = hood.at_sites(strain[:, hood.graph_index].permute(0, 2, 3, 1))
            velocities = velocities + torch.einsum("kabn,bsn->kasn", per_site, hood.vectors) * hood.filled
        edges = edges_of(potential.architecture.stage, hood.vectors.to(potential.dtype), hood.slots_per_species)
        learned, rates = energy_rates(potential.architecture, edges, hood, velocities.to(potential.dtype))
        scale = potential.energy_scale.unsqueeze(-1)
        per_atom = into_energy[:, hood.graph_index]
        return (per_atom * scale * hood.beyond_vacuum(learned.double())).sum() + (scale * rates.double()).sum()
