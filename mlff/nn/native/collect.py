"""Forces and virials of sites from what pulls at their edges, summed in float64."""

import ctypes

import torch
from torch import Tensor

from mlff.nn.native.library import Library, address


class _Collect(ctypes.Structure):
    """As in collect.cpp."""

    _fields_ = [("n_threads", ctypes.c_int32), ("n_members", ctypes.c_int64), ("n_slots", ctypes.c_int64), ("n_sites", ctypes.c_int64)]


def collect(
    library: Library, pull: Tensor, scale: Tensor, common: Tensor | None, reverse: Tensor, vectors: Tensor, virials: bool
) -> tuple[Tensor, Tensor | None]:
    """F_i = Σ_j (f_ij − f_ji) and Σ_j r_ij ⊗ f_ij of each site and member, with f = scale · pull + common.

    Args:
        pull: (n_members, 3, n_slots, n_sites), in the model's dtype and units.
        scale: (n_members,) float64, eV per unit.
        common: what pulls alike for every member, (3, n_slots, n_sites) float64, eV/Å; None for nothing.
        reverse: of `Neighborhood`.
        vectors: (3, n_slots, n_sites) float64, Å.
        virials: whether they are wanted.
    Returns:
        (n_members, 3, n_sites) and (n_members, 3, 3, n_sites) or None, float64.
    """
    pull, scale, reverse, vectors = pull.contiguous(), scale.contiguous(), reverse.contiguous(), vectors.detach().contiguous()
    common = None if common is None else common.contiguous()
    n_members, _, n_slots, n_sites = pull.shape
    forces = vectors.new_empty(n_members, 3, n_sites)
    virial = vectors.new_empty(n_members, 3, 3, n_sites) if virials else None
    shape = _Collect(torch.get_num_threads(), n_members, n_slots, n_sites)
    optional = [None if t is None else address(t) for t in (common, virial)]
    library.call(
        "collect",
        pull.dtype,
        ctypes.byref(shape),
        *(address(pull), address(scale), optional[0], address(reverse), address(vectors), address(forces), optional[1]),
    )
    return forces, virial
