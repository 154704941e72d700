"""The edge stage: radial functions times harmonics for each edge, and nothing to learn.

Because it has no parameters, a committee shares it, training computes it once per frame, and no double backward
passes through it.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from mlff.nn.harmonics import solid_harmonics
from mlff.nn.radial import chebyshev


class EdgeStage(nn.Module):
    """φ[(l,k,m)] = b_k^l(r) Y_lm(r̂) of each edge.

    Args:
        n_radial: how many radial functions K_l each l = 0, 1, … has.
        r_cut: cutoff of each l, Å.
    Attributes:
        n_features: Σ_l K_l (2l+1); l runs slowest, then k, then m.
    """

    def __init__(self, n_radial: Sequence[int], r_cut: Sequence[float]):
        super().__init__()
        if len(n_radial) != len(r_cut):
            raise ValueError(
                f"found {len(n_radial)} entries of n_radial and {len(r_cut)} of r_cut, expected one of each per l; make them equally long"
            )
        self.n_radial, self.r_cut = tuple(int(k) for k in n_radial), tuple(float(r) for r in r_cut)
        self.l_max = len(n_radial) - 1
        self.n_features = sum(k * (2 * l + 1) for l, k in enumerate(self.n_radial))

    @property
    def r_max(self) -> float:
        return max(self.r_cut)

    def factors(self, vectors: Tensor) -> list[tuple[Tensor, Tensor]]:
        """(3, …) edge vectors, Å → for each l, b (K_l, …) and Y (2l+1, …), whose outer product is φ."""
        r = vectors.square().sum(0).sqrt()
        directions = vectors / r
        harmonics = solid_harmonics(directions, self.l_max)
        radial: dict[float, Tensor] = {}
        for r_cut in set(self.r_cut):
            n = max(k for k, rc in zip(self.n_radial, self.r_cut, strict=True) if rc == r_cut)
            radial[r_cut] = chebyshev(r, r_cut, n)
        return [(radial[rc][:k], y) for k, rc, y in zip(self.n_radial, self.r_cut, harmonics, strict=True)]

    def forward(self, vectors: Tensor) -> Tensor:
        """(3, …) edge vectors, Å → (n_features, …)."""
        return torch.cat([outer(b, y).flatten(0, 1) for b, y in self.factors(vectors)])


def outer(radial: Tensor, harmonics: Tensor) -> Tensor:
    """(K, …), (2l+1, …) → (K, 2l+1, …)."""
    return radial.unsqueeze(1) * harmonics.unsqueeze(0)
