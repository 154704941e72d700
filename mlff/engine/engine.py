"""What a stack of potentials predicts, member by member, and the gradient of a loss on it."""

import torch
from torch import Tensor

from mlff.engine.choice import Edges, edges_of
from mlff.engine.collected import collected
from mlff.engine.evaluate import energies_and_pull
from mlff.engine.gradient import energy_rates
from mlff.engine.prediction import LossOf, changed
from mlff.graph import AtomGraph, Prediction
from mlff.model.potential import Potential, stress_from_sites
from mlff.nn.slots import Neighborhood


class Engine:
    """Predictions of all members of a stack at once; every field has a leading member dimension.

    Args:
        potential: of `mlff.engine.stack`; its weights may change between calls.
    """

    def __init__(self, potential: Potential):
        self.potential = potential

    def predict(self, graph: AtomGraph, compute_stress: bool = True) -> Prediction:
        """energy (n_members, n_graphs), energies (n_members, n_atoms), forces (n_members, n_atoms, 3) and stress
        (n_members, n_graphs, 3, 3); no graph of the parameters."""
        return self.evaluate(self.potential.neighborhood(graph), compute_stress)

    @torch.no_grad()
    def evaluate(self, hood: Neighborhood, compute_stress: bool = True) -> Prediction:
        """As `predict`, of edges that are known already."""
        potential = self.potential
        edges = self._stage(hood)
        learned, pull = energies_and_pull(potential.architecture, edges, hood)
        energies, pushed = potential.without_repulsion(hood, learned), None
        if potential.repulsion is not None:
            repelled, pushed = potential.repulsion.energies_and_pull(hood)
            energies = energies + hood.of_atoms(repelled)
        energy = energies.new_zeros(len(energies), hood.n_graphs).index_add(1, hood.graph_index, energies)
        forces, virial = collected(pull, potential.energy_scale, pushed, hood, compute_stress)
        stress = stress_from_sites(virial, hood) if compute_stress else None
        return Prediction(energy=energy, energies=energies, forces=hood.of_atoms(forces).mT, stress=stress)

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

    def _stage(self, hood: Neighborhood) -> Edges:
        return edges_of(self.potential.architecture.stage, hood.vectors.to(self.potential.dtype), hood.slots_per_species)

    def _surrogate(self, hood: Neighborhood, into_energy: Tensor, into_forces: Tensor, into_stress: Tensor | None = None) -> Tensor:
        """e·E − D_v E + (1/V) D_W E, whose gradient is the loss's."""
        potential = self.potential
        direction = -hood.at_sites(into_forces.mT)
        velocities = (direction[..., hood.neighbor] - direction.unsqueeze(-2)) * hood.filled
        if into_stress is not None:
            volume = torch.linalg.det(hood.cell).abs()
            strain = torch.where(volume > 0, 1 / volume, torch.zeros_like(volume)).view(-1, 1, 1) * 0.5 * (into_stress + into_stress.mT)
            per_site = hood.at_sites(strain[:, hood.graph_index].permute(0, 2, 3, 1))
            velocities = velocities + torch.einsum("kabn,bsn->kasn", per_site, hood.vectors) * hood.filled
        learned, rates = energy_rates(potential.architecture, self._stage(hood), hood, velocities.to(potential.dtype))
        scale = potential.energy_scale.unsqueeze(-1)
        per_atom = into_energy[:, hood.graph_index]
        return (per_atom * scale * hood.beyond_vacuum(learned.double())).sum() + (scale * rates.double()).sum()
