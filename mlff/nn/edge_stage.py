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
        self.sizes = [k * (2 * l + 1) for l, k in enumerate(self.n_radial)]
        self.n_features = sum(self.sizes)

    @property
    def r_max(self) -> float:
        return max(self.r_cut)

    def forward(self, vectors: Tensor) -> Tensor:
        """(3, …) edge vectors, Å → (n_features, …)."""
        r = vectors.square().sum(0).sqrt()
        directions = vectors / r
        harmonics = solid_harmonics(directions, self.l_max)
        radial: dict[float, Tensor] = {}
        for r_cut in set(self.r_cut):
            n = max(k for k, rc in zip(self.n_radial, self.r_cut, strict=True) if rc == r_cut)
            radial[r_cut] = chebyshev(r, r_cut, n)
        blocks = [
            (radial[rc][:k].unsqueeze(1) * y.unsqueeze(0)).flatten(0, 1)
            for k, rc, y in zip(self.n_radial, self.r_cut, harmonics, strict=True)
        ]
        return torch.cat(blocks)

    def split(self, features: Tensor) -> list[Tensor]:
        """(n_features, …) → one (K_l, 2l+1, …) for each l."""
        return [
            block.unflatten(0, (k, 2 * l + 1)) for l, (k, block) in enumerate(zip(self.n_radial, features.split(self.sizes), strict=True))
        ]
