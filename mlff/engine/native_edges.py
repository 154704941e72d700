"""The edge stage of the engine by the compiled kernels of `mlff.nn.native`; a drop-in for `TorchEdges` on the CPU."""

from collections.abc import Sequence

import torch
from torch import Tensor

from mlff.nn.edge_stage import EdgeStage
from mlff.nn.native.edges import EdgeKernels, Shells
from mlff.nn.native.library import Library


class NativeEdges:
    """The edges of one batch: densities, their gradients back to the edges, and their rates.

    Arguments and shapes as in `TorchEdges`; basis functions are computed again in each kernel, which is cheaper than memory.
    """

    def __init__(self, library: Library, stage: EdgeStage, vectors: Tensor, slots_per_species: Sequence[int]):
        self.kernels = EdgeKernels(library, stage, vectors.detach(), slots_per_species)

    def densities(self) -> Shells:
        """A of each l, (n_species · K_l, 2l+1, n_sites)."""
        return self.kernels.densities()

    def hop(self, weights: Tensor) -> Shells:
        """A2 = Σ_j h_j φ of each l, differentiable with respect to h."""
        return list(_Hop.apply(self.kernels, weights))

    def into_weights(self, weights: Tensor, gradients: Shells) -> Tensor:
        """∂E/∂h of each edge from ∂E/∂A2."""
        return self.kernels.into_weights(gradients, weights.shape[1])

    def pull(self, gradients: Shells, weights: Tensor | None = None, into_hop: Shells | None = None) -> Tensor:
        """∂E/∂r of each edge from ∂E/∂A and, where there is a hop, h and ∂E/∂A2."""
        return self.kernels.pull(gradients, weights, into_hop)

    def moving(self, velocities: Tensor) -> "NativeMovingEdges":
        """The edges as they move with ṙ (n_members, 3, n_slots, n_sites)."""
        return NativeMovingEdges(self.kernels, velocities.detach())


class NativeMovingEdges:
    """Rates of the densities of `NativeEdges`, in one direction for each member."""

    def __init__(self, kernels: EdgeKernels, velocities: Tensor):
        self.kernels, self.velocities = kernels, velocities

    def densities(self) -> Shells:
        """Ȧ of each l, (n_members, n_species · K_l, 2l+1, n_sites)."""
        return self.kernels.density_rates(self.velocities)

    def hop(self, weights: Tensor, weight_rates: Tensor) -> tuple[Shells, Shells]:
        """A2 and Ȧ2 = Σ_j (ḣ_j φ + h_j φ̇), differentiable with respect to h and ḣ."""
        both = _MovingHop.apply(self.kernels, self.velocities, weights, weight_rates)
        return list(both[: len(both) // 2]), list(both[len(both) // 2 :])


class _Hop(torch.autograd.Function):
    @staticmethod
    def forward(ctx, kernels: EdgeKernels, weights: Tensor) -> tuple[Tensor, ...]:
        ctx.kernels, ctx.n_hop = kernels, weights.shape[1]
        return tuple(kernels.hop(weights))

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, *gradients: Tensor) -> tuple[None, Tensor]:
        return None, ctx.kernels.into_weights(list(gradients), ctx.n_hop)


class _MovingHop(torch.autograd.Function):
    @staticmethod
    def forward(ctx, kernels: EdgeKernels, velocities: Tensor, weights: Tensor, weight_rates: Tensor) -> tuple[Tensor, ...]:
        ctx.kernels, ctx.velocities, ctx.n_hop = kernels, velocities, weights.shape[1]
        still, moving = kernels.moving_hop(velocities, weights, weight_rates)
        return (*still, *moving)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, *gradients: Tensor) -> tuple[None, None, Tensor, Tensor]:
        half = len(gradients) // 2
        of_still, of_moving = list(gradients[:half]), list(gradients[half:])
        return None, None, *ctx.kernels.moving_hop_backward(ctx.velocities, of_still, of_moving, ctx.n_hop)
