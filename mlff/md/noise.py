"""Random numbers of replicas: each has its own stream, so that a trajectory does not depend on what runs beside it."""

import hashlib
from collections.abc import Sequence

import torch
from torch import Tensor


class Noise:
    """Standard normal numbers for replicas with `sizes` atoms each.

    Args:
        seeds: (seed, name) of each replica; its stream follows from these two alone.
    """

    def __init__(self, seeds: Sequence[tuple[int, str]], sizes: Sequence[int], device="cpu"):
        self.sizes, self.device = list(sizes), device
        self._streams = [torch.Generator(device).manual_seed(_seed(*seed)) for seed in seeds]

    def of_atoms(self) -> Tensor:
        """(n_atoms, 3), float64."""
        out = torch.empty(sum(self.sizes), 3, dtype=torch.float64, device=self.device)
        for part, stream in zip(out.split(self.sizes), self._streams, strict=True):
            part.normal_(generator=stream)
        return out

    def of_replicas(self) -> Tensor:
        """One for each replica, (n_replicas,)."""
        return torch.cat([torch.randn(1, generator=g, dtype=torch.float64, device=self.device) for g in self._streams])

    def chi_square(self, n_dof: Sequence[int]) -> Tensor:
        """Sums of n_dof squares, (n_replicas,): added up one by one, because no generator can be given to torch's own."""
        squares = [
            torch.randn(max(n, 1), generator=g, dtype=torch.float64, device=self.device).square().sum() * (n > 0)
            for n, g in zip(n_dof, self._streams, strict=True)
        ]
        return torch.stack(squares)

    def state(self) -> list[Tensor]:
        """Of each stream, bytes."""
        return [stream.get_state() for stream in self._streams]

    def restore(self, states: Sequence[Tensor]) -> None:
        for stream, state in zip(self._streams, states, strict=True):
            stream.set_state(state)

    def keep(self, which: Sequence[int]) -> None:
        """Go on with these replicas alone."""
        self.sizes = [self.sizes[k] for k in which]
        self._streams = [self._streams[k] for k in which]


def _seed(seed: int, name: str) -> int:
    # hashed, because torch's generator on a CPU takes the lower 32 bits of a seed alone
    return int.from_bytes(hashlib.sha256(f"{seed} {name}".encode()).digest()[:8], "little")
