"""The potential: E0, an architecture, short-range repulsion; forces and stress that follow from the energy."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from mlff.graph import AtomGraph, Prediction
from mlff.model.architecture import Architecture
from mlff.model.repulsion import ZBL
from mlff.nn.slots import Neighborhood, arrange


class Potential(nn.Module):
    """E = Σ_i (E0[z_i] + scale · architecture_i) + repulsion; F = −∂E/∂r; stress = (1/V) ∂E/∂ε.

    Positions, cells and sums are float64 whatever the architecture's own dtype.

    Args:
        architecture: energies per atom.
        reference_energies: E0 of each species, eV.
        energy_scale: eV per unit of the architecture's output.
        repulsion: whether to add the tapered ZBL repulsion.
    """

    E0: Tensor
    energy_scale: Tensor

    def __init__(
        self,
        architecture: Architecture,
        reference_energies: Mapping[str, float] | None = None,
        energy_scale: float = 1.0,
        repulsion: bool = True,
    ):
        super().__init__()
        self.architecture = architecture
        self.repulsion = ZBL(architecture.species) if repulsion else None
        self.register_buffer("E0", torch.zeros(len(architecture.species), dtype=torch.float64))
        self.register_buffer("energy_scale", torch.tensor(float(energy_scale), dtype=torch.float64))
        if reference_energies is not None:
            self.set_reference_energies(reference_energies)

    @property
    def species(self) -> tuple[str, ...]:
        return self.architecture.species

    @property
    def r_max(self) -> float:
        """Å, the cutoff a neighbour list must reach."""
        return max(self.architecture.r_max, self.repulsion.r_max if self.repulsion else 0.0)

    @property
    def dtype(self) -> torch.dtype:
        """The dtype of the architecture's weights."""
        return next(self.architecture.parameters()).dtype

    def set_reference_energies(self, energies: Mapping[str, float]) -> None:
        """E0 of each species, eV."""
        missing = [s for s in self.species if s not in energies]
        if missing:
            raise ValueError(f"reference energies name {sorted(energies)}, but the model also has {missing}; give an E0 for each species")
        self.E0.copy_(torch.tensor([energies[s] for s in self.species], dtype=torch.float64))

    def _apply(self, fn, recurse=True):
        # `.float()` and `.to(dtype)` are for the network: E0 of thousands of eV in float32 would be off by meV
        exact = {
            name: buffer for name, buffer in self.named_buffers() if buffer.dtype == torch.float64 and not name.startswith("architecture.")
        }
        super()._apply(fn, recurse)
        for name, buffer in exact.items():
            owner, _, key = name.rpartition(".")
            module = self.get_submodule(owner)
            setattr(module, key, buffer.to(getattr(module, key).device))
        return self

    def neighborhood(self, graph: AtomGraph) -> Neighborhood:
        """The graph's edges in slots, float64."""
        return arrange(graph, len(self.species), padding=self.r_max + 1)

    def forward(self, graph: AtomGraph, compute_forces: bool = True, compute_stress: bool = True) -> Prediction:
        """Predict every graph of a batch; the result keeps its autograd graph in training mode only."""
        hood = self.neighborhood(graph)
        derivatives = compute_forces or compute_stress
        with torch.set_grad_enabled(derivatives or (self.training and torch.is_grad_enabled())):
            # E depends on positions and strain through the edge vectors alone, so that ∂E/∂r_ij gives both
            hood = hood.moved(hood.vectors.detach().requires_grad_(derivatives))
            energies = self.energies(hood)
            energy = energies.new_zeros(hood.n_graphs).index_add(0, hood.graph_index, energies)
            if derivatives:
                (pull,) = torch.autograd.grad(energies.sum(), hood.vectors, create_graph=self.training, allow_unused=True)
                pull = torch.zeros_like(hood.vectors) if pull is None else pull
        forces = forces_from_edges(pull, hood) if compute_forces else None
        stress = stress_from_edges(pull, hood) if compute_stress else None
        if not self.training:
            energy, energies = energy.detach(), energies.detach()
        return Prediction(energy=energy, energies=energies, forces=forces, stress=stress)

    def energies(self, hood: Neighborhood) -> Tensor:
        """Energy per atom, eV, (n_atoms,) float64."""
        return self.total_energies(hood, self.architecture(hood.moved(hood.vectors.to(self.dtype))))

    def total_energies(self, hood: Neighborhood, learned: Tensor) -> Tensor:
        """The architecture's site energies (…, n_sites) → energies per atom with E0 and repulsion, eV, (…, n_atoms) float64."""
        energies = self.without_repulsion(hood, learned)
        return energies if self.repulsion is None else energies + hood.of_atoms(self.repulsion(hood))

    def without_repulsion(self, hood: Neighborhood, learned: Tensor) -> Tensor:
        """As `total_energies`, of E0 and the architecture alone."""
        return self.E0[..., hood.of_atoms(hood.species)] + self.energy_scale.unsqueeze(-1) * hood.beyond_vacuum(learned.double())

    @torch.no_grad()
    def calibrate(self, graph: AtomGraph, energy_scale: float) -> None:
        """Set the constants that come from the training set: the energy's unit and the architecture's norms."""
        self.energy_scale.fill_(energy_scale)
        hood = self.neighborhood(graph)
        self.architecture.calibrate(hood.moved(hood.vectors.to(self.dtype)))


def forces_from_edges(pull: Tensor, hood: Neighborhood) -> Tensor:
    """F_i = Σ_j (f_ij − f_ji) with f_ij = ∂E/∂r_ij, r_ij = r_j − r_i: (…, 3, n_slots, n_sites) → (…, n_atoms, 3).

    The reactions f_ji are gathered along the reversed edges: no atomics, and the same sums each time.
    """
    reaction = pull.flatten(-2)[..., hood.reverse.flatten()].unflatten(-1, hood.reverse.shape)
    return hood.of_atoms((pull - reaction).sum(-2)).mT


def stress_from_edges(pull: Tensor, hood: Neighborhood) -> Tensor:
    """(1/V) Σ r_ij ⊗ f_ij, (…, n_graphs, 3, 3), eV/Å³, as `stress_from_virials`."""
    return stress_from_virials(sum_of_sites(virials_from_edges(pull, hood), hood), hood.cell)


def virials_from_edges(pull: Tensor, hood: Neighborhood) -> Tensor:
    """Σ_j r_ij ⊗ f_ij of each site, (…, 3, n_slots, n_sites) → (…, 3, 3, n_sites), eV."""
    # component by component: a matrix product would go atom by atom
    return torch.stack([(component * pull).sum(-2) for component in hood.vectors.detach()], dim=-3)


def sum_of_sites(per_site: Tensor, hood: Neighborhood) -> Tensor:
    """Virials of each graph from those of its sites, (…, 3, 3, n_sites) → (…, n_graphs, 3, 3)."""
    per_atom = hood.of_atoms(per_site).movedim(-1, -3)
    return per_atom.new_zeros(*per_atom.shape[:-3], hood.n_graphs, 3, 3).index_add(-3, hood.graph_index, per_atom)


def stress_from_virials(virial: Tensor, cell: Tensor) -> Tensor:
    """(1/V) Σ r_ij ⊗ f_ij, (…, n_graphs, 3, 3), of cells (n_graphs, 3, 3); NaN where a cell has no volume.

    Symmetrised: an energy that does not change when everything turns has no antisymmetric part but rounding.
    """
    volume = torch.linalg.det(cell).abs()
    volume = torch.where(volume > 0, volume, torch.full_like(volume, torch.nan))
    return 0.5 * (virial + virial.mT) / volume.view(-1, 1, 1)
