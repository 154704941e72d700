"""The equivariant product of a set of features with itself, channel by channel."""

import torch
from torch import Tensor, nn

from mlff.nn.native.product import can_multiply, self_product
from mlff.nn.self_coupling import self_coupling
from mlff.nn.tracing import for_compiler


class SelfProduct(nn.Module):
    """P_l3[c] = Σ_{(l1,l2)} w[(l1,l2,l3), c] [B_l1[c] ⊗ B_l2[c]]_l3 over the parity-even paths.

    The 136 distinct products x_a x_b (for l ≤ 3) are formed once; every path is then one row block of a constant
    matrix, so that the whole coupling is a single matrix product. A compiler is given its non-zeros instead, 194 of
    8,024, term by term: it keeps them in registers, 5 to 20 times faster. So do the kernels of `mlff.nn.native`, which serve the
    weights of a stack, (n_members, n_paths, n_channels), on the CPU.

    Args:
        l_max: of input and output.
        n_channels: of every l.
    """

    coupling: Tensor
    first: Tensor
    second: Tensor

    def __init__(self, l_max: int, n_channels: int):
        super().__init__()
        self.l_max = l_max
        table = self_coupling(l_max)
        self.register_buffer("first", torch.from_numpy(table.first), persistent=False)
        self.register_buffer("second", torch.from_numpy(table.second), persistent=False)
        self.paths_per_l, self._exact, self._nonzeros = list(table.paths_per_l), table.matrix, table.nonzeros
        self.register_buffer("coupling", torch.tensor(self._exact, dtype=torch.get_default_dtype()), persistent=False)
        self.weight = nn.Parameter(torch.randn(sum(table.paths_per_l), n_channels))

    def _apply(self, fn, recurse=True):
        # `.double()` of rounded coefficients would break the rotation invariance of a float64 model by 1e-7
        super()._apply(fn, recurse)
        self.coupling = torch.tensor(self._exact, dtype=self.coupling.dtype, device=self.coupling.device)
        return self

    def forward(self, shells: list[Tensor]) -> list[Tensor]:
        """shells: one (…, n_channels, 2l+1, n_sites) for each l; the result is alike."""
        if can_multiply(self.weight):
            return self_product(self.weight, shells)
        x = [component for shell in shells for component in shell.unbind(-2)]
        return self._unrolled(x) if for_compiler() else self._dense(torch.stack(x))

    def _dense(self, x: Tensor) -> list[Tensor]:
        """x: (m of all l, …, n_channels, n_sites)."""
        pairs = x[self.first] * x[self.second]
        coupled = (self.coupling @ pairs.flatten(1)).view(-1, *x.shape[1:])
        sizes = [n * (2 * l + 1) for l, n in enumerate(self.paths_per_l)]
        out = []
        for l, (block, weight) in enumerate(zip(coupled.split(sizes), self.weight.split(self.paths_per_l, dim=-2), strict=True)):
            n = self.paths_per_l[l]
            out.append(torch.einsum("pm...cn,...pc->...cmn", block.unflatten(0, (n, 2 * l + 1)), weight) * n**-0.5)
        return out

    def _unrolled(self, x: list[Tensor]) -> list[Tensor]:
        weights = self.weight.unsqueeze(-1).unbind(-3)
        rows = [sum(c * (x[a] * x[b]) for a, b, c in row) for row in self._nonzeros]
        out, row, path = [], 0, 0
        for l, n in enumerate(self.paths_per_l):
            size = 2 * l + 1
            components = [sum(weights[path + p] * rows[row + p * size + m] for p in range(n)) * n**-0.5 for m in range(size)]
            out.append(torch.stack(components, dim=-2))
            row, path = row + n * size, path + n
        return out
