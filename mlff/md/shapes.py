"""The mean geometry of each anion while it moves freely: what a constraint that follows holds it to."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from mlff.geometry.superposition import centred, superposition
from mlff.md.batch import Batch, Shapes


class MeanShapes:
    """Means over samples of each constrained anion, laid over its geometry at the beginning.

    Args:
        positions: (n_atoms, 3), Å, where it begins.
    """

    def __init__(self, batch: Batch, positions: Tensor):
        self._group(batch)
        start = positions.cpu().numpy()
        self._start = [start[atoms] for atoms in self._atoms]
        self.forget()

    def _group(self, batch: Batch) -> None:
        """Which atoms of the batch are which anion of which replica, by the number of atoms."""
        self._n_replicas, of_size = len(batch.replicas), defaultdict(list)
        for k, (replica, first) in enumerate(zip(batch.replicas, batch.first, strict=True)):
            for number, anion in enumerate(replica.constrained_anions):
                of_size[len(anion.atoms)].append((k, number, anion.atoms + first))
        self._whose = [[(k, number) for k, number, _ in members] for members in of_size.values()]
        self._atoms = [np.stack([atoms for _, _, atoms in members]) for members in of_size.values()]
        masses = batch.masses.cpu().numpy()
        self._masses = [masses[atoms] for atoms in self._atoms]

    def add(self, positions: Tensor) -> None:
        """One sample, (n_atoms, 3), Å."""
        at = positions.cpu().numpy()
        for atoms, masses, start, sums in zip(self._atoms, self._masses, self._start, self._sums, strict=True):
            turned, _ = superposition(at[atoms], start, masses)
            sums += centred(at[atoms], masses) @ turned.swapaxes(1, 2)
        self._count += 1

    def result(self) -> list[Shapes] | None:
        """Of each replica; None where nothing was added."""
        if self._count == 0:
            return None
        found: list[dict[int, np.ndarray]] = [{} for _ in range(self._n_replicas)]
        for whose, sums in zip(self._whose, self._sums, strict=True):
            for (k, number), own in zip(whose, sums, strict=True):
                found[k][number] = own / self._count
        return found

    def forget(self) -> None:
        """Begin anew."""
        self._sums, self._count = [np.zeros_like(geometry) for geometry in self._start], 0

    def keep(self, which: Sequence[int], batch: Batch) -> None:
        """Go on with these replicas alone, in the batch that was made of them."""
        starts, sums = (
            {whose: own for members, group in zip(self._whose, groups, strict=True) for whose, own in zip(members, group, strict=True)}
            for groups in (self._start, self._sums)
        )
        self._group(batch)
        self._start, self._sums = (
            [np.stack([of[which[k], number] for k, number in members]) for members in self._whose] for of in (starts, sums)
        )

    def state(self) -> dict[str, Tensor]:
        """All of it, by name, for `restore`."""
        both = {"start": self._start, "sums": self._sums}
        arrays = {f"shape_{name}_{i}": torch.from_numpy(array) for name, all_ in both.items() for i, array in enumerate(all_)}
        return arrays | {"shape_count": torch.tensor(self._count)}

    def restore(self, state: Mapping[str, Tensor]) -> None:
        self._start, self._sums = (
            [state[f"shape_{name}_{i}"].cpu().numpy() for i in range(len(self._atoms))] for name in ("start", "sums")
        )
        self._count = int(state["shape_count"])
