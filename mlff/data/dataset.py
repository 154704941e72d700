"""Frames as torch-geometric graphs, and batches of them by an atom budget."""

from collections.abc import Iterator, Sequence
from typing import Self

import numpy as np
import torch
from ase.data import atomic_numbers, chemical_symbols
from torch.utils.data import Dataset, Sampler

from mlff.data.frame import Frame
from mlff.geometry import neighbor_list
from mlff.graph import AtomGraph


def graph_of(
    frame: Frame, species: Sequence[str], r_max: float, frame_id: int = 0, edges: tuple[np.ndarray, np.ndarray] | None = None
) -> AtomGraph:
    """One frame as a graph with its labels.

    Args:
        species: the model's species, in its order.
        r_max: Å, at least the model's cutoff.
        edges: (edge_index, edge_shift) where they are known already, e.g. from a cache.
    Raises:
        ValueError: the frame holds a species that the model does not know.
    """
    indices = species_indices(frame.numbers, species, frame.where)
    edge_index, edge_shift = neighbor_list(frame.positions, frame.cell, frame.pbc, r_max) if edges is None else edges
    n = len(frame.numbers)
    energy = np.nan if frame.energy is None else frame.energy
    forces = np.full((n, 3), np.nan) if frame.forces is None else frame.forces
    stress = np.full((3, 3), np.nan) if frame.stress is None else frame.stress
    return AtomGraph(
        num_nodes=n,
        species=indices,
        positions=torch.from_numpy(np.array(frame.positions)),
        cell=torch.from_numpy(np.array(frame.cell)).unsqueeze(0),
        edge_index=torch.from_numpy(np.asarray(edge_index, dtype=np.int64)),
        edge_shift=torch.from_numpy(np.asarray(edge_shift, dtype=np.int32)),
        frame_id=torch.tensor([frame_id]),
        energy=torch.tensor([energy], dtype=torch.float64),
        forces=torch.from_numpy(np.array(forces, dtype=np.float64)),
        stress=torch.from_numpy(np.array(stress, dtype=np.float64)).unsqueeze(0),
        has_energy=torch.tensor([frame.energy is not None]),
        has_forces=torch.tensor([frame.forces is not None]),
        has_stress=torch.tensor([frame.stress is not None]),
    )


def species_indices(numbers: np.ndarray, species: Sequence[str], where: str) -> torch.Tensor:
    """What a model of these species calls each atom, (n_atoms,) int64.

    Args:
        numbers: atomic numbers, (n_atoms,).
        where: what the atoms are, for the message.
    Raises:
        ValueError: a species that the model does not know.
    """
    index_of = {atomic_numbers[s]: i for i, s in enumerate(species)}
    unknown = sorted({chemical_symbols[z] for z in numbers if z not in index_of})
    if unknown:
        raise ValueError(
            f"{where} holds {', '.join(unknown)}, but the model was trained on {', '.join(species)}; "
            "add the species to `data.species` and retrain, or drop the frame"
        )
    return torch.tensor([index_of[z] for z in numbers], dtype=torch.long)


class FrameDataset(Dataset):
    """Frames as graphs; the neighbours of each are found once.

    Args:
        frames: any sequence, an on-disk store too.
        species: the model's species.
        r_max: Å.
        neighbors: a table with neighbors[i] = (edge_index, edge_shift), e.g. a cache on disk; None finds them here.
        keep: whether to keep the graphs in memory once made.
    """

    def __init__(
        self,
        frames: Sequence[Frame],
        species: Sequence[str],
        r_max: float,
        neighbors=None,
        keep: bool = True,
    ):
        self.frames, self.species, self.r_max, self.neighbors = frames, tuple(species), float(r_max), neighbors
        self._kept: dict[int, AtomGraph] | None = {} if keep else None

    def __len__(self) -> int:
        return len(self.frames)

    def __getitem__(self, index: int) -> AtomGraph:
        if self._kept is not None and index in self._kept:
            return self._kept[index]
        edges = None if self.neighbors is None else self.neighbors[index]
        graph = graph_of(self.frames[index], self.species, self.r_max, frame_id=index, edges=edges)
        if self._kept is not None:
            self._kept[index] = graph
        return graph

    def n_atoms(self) -> np.ndarray:
        """Atoms of each frame, (n_frames,)."""
        return np.array([len(self.frames[i].numbers) for i in range(len(self.frames))])


def collate(graphs: Sequence[AtomGraph]) -> AtomGraph:
    """Several graphs as one; its `batch` says which graph each atom belongs to.

    As torch-geometric's own, which looks at every field of every graph anew: for small frames that took a tenth of a training step.
    """
    sizes = [len(graph.species) for graph in graphs]
    first = np.cumsum([0, *sizes[:-1]])
    joined = {name: torch.cat([graph[name] for graph in graphs]) for name, _ in graphs[0] if name not in ("edge_index", "num_nodes")}
    edge_index = torch.cat([graph.edge_index + int(n) for graph, n in zip(graphs, first, strict=True)], dim=1)
    index = torch.arange(len(graphs), device=edge_index.device).repeat_interleave(torch.tensor(sizes, device=edge_index.device))
    return AtomGraph(num_nodes=sum(sizes), edge_index=edge_index, batch=index, **joined)


class AtomBudgetSampler(Sampler[list[int]]):
    """Batches of at most `max_atoms` atoms and `max_frames` frames; a larger frame is a batch of its own.

    The order of an epoch depends on (seed, epoch) alone, so that a resumed run continues as an unbroken one would,
    and every process of a distributed run makes the same batches and takes every n-th.

    Args:
        n_atoms: of each frame.
        max_atoms, max_frames: the budget.
        shuffle: whether epochs differ.
        rank, n_ranks: this process and how many there are.
    """

    def __init__(self, n_atoms: np.ndarray, max_atoms: int, max_frames: int, shuffle: bool, seed: int = 0, rank: int = 0, n_ranks: int = 1):
        self.sizes = np.asarray(n_atoms)
        if len(self.sizes) == 0:
            raise ValueError("found no frames to batch, expected at least one; look at `data.split`: this part is empty")
        self.max_atoms, self.max_frames, self.shuffle = int(max_atoms), int(max_frames), shuffle
        self.seed, self.rank, self.n_ranks = int(seed), int(rank), int(n_ranks)
        self.epoch = 0

    @property
    def sampler(self) -> Self:
        """Itself: Lightning tells the epoch to a loader's `batch_sampler.sampler`, and to nothing else of it."""
        return self

    def set_epoch(self, epoch: int) -> None:
        """Lightning calls this before each epoch."""
        self.epoch = int(epoch)

    def batches(self) -> list[list[int]]:
        """This epoch's batches, over all ranks."""
        n = len(self.sizes)
        order = np.random.default_rng([self.seed, self.epoch]).permutation(n) if self.shuffle else np.arange(n)
        batches: list[list[int]] = []
        current: list[int] = []
        atoms = 0
        for index in order.tolist():
            if current and (atoms + self.sizes[index] > self.max_atoms or len(current) == self.max_frames):
                batches.append(current)
                current, atoms = [], 0
            current.append(index)
            atoms += int(self.sizes[index])
        batches.append(current)
        return batches

    def __iter__(self) -> Iterator[list[int]]:
        # a generator: on resuming, Lightning asks for the iterator first and tells the epoch then
        batches = self.batches()
        if self.shuffle:
            # gradients are averaged over ranks: each needs as many batches, so the first ones serve twice
            batches += batches[: -len(batches) % self.n_ranks]
        yield from batches[self.rank :: self.n_ranks]

    def __len__(self) -> int:
        n = len(self.batches())
        return -(-n // self.n_ranks) if self.shuffle else len(range(self.rank, n, self.n_ranks))
