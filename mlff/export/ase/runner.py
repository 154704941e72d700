"""What a calculator runs: a potential in Python, or a compiled one."""

import copy
from typing import Protocol

import numpy as np
import torch
from ase.data import atomic_numbers
from torch import Tensor

from mlff.data.dataset import graph_of
from mlff.data.frame import Frame
from mlff.engine import Committee, CommitteePrediction, Reference, evaluator, stacked_of
from mlff.engine.verlet import VerletList
from mlff.graph import AtomGraph
from mlff.model.potential import Potential
from mlff.nn.slots import Neighborhood


class Neighbors(Protocol):
    """The neighbours of one set of atoms."""

    def hood(self, positions: np.ndarray, cell: np.ndarray) -> Neighborhood | AtomGraph:
        """At positions (n_atoms, 3) and cell (3, 3), Å."""


class Runner(Protocol):
    """A trained potential as a calculator runs it; `mlff.export.compiled.CompiledPotential` is one.

    r_max: Å, the model's cutoff. dtype: of the network.
    """

    species: tuple[str, ...]
    r_max: float
    n_members: int
    device: str
    dtype: str

    def neighbors(self, species: Tensor, pbc: np.ndarray, skin: float) -> Neighbors:
        """Arguments as those of `VerletList`."""

    def evaluate(self, hood: Neighborhood | AtomGraph, positions: Tensor) -> CommitteePrediction:
        """Of what `neighbors` gave at these positions, (n_atoms, 3), Å."""


class PythonRunner:
    """A potential in Python; the caller's keeps its device, dtype and gradients."""

    def __init__(self, potential: Potential | Committee, device: str, dtype: str):
        ours = copy.deepcopy(potential).to(device=device, dtype=getattr(torch, dtype)).eval().requires_grad_(False)
        self.species, self.r_max, self.device, self.dtype = ours.species, ours.r_max, device, dtype
        self.n_members = len(ours) if isinstance(ours, Committee) else 1
        self._evaluator = evaluator(stacked_of(ours), constant=True)

    def neighbors(self, species: Tensor, pbc: np.ndarray, skin: float) -> Neighbors:
        if isinstance(self._evaluator, Reference):
            return _Graphs([self.species[i] for i in species], pbc, self)
        return VerletList(species, len(self.species), pbc, self.r_max, skin=skin, device=self.device)

    def evaluate(self, hood: Neighborhood | AtomGraph, positions: Tensor) -> CommitteePrediction:
        evaluate = self._evaluator.predict if isinstance(self._evaluator, Reference) else self._evaluator.evaluate
        return CommitteePrediction.of(evaluate(hood))


class _Graphs:
    """The reference takes graphs, found at each call."""

    def __init__(self, symbols: list[str], pbc: np.ndarray, runner: PythonRunner):
        self.numbers, self.pbc, self.runner = np.array([atomic_numbers[s] for s in symbols]), pbc, runner

    def hood(self, positions: np.ndarray, cell: np.ndarray) -> AtomGraph:
        frame = Frame(self.numbers, positions, cell, self.pbc, None, None, None)
        return graph_of(frame, self.runner.species, self.runner.r_max).to(self.runner.device)
