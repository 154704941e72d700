"""SOAP: Adam in the eigenbasis of Shampoo's preconditioner (Vyas et al., arXiv:2409.11321)."""

from collections.abc import Iterable

import torch
from torch import Tensor

MAX_SIZE = 2000  # of a side that gets a basis of its own


class SOAP(torch.optim.Optimizer):
    """Adam run in a slowly turning basis in which the gradient's covariance is nearly diagonal.

    For a matrix G, L = ⟨G Gᵀ⟩ and R = ⟨Gᵀ G⟩ are running means; Adam acts on Q_Lᵀ G Q_R and its step is turned back.
    A tensor of more than two dimensions is seen as a matrix of its last dimension; a vector's only basis is that of its entries.

    Args:
        params: parameters or groups.
        lr: learning rate.
        betas: decay of the first and second moments.
        shampoo_beta: decay of L and R.
        eps: Adam's floor.
        weight_decay: decoupled, as AdamW's.
        precondition_every: steps between two updates of the basis.
        max_size: a side longer than this keeps the identity as its basis.
        members: whether the first dimension of every tensor counts the members of a committee, each with a basis of its own.
    """

    def __init__(
        self,
        params: Iterable,
        lr: float = 3e-3,
        betas: tuple[float, float] = (0.95, 0.95),
        shampoo_beta: float = 0.95,
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        precondition_every: int = 20,
        max_size: int = MAX_SIZE,
        members: bool = False,
    ):
        defaults = {
            "lr": lr,
            "betas": tuple(betas),
            "shampoo_beta": shampoo_beta,
            "eps": eps,
            "weight_decay": weight_decay,
            "precondition_every": precondition_every,
            "max_size": max_size,
            "members": members,
        }
        super().__init__(params, defaults)

    @torch.no_grad()
    def step(self, closure=None):
        """One update; the first only starts the preconditioner, as in the paper."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            for alike in _alike([p for p in group["params"] if p.grad is not None], group["members"]):
                self._update(alike, group)
        return loss

    def _update(self, alike: list[Tensor], group: dict) -> None:
        """Matrices of one shape are one batch; their common state hangs on the first of them.

        Both moments are kept in the basis: there the mean takes part in the step as it is.
        """
        state = self.state[alike[0]]
        g = torch.cat([_matrices(p.grad, group["members"]) for p in alike])
        if not state:
            state["step"] = 0
            state["mean"], state["square"] = torch.zeros_like(g), torch.zeros_like(g)
            for side, size in zip("LR", g.shape[1:], strict=True):
                if 1 < size <= group["max_size"]:
                    state[side] = torch.zeros(len(g), size, size, dtype=g.dtype, device=g.device)
            self._accumulate(state, g, group["shampoo_beta"])
            self._find_basis(state)
            return
        state["step"] += 1
        beta1, beta2 = group["betas"]
        turned = self._to_basis(state, g)
        state["mean"].lerp_(turned, 1 - beta1)
        state["square"].lerp_(turned.square_(), 1 - beta2)
        spread = (state["square"] / (1 - beta2 ** state["step"])).sqrt_().add_(group["eps"])
        update = self._from_basis(state, torch.div(state["mean"], spread, out=spread))
        if group["weight_decay"]:
            torch._foreach_mul_(alike, 1 - group["lr"] * group["weight_decay"])
        steps = [step.view(p.shape) for p, step in zip(alike, update.split(len(g) // len(alike)), strict=True)]
        torch._foreach_add_(alike, steps, alpha=-group["lr"] / (1 - beta1 ** state["step"]))
        self._accumulate(state, g, group["shampoo_beta"])
        if state["step"] % group["precondition_every"] == 0:
            self._turn_basis(state)

    @staticmethod
    def _accumulate(state: dict, g: Tensor, beta: float) -> None:
        for side, a, b in (("L", g, g.mT), ("R", g.mT, g)):
            if side in state:
                torch.baddbmm(state[side], a, b, beta=beta, alpha=1 - beta, out=state[side])

    @staticmethod
    def _find_basis(state: dict) -> None:
        for side in "LR":
            if side in state:
                settled = state[side] + torch.diag_embed(_ramp(state[side]))
                state[f"Q{side}"] = torch.linalg.eigh(settled)[1].flip(-1).contiguous()

    def _turn_basis(self, state: dict) -> None:
        mean = self._from_basis(state, state["mean"])
        for side in "LR":
            if side not in state:
                continue
            # one power iteration and a QR keep the basis close to the eigenvectors at a fraction of the price;
            # columns are sorted first, and the second moments with them
            q = state[f"Q{side}"]
            turned = state[side] @ q + _ramp(state[side]).unsqueeze(-1) * q
            order = (q * turned).sum(-2).argsort(dim=-1, descending=True)
            along = order.unsqueeze(-1 if side == "L" else -2)
            state["square"] = state["square"].take_along_dim(along, dim=-2 if side == "L" else -1)
            # its parts, because the whole takes twice as long for a batch on the CPU
            reflections = torch.geqrf(turned.take_along_dim(order.unsqueeze(-2), dim=-1))
            state[f"Q{side}"] = torch.linalg.householder_product(*reflections).contiguous()
        state["mean"] = self._to_basis(state, mean)

    @staticmethod
    def _to_basis(state: dict, g: Tensor) -> Tensor:
        g = state["QL"].mT @ g if "QL" in state else g
        return g @ state["QR"] if "QR" in state else g

    @staticmethod
    def _from_basis(state: dict, g: Tensor) -> Tensor:
        g = state["QL"] @ g if "QL" in state else g
        return g @ state["QR"].mT if "QR" in state else g


def _matrices(tensor: Tensor, members: bool) -> Tensor:
    """(n_members or 1, rows, columns): a vector is one row, and of more dimensions the last is the columns."""
    each = tensor if members else tensor.unsqueeze(0)
    return each.reshape(len(each), -1, each.shape[-1] if each.dim() > 1 else 1)


def _alike(parameters: list[Tensor], members: bool) -> list[list[Tensor]]:
    """Parameters by the shape of their matrices."""
    buckets: dict[tuple, list[Tensor]] = {}
    for p in parameters:
        buckets.setdefault((*_matrices(p, members).shape, p.dtype, p.device), []).append(p)
    return list(buckets.values())


def _ramp(covariance: Tensor) -> Tensor:
    """What is added to its diagonal, 1e-6 of the diagonal's mean and rising.

    A covariance of few gradients leaves the basis of its null space open. Rounding would choose it, and two trainings that
    differ in nothing else would part.
    """
    n = covariance.shape[-1]
    ramp = torch.linspace(1, 2, n, dtype=covariance.dtype, device=covariance.device)
    mean = covariance.diagonal(dim1=-2, dim2=-1).mean(-1, keepdim=True)
    return 1e-6 * mean * ramp
