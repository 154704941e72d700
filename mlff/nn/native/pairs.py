"""A tapered screened Coulomb repulsion of pairs, and its derivative along each edge, only where a pair is within its range."""

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from mlff.nn.native.library import Library, address

N_TERMS = 4


class Pairs(ctypes.Structure):
    """As in interface.h."""

    _fields_ = [
        ("n_threads", ctypes.c_int32),
        ("n_species", ctypes.c_int32),
        ("n_slots", ctypes.c_int64),
        ("n_sites", ctypes.c_int64),
        *((name, ctypes.c_void_p) for name in ("sites_per_species", "slots_per_species", "strength", "length", "range")),
        ("coefficients", ctypes.c_double * N_TERMS),
        ("exponents", ctypes.c_double * N_TERMS),
    ]


@dataclass(frozen=True)
class Screened:
    """½ (q/r) Σ_c a_c exp(−b_c r/d) e(r/R) of each atom of a pair, with the taper e of `envelope`.

    strength: q of each pair of species, eV Å; length: d, Å; reach: R, Å; (n_species, n_species) float64, symmetric and contiguous.
    coefficients, exponents: a and b.
    """

    strength: Tensor
    length: Tensor
    reach: Tensor
    coefficients: Sequence[float]
    exponents: Sequence[float]


def repulsion(
    library: Library, vectors: Tensor, sites_per_species: Sequence[int], slots_per_species: Sequence[int], screened: Screened
) -> tuple[Tensor, Tensor]:
    """E_i = Σ_j of the pairs' halves, and f_ij = ∂E/∂r_ij.

    Args:
        vectors: (3, n_slots, n_sites), Å.
    Returns:
        (n_sites,) eV, and (3, n_slots, n_sites) eV/Å.
    """
    vectors = vectors.detach().contiguous()
    counts = [(ctypes.c_int64 * len(n))(*n) for n in (sites_per_species, slots_per_species)]
    energies, pull = vectors.new_empty(vectors.shape[-1]), torch.empty_like(vectors)
    pairs = describe(screened, vectors, *counts)
    library.call("repulsion", vectors.dtype, ctypes.byref(pairs), address(vectors), address(energies), address(pull))
    return energies, pull


def describe(screened: Screened, vectors: Tensor, sites_per_species: ctypes.Array, slots_per_species: ctypes.Array) -> Pairs:
    """What the kernels are told of pairs; all arguments are to outlive it."""
    return Pairs(
        torch.get_num_threads(),
        len(sites_per_species),
        *vectors.shape[1:],
        *(ctypes.addressof(n) for n in (sites_per_species, slots_per_species)),
        *(address(table) for table in (screened.strength, screened.length, screened.reach)),
        (ctypes.c_double * N_TERMS)(*screened.coefficients),
        (ctypes.c_double * N_TERMS)(*screened.exponents),
    )
