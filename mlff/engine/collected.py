"""Forces and virials of sites from what pulls at their edges, in float64."""

from torch import Tensor

from mlff.engine.exchange import from_edges
from mlff.model.potential import virials_from_edges
from mlff.nn.native.collect import collect
from mlff.nn.native.library import library_for
from mlff.nn.slots import Neighborhood


def collected(pull: Tensor, scale: Tensor, common: Tensor | None, hood: Neighborhood, virials: bool) -> tuple[Tensor, Tensor | None]:
    """F_i = Σ_j (f_ij − f_ji), (n_members, 3, n_sites), eV/Å, and Σ_j r_ij ⊗ f_ij, (n_members, 3, 3, n_sites), eV, or None.

    Args:
        pull: ∂E/∂r of each edge in the model's units, (n_members, 3, n_slots, n_sites).
        scale: eV per unit of each member, (n_members,).
        common: eV/Å, what pulls alike for every member, (3, n_slots, n_sites); None for nothing.
    """
    library = library_for(pull)
    if library is not None:
        return collect(library, pull, scale, common, hood.reverse, hood.vectors, virials)
    total = pull.double() * scale.view(-1, 1, 1, 1)
    total = total if common is None else total + common
    forces = total.sum(-2) - from_edges(total, hood.reverse)
    return forces, virials_from_edges(total, hood) if virials else None
