"""What a compiled model computes: plain functions of tensors whose sizes may change from call to call.

Sites are atoms sorted by species, with at least two isolated ones at the end of each species; slots are padded per neighbour
species. Sizes are told by the lengths of otherwise unused tensors, because a graph may depend on shapes but not on numbers.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from mlff.engine.collected import collected
from mlff.engine.committee import force_deviation
from mlff.engine.evaluate import energies_and_pull
from mlff.engine.torch_edges import TorchEdges
from mlff.model.potential import Potential
from mlff.nn.slots import Neighborhood, edge_differences

OUTPUTS = ("energy", "energies", "forces", "virial", "forces_std", "member_energy", "member_forces", "member_virial")


class SiteModel(nn.Module):
    """Positions of sites → everything a committee says.

    Args:
        stacked: of `mlff.engine.stack`.
    """

    def __init__(self, stacked: Potential):
        super().__init__()
        self.stacked = stacked

    def forward(
        self,
        positions: Tensor,
        offset: Tensor,
        neighbor: Tensor,
        reverse: Tensor,
        species: Tensor,
        real: Tensor,
        slots: Sequence[Tensor],
        sites: Sequence[Tensor],
    ) -> tuple[Tensor, ...]:
        """Inputs are those of `compiled_inputs`.

        Returns:
            energy, eV, (); energies, eV, (n_sites,); forces, eV/Å, (n_sites, 3); virial −V·stress, eV, (3, 3); forces_std
            √⟨‖F − ⟨F⟩‖²⟩, eV/Å, (n_sites,); then energy (n_members,), forces (n_members, n_sites, 3) and virial (n_members, 3, 3)
            of each member. The isolated sites have no energy and no force.
        """
        vectors = edge_differences(positions.mT, neighbor) + offset
        hood = neighborhood(vectors, neighbor, reverse, species, slots, sites)
        stacked = self.stacked
        edges = TorchEdges(stacked.architecture.stage, vectors.to(stacked.dtype), hood.slots_per_species)
        learned, pull = energies_and_pull(stacked.architecture, edges, hood)
        energies, pushed = stacked.without_repulsion(hood, learned), None
        if stacked.repulsion is not None:
            repelled, pushed = stacked.repulsion.energies_and_pull(hood)
            energies = energies + repelled
        energies = energies * real
        forces, outer = collected(pull, stacked.energy_scale, pushed, hood, virials=True)
        forces, virial = forces.mT, -outer.sum(-1)
        virial = 0.5 * (virial + virial.mT)
        each = energies.sum(-1)
        return each.mean(0), energies.mean(0), forces.mean(0), virial.mean(0), force_deviation(forces), each, forces, virial


def neighborhood(
    vectors: Tensor, neighbor: Tensor, reverse: Tensor, species: Tensor, slots: Sequence[Tensor], sites: Sequence[Tensor]
) -> Neighborhood:
    """The part of a neighbourhood that a model looks at; every site counts as an atom."""
    hood = Neighborhood(
        species=species,
        sites_per_species=tuple(len_of(block) for block in sites),
        site_of_atom=torch.arange(len_of(species), device=species.device),
        vectors=vectors,
        neighbor=neighbor,
        shift=neighbor,
        filled=neighbor,
        slots_per_species=tuple(len_of(block) for block in slots),
        graph_index=species,
        cell=vectors,
    )
    vars(hood)["reverse"] = reverse
    return hood


def len_of(block: Tensor) -> int:
    """A size that stays symbolic while it is traced, which `len` does not."""
    return block.shape[0]


def compiled_inputs(hood: Neighborhood, positions: Tensor) -> tuple:
    """The arguments of `SiteModel.forward` for atoms at positions (n_atoms, 3), Å.

    Args:
        hood: with two isolated sites and two slots at least per species (`VerletList(…, least=2)`).
    """
    sites = hood.at_sites(positions.T.double())
    offset = hood.vectors - edge_differences(sites, hood.neighbor)
    real = hood.at_sites(torch.ones(1, len(positions), dtype=torch.float64, device=positions.device))[0]
    sizes = [[torch.empty(n, device=positions.device) for n in lengths] for lengths in (hood.slots_per_species, hood.sites_per_species)]
    return sites.T.contiguous(), offset, hood.neighbor, hood.reverse, hood.species, real, *sizes
