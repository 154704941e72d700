"""The node network of a stack in one kernel: its rows, and the rates of them.

Weights come as one row per member, in the order of `BlockLayout` in block.h; derivatives as those of `mlff.nn.native.network`.
"""

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from mlff.nn.harmonics import L_MAX
from mlff.nn.native.library import library_for
from mlff.nn.native.network import Call, Network, vectors_of_sites
from mlff.nn.self_coupling import self_coupling

MOST_PIECES = 2

Pieces = Sequence[Sequence[Tensor]]  # of the input: for each l (n_members, n_in, 2l+1, n_sites)


@dataclass(frozen=True)
class BlockSizes:
    """As those of `NodeBlock`; n_invariants of all its rows."""

    channels: tuple[int, ...]
    n_product: int
    n_layers: int
    n_gram: int
    n_invariants: int


class Block(ctypes.Structure):
    """As in interface.h."""

    _fields_ = [
        *((name, ctypes.c_int32) for name in ("l_max", "n_threads", "n_layers", "n_gram", "n_pieces", "n_species")),
        *((name, ctypes.c_int64) for name in ("n_members", "n_sites", "n_product")),
        ("channels", ctypes.c_int64 * (L_MAX + 1)),
        ("n_in", ctypes.c_int64 * (L_MAX + 1) * MOST_PIECES),
        ("is_shared", ctypes.c_int32 * MOST_PIECES * 2),
        ("sites_per_species", ctypes.c_void_p),
    ]


def can_compute(weight: Tensor, n_pieces: int) -> bool:
    """Whether the kernels serve a block with this weight of its mixing, (n_members, n_species, n_out, n_in), on the CPU."""
    return weight.dim() == 4 and n_pieces <= MOST_PIECES and library_for(weight) is not None


def block_rows(sizes: BlockSizes, weights: Tensor, pieces: Pieces, sites_per_species: Sequence[int]) -> Tensor:
    """(n_members, n_invariants, n_sites), from weights (n_members, n_weights)."""
    return Network.apply(_Kernel(sizes, tuple(sites_per_species)), 1, weights, *_flat(pieces))[0]


def block_dual(
    sizes: BlockSizes, weights: Tensor, pieces: Pieces, rates: Pieces, sites_per_species: Sequence[int]
) -> tuple[Tensor, Tensor]:
    """`block_rows`, and how the rows change as the pieces change at `rates`."""
    return Network.apply(_Kernel(sizes, tuple(sites_per_species)), 2, weights, *_flat(pieces), *_flat(rates))


def _flat(pieces: Pieces) -> list[Tensor]:
    return [shell for piece in pieces for shell in piece]


@dataclass(frozen=True)
class _Kernel:
    sizes: BlockSizes
    sites: tuple[int, ...]

    def call(self, order: int, weights: Tensor, x: Sequence[Tensor]) -> Call:
        sizes, n_shells, n_species = self.sizes, len(self.sizes.channels), len(self.sites)
        n_pieces = len(x) // (order * n_shells)
        n_in = [[a.shape[1] for a in x[piece * n_shells :][:n_shells]] for piece in range(n_pieces)]
        assert weights.shape[1] == n_weights(sizes, n_in, n_species)
        shared = [len(a) > 1 and a.stride(0) == 0 for a in x]
        sites = (ctypes.c_int64 * n_species)(*self.sites)
        block = describe(sizes, n_in, len(weights), sites)
        for piece in range(n_pieces):
            for d in range(order):
                of_l = shared[(d * n_pieces + piece) * n_shells :][:n_shells]
                assert len(set(of_l)) == 1
                block.is_shared[d][piece] = of_l[0]
        return Call(
            name="block",
            description=block,
            constants=(),
            weights=weights.contiguous(),
            x=[(a[:1] if one else a).contiguous() for a, one in zip(x, shared, strict=True)],
            out_shape=(len(weights), sizes.n_invariants, sum(self.sites)),
            n_saved=len(weights) * order * n_saved(sizes) * vectors_of_sites(self.sites, weights.dtype),
            alive=(sites,),
        )


def describe(sizes: BlockSizes, n_in: Sequence[Sequence[int]], n_members: int, sites: ctypes.Array) -> Block:
    """What the kernels are told of a block whose input has n_in channels of each piece and l; `sites` are to outlive it."""
    block = Block(
        l_max=len(sizes.channels) - 1,
        n_threads=torch.get_num_threads(),
        n_layers=sizes.n_layers,
        n_gram=sizes.n_gram,
        n_pieces=len(n_in),
        n_species=len(sites),
        n_members=n_members,
        n_sites=sum(sites),
        n_product=sizes.n_product,
        sites_per_species=ctypes.addressof(sites),
    )
    block.channels[: len(sizes.channels)] = sizes.channels
    for piece, of_piece in enumerate(n_in):
        block.n_in[piece][: len(of_piece)] = of_piece
    return block


def n_weights(sizes: BlockSizes, n_in: Sequence[Sequence[int]], n_species: int) -> int:
    """Of one member; n_in of each piece and l."""
    channels, n_product = sizes.channels, sizes.n_product
    n_paths = sum(self_coupling(len(channels) - 1).paths_per_l)
    of_layer = sum(c * (2 * n_product + c) for c in channels) + n_product * (channels[0] + 1 + n_paths)
    of_species = sum(c * n for of_piece in n_in for c, n in zip(channels, of_piece, strict=True))
    return n_species * of_species + sizes.n_layers * of_layer


def n_saved(sizes: BlockSizes) -> int:
    """Numbers of each member and site that the derivative needs again."""
    return (sizes.n_layers + 1) * sum(n * (2 * l + 1) for l, n in enumerate(sizes.channels))
