"""The training loss: Huber on energy per atom, forces and stress; missing labels are masked."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from mlff.graph import AtomGraph, Prediction


class Loss(nn.Module):
    """L = Σ_x w_x ⟨huber(error_x / unit_x)⟩ over x in energy per atom, force and stress components.

    huber(e) is e²/2δ below δ and |e| − δ/2 above, so that a few bad frames do not steer the fit; divided by δ, so that δ sets
    where the loss turns linear and not how much it weighs.

    Args:
        energy, forces, stress: weights w.
        delta: δ in units of each error's own unit.
        conditional: whether large reference forces weigh less: δ / (1 + |F| / unit) where the loss turns linear, same curvature.
        force_weights: of single species, by symbol; others weigh 1.
        species: the model's species.
        force_unit: eV/Å, the RMS reference force.
        stress_unit: eV/Å³, the RMS reference stress.
        energy_unit: eV/atom, what counts as much as one force unit.
    """

    def __init__(
        self,
        species: tuple[str, ...],
        force_unit: float,
        stress_unit: float,
        energy_unit: float,
        energy: float = 1.0,
        forces: float = 1.0,
        stress: float = 0.1,
        delta: float = 0.1,
        conditional: bool = False,
        force_weights: Mapping[str, float] | None = None,
    ):
        super().__init__()
        unknown = sorted(set(force_weights or {}) - set(species))
        if unknown:
            raise ValueError(f"loss.force_weights names {unknown}, but the data hold {list(species)}; correct the symbols")
        self.weights = {"energy": float(energy), "forces": float(forces), "stress": float(stress)}
        self.units = {"energy": float(energy_unit), "forces": float(force_unit), "stress": float(stress_unit)}
        self.delta, self.conditional = float(delta), bool(conditional)
        per_species = torch.tensor([(force_weights or {}).get(s, 1.0) for s in species])
        self.register_buffer("species_weight", per_species, persistent=False)

    def forward(
        self, prediction: Prediction, graph: AtomGraph, energy_factor: float = 1.0, frame_weights: Tensor | None = None
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """The loss and its parts, summed over the members of a committee where the prediction has a leading dimension for them.

        Args:
            energy_factor: multiplies the energy's weight (stage two).
            frame_weights: of each frame in each member's loss, (n_members, n_graphs); 1 by default.
        """
        n_atoms = torch.bincount(graph.graph_index, minlength=len(graph.energy))
        weights = torch.ones_like(prediction.energy) if frame_weights is None else frame_weights
        zero = prediction.energy.new_zeros(())
        parts = {"energy": zero, "forces": zero, "stress": zero}
        if self.weights["energy"] and graph.has_energy.any():
            error = ((prediction.energy - graph.energy) / n_atoms)[..., graph.has_energy] / self.units["energy"]
            weighted = weights[..., graph.has_energy] * self._huber(error, self.delta)
            parts["energy"] = energy_factor * self.weights["energy"] * weighted.mean(-1).sum()
        if self.weights["forces"] and graph.has_forces.any():
            known = graph.has_forces[graph.graph_index]
            reference = graph.forces[known]
            error = (prediction.forces[..., known, :] - reference) / self.units["forces"]
            delta = self.delta
            if self.conditional:
                delta = self.delta / (1 + reference.norm(dim=1, keepdim=True) / self.units["forces"])
            weight = self.species_weight[graph.species[known]] * weights[..., graph.graph_index[known]]
            parts["forces"] = self.weights["forces"] * (weight.unsqueeze(-1) * self._huber(error, delta)).mean((-2, -1)).sum()
        if self.weights["stress"] and graph.has_stress.any():
            error = (prediction.stress - graph.stress)[..., graph.has_stress, :, :] / self.units["stress"]
            weighted = weights[..., graph.has_stress, None, None] * self._huber(error, self.delta)
            parts["stress"] = self.weights["stress"] * weighted.mean((-3, -2, -1)).sum()
        return sum(parts.values()), parts

    def _huber(self, error: Tensor, delta: float | Tensor) -> Tensor:
        size = error.abs()
        return torch.where(size < delta, 0.5 * error.square(), delta * (size - 0.5 * delta)) / self.delta
