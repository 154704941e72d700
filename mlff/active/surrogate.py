"""A committee as active learning sees it: how far its members disagree about frames, and the features of their atoms."""

from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
from ase import Atoms

from mlff.artefact import Artefact, load
from mlff.data import Frame
from mlff.data.dataset import AtomBudgetSampler, FrameDataset, collate
from mlff.engine import Committee
from mlff.uncertainty import FrameDeviation, frame_deviation
from mlff.uncertainty.features import last_layer_features

BUDGET = 2048  # atoms of a batch


class Surrogate:
    """The committee of an artefact.

    Raises:
        ValueError: the artefact holds a single potential, which has no opinion of its own error.
    """

    def __init__(self, path: Path):
        self.path = Path(path)
        self.artefact: Artefact = load(self.path)
        if not isinstance(self.artefact.potential, Committee):
            raise ValueError(f"{path} holds one potential, expected a committee; train with uncertainty=committee")

    @property
    def committee(self) -> Committee:
        return self.artefact.potential

    def deviations(self, frames: Sequence[Atoms]) -> list[FrameDeviation]:
        """Of forces and virials, one for each frame."""
        return [deviation for _, deviation in self.predictions(frames)]

    def forces(self, frames: Sequence[Atoms]) -> list[np.ndarray]:
        """The members' mean for each frame, (n_atoms, 3), eV/Å."""
        return [forces for forces, _ in self.predictions(frames)]

    def predictions(self, frames: Sequence[Atoms]) -> list[tuple[np.ndarray, FrameDeviation]]:
        """Mean forces, (n_atoms, 3), eV/Å, and deviations of each frame, from one evaluation."""
        found: list[tuple[np.ndarray, FrameDeviation] | None] = [None] * len(frames)
        for batch, graph in self._batches(frames):
            prediction = self.committee(graph)
            mean = prediction.forces.double().numpy()
            forces, stress = (values.double().numpy() for values in (prediction.members.forces, prediction.members.stress))
            first = np.concatenate([[0], np.cumsum([len(frames[i]) for i in batch])])
            for k, i in enumerate(batch):
                own = slice(first[k], first[k + 1])
                virials = -stress[:, k] * frames[i].cell.volume if frames[i].pbc.all() else None
                found[i] = mean[own], frame_deviation(forces[:, own], virials=virials)
        return found

    def features(self, frames: Sequence[Atoms]) -> list[np.ndarray]:
        """Of the first member's last layer, for each frame (n_atoms, n_features)."""
        if not len(frames):
            return []
        rows, _ = last_layer_features(self._first, self._dataset(frames))
        return np.split(rows, np.cumsum([len(frame) for frame in frames])[:-1])

    def grades(self, frames: Sequence[Atoms]) -> list[np.ndarray]:
        """γ of each atom, for each frame (n_atoms,).

        Raises:
            ValueError: the artefact holds no extrapolation grade.
        """
        grade = self.artefact.grade
        if grade is None:
            raise ValueError(f"{self.path} holds no extrapolation grade; train with forces in every part of the data, or use deviations")
        return [grade(rows, np.array(frame.get_chemical_symbols())) for rows, frame in zip(self.features(frames), frames, strict=True)]

    @cached_property
    def _first(self):
        return self.artefact.members[0].eval()

    def _dataset(self, frames: Sequence[Atoms]) -> FrameDataset:
        plain = [
            Frame(atoms.numbers, atoms.positions, atoms.cell.array, atoms.pbc, None, None, None, index=k) for k, atoms in enumerate(frames)
        ]
        return FrameDataset(plain, self.committee.species, self.committee.r_max, keep=False)

    def _batches(self, frames: Sequence[Atoms]) -> Iterator[tuple[list[int], object]]:
        if not len(frames):
            return
        data = self._dataset(frames)
        for batch in AtomBudgetSampler(data.n_atoms(), max_atoms=BUDGET, max_frames=32, shuffle=False).batches():
            yield batch, collate([data[i] for i in batch])
