"""AtomGraph and Prediction: the glossary of every field that models read and write.

| field | shape | unit, sign |
|---|---|---|
| species | (n_atoms,) int64 | index into the model's species list, not the atomic number |
| positions | (n_atoms, 3) float64 | Å |
| cell | (n_graphs, 3, 3) float64 | Å, rows are the cell vectors; zeros where not periodic |
| edge_index | (2, n_edges) int64 | row 0 the centre i, row 1 the neighbour j |
| edge_shift | (n_edges, 3) | whole cells: r_ij = r_j + edge_shift @ cell − r_i |
| frame_id | (n_graphs,) int64 | the frame's place in its data set |
| energy | (n_graphs,) float64 | reference, eV; NaN where has_energy is false |
| forces | (n_atoms, 3) float64 | reference, eV/Å; NaN where has_forces is false |
| stress | (n_graphs, 3, 3) float64 | reference, eV/Å³, tension positive; NaN where has_stress is false |
| has_energy, has_forces, has_stress | (n_graphs,) bool | which labels exist: what is missing is masked, never zero |
| batch | (n_atoms,) int64 | the graph of each atom, made when several are collated |
"""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch_geometric.data import Data


class AtomGraph(Data):
    """Atoms and their neighbours, of one frame or of several (`mlff.data.dataset.collate`)."""

    @property
    def graph_index(self) -> Tensor:
        """The graph of each atom, (n_atoms,); zeros for a single frame."""
        batch = self.batch
        return torch.zeros(len(self.species), dtype=torch.long, device=self.species.device) if batch is None else batch


@dataclass(frozen=True)
class Prediction:
    """What a potential answers; a field that was not asked for is None.

    energy: (n_graphs,) float64, eV.
    energies: (n_atoms,) float64, eV; they sum to `energy`.
    forces: (n_atoms, 3), eV/Å, −∂E/∂r.
    stress: (n_graphs, 3, 3), eV/Å³, (1/V) ∂E/∂ε, tension positive; NaN for a graph without a volume.
    """

    energy: Tensor
    energies: Tensor
    forces: Tensor | None = None
    stress: Tensor | None = None
