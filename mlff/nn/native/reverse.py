"""Where the reverse of each edge lies, found among the few edges of its neighbour."""

import ctypes
from collections.abc import Sequence

import torch
from torch import Tensor

from mlff.nn.native.library import Library, address


class _Reverse(ctypes.Structure):
    """As in reverse.cpp."""

    _fields_ = [*((name, ctypes.c_int64) for name in ("n_species", "n_slots", "n_sites")), ("slots_per_species", ctypes.c_void_p)]


def reverse_of(
    library: Library, species: Tensor, neighbor: Tensor, shift: Tensor, filled: Tensor, slots_per_species: Sequence[int]
) -> Tensor | None:
    """As `mlff.nn.slots.reverse_slots`; None where an edge has no reverse."""
    tensors = [tensor.contiguous() for tensor in (species, neighbor, shift, filled)]
    slots = (ctypes.c_int64 * len(slots_per_species))(*slots_per_species)
    problem = _Reverse(len(slots), *neighbor.shape, ctypes.addressof(slots))
    reverse, missing = torch.empty_like(tensors[1]), ctypes.c_int64()
    found = address(reverse), ctypes.addressof(missing)
    library.call("reverse", None, ctypes.byref(problem), *(address(tensor) for tensor in tensors), *found)
    return None if missing.value else reverse
