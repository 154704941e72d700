"""The node network of a stack in one kernel: its rows, and the rates of them, with the derivatives that the engine takes.

Weights come as one row per member, in the order of `Layout` in block.h. The derivative with respect to inputs and weights is
exact and of first order, also for dual numbers: a second one is refused.
"""

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from mlff.nn.harmonics import L_MAX
from mlff.nn.native.library import address, library, library_for
from mlff.nn.self_coupling import self_coupling

MOST_PIECES = 2
LANE_BYTES = 64  # the widest of lanes.h
NO_SECOND_DERIVATIVE = "the compiled node network has first derivatives alone; set MLFF_NATIVE=0 to differentiate it twice"

Pieces = Sequence[Sequence[Tensor]]  # of the input: for each l (n_members, n_in, 2l+1, n_sites)


@dataclass(frozen=True)
class BlockSizes:
    """As those of `NodeBlock`; n_invariants of all its rows."""

    channels: tuple[int, ...]
    n_product: int
    n_layers: int
    n_gram: int
    n_invariants: int


class _Block(ctypes.Structure):
    """As in block.h."""

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
    return _Network.apply(sizes, tuple(sites_per_species), 1, weights, *_flat(pieces))[0]


def block_dual(
    sizes: BlockSizes, weights: Tensor, pieces: Pieces, rates: Pieces, sites_per_species: Sequence[int]
) -> tuple[Tensor, Tensor]:
    """`block_rows`, and how the rows change as the pieces change at `rates`."""
    return _Network.apply(sizes, tuple(sites_per_species), 2, weights, *_flat(pieces), *_flat(rates))[:2]


def _flat(pieces: Pieces) -> list[Tensor]:
    return [shell for piece in pieces for shell in piece]


class _Network(torch.autograd.Function):
    """The rows, their rates where order is 2, and the features of each layer, which the derivative needs again."""

    @staticmethod
    def forward(sizes: BlockSizes, sites: tuple[int, ...], order: int, weights: Tensor, *x: Tensor) -> tuple[Tensor, ...]:
        call = _Call(sizes, sites, order, weights, x)
        out = tuple(weights.new_empty(len(weights), sizes.n_invariants, sum(sites)) for _ in range(order))
        saved = weights.new_empty(call.n_saved)
        call.run("block", address(saved), table([*out, *[None] * (2 - order)]))
        return *out, saved

    @staticmethod
    def setup_context(ctx, inputs, output) -> None:
        ctx.sizes, ctx.sites, ctx.order, weights, *x = inputs
        ctx.mark_non_differentiable(output[-1])
        # zeros for the saved features would cost as much as they do
        ctx.set_materialize_grads(False)
        ctx.save_for_backward(weights, output[-1], *x)

    @staticmethod
    def backward(ctx, *into: Tensor | None):
        weights, saved, *x = ctx.saved_tensors
        shape = len(weights), ctx.sizes.n_invariants, sum(ctx.sites)
        into = [weights.new_zeros(shape) if g is None else g for g in into[: ctx.order]]
        wanted = ctx.needs_input_grad[3:]
        found = _Pull.apply(ctx.sizes, ctx.sites, ctx.order, wanted, weights, saved, *into, *x)
        return None, None, None, *(gradient if want else None for gradient, want in zip(found, wanted, strict=True))


class _Pull(torch.autograd.Function):
    """Gradients of the weights and of each input; an empty tensor where none is wanted."""

    @staticmethod
    def forward(
        sizes: BlockSizes, sites: tuple[int, ...], order: int, wanted: tuple[bool, ...], weights: Tensor, saved: Tensor, *into_and_x: Tensor
    ) -> tuple[Tensor, ...]:
        into, x = [g.contiguous() for g in into_and_x[:order]], into_and_x[order:]
        call = _Call(sizes, sites, order, weights, x)
        found = tuple(torch.empty(a.shape if want else 0, dtype=a.dtype) for a, want in zip((weights, *x), wanted, strict=True))
        of_weights, *of_x = [gradient if want else None for gradient, want in zip(found, wanted, strict=True)]
        call.run(
            "block_backward",
            address(saved),
            table([*into, *[None] * (2 - order)]),
            table(of_x),
            None if of_weights is None else address(of_weights),
        )
        return found

    @staticmethod
    def setup_context(ctx, inputs, output) -> None:
        pass

    @staticmethod
    def backward(ctx, *_):
        raise NotImplementedError(NO_SECOND_DERIVATIVE)


class _Call:
    """One call's arguments, kept alive as long as it lasts."""

    def __init__(self, sizes: BlockSizes, sites: tuple[int, ...], order: int, weights: Tensor, x: Sequence[Tensor]):
        n_shells = len(sizes.channels)
        n_pieces = len(x) // (order * n_shells)
        n_in = [sum(a.shape[1] for a in x[l : n_pieces * n_shells : n_shells]) for l in range(n_shells)]
        n_paths = sum(self_coupling(n_shells - 1).paths_per_l)
        of_layer = sum(c * (2 * sizes.n_product + c) for c in sizes.channels) + sizes.n_product * (sizes.channels[0] + 1 + n_paths)
        of_species = sum(c * n for c, n in zip(sizes.channels, n_in, strict=True))
        assert weights.shape[1] == len(sites) * of_species + sizes.n_layers * of_layer
        shared = [len(a) > 1 and a.stride(0) == 0 for a in x]
        self.weights = weights.contiguous()
        self.x = [(a[:1] if one else a).contiguous() for a, one in zip(x, shared, strict=True)]
        self.sites = (ctypes.c_int64 * len(sites))(*sites)
        self.block = _Block(
            l_max=n_shells - 1,
            n_threads=torch.get_num_threads(),
            n_layers=sizes.n_layers,
            n_gram=sizes.n_gram,
            n_pieces=n_pieces,
            n_species=len(sites),
            n_members=len(weights),
            n_sites=sum(sites),
            n_product=sizes.n_product,
            sites_per_species=ctypes.addressof(self.sites),
        )
        for l, n in enumerate(sizes.channels):
            self.block.channels[l] = n
        for piece in range(n_pieces):
            for l in range(n_shells):
                self.block.n_in[piece][l] = x[piece * n_shells + l].shape[1]
            for d in range(order):
                of_l = shared[(d * n_pieces + piece) * n_shells :][:n_shells]
                assert len(set(of_l)) == 1
                self.block.is_shared[d][piece] = of_l[0]
        rows = sum(n * (2 * l + 1) for l, n in enumerate(sizes.channels))
        lanes = LANE_BYTES // weights.element_size()
        self.n_saved = len(weights) * (sizes.n_layers + 1) * order * rows * sum((n + lanes - 1) // lanes for n in sites) * lanes

    def run(self, name: str, *arguments) -> None:
        library().call(name, self.weights.dtype, ctypes.byref(self.block), address(self.weights), table(self.x), *arguments)


def table(tensors: Sequence[Tensor | None]) -> ctypes.Array:
    """Addresses, null where there is no tensor."""
    return (ctypes.c_void_p * len(tensors))(*(None if a is None else address(a) for a in tensors))
