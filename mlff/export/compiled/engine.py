"""ASE on the compiled path as an engine."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from ase import Atoms

from mlff.artefact import load
from mlff.export.ase import MLFFCalculator
from mlff.export.ase.engine import ASE, answers_in_ase, nve_in_ase
from mlff.export.compiled.aot import PURPOSE
from mlff.export.compiled.potential import compile_potential, compile_stages
from mlff.export.engine import MODEL, Answer, Engine, copy_example, no_device
from mlff.nn.native.build import no_compiler


class Compiled(Engine):
    """A model compiled ahead of time, in `MLFFCalculator`; other programs load the same files without Python.

    Args:
        device, dtype: what it is compiled for, as `Engine`'s.
        stages: compile the stages of mlff.export.compiled.stages too, for programs that share out space.
    """

    takes_minutes = True

    def __init__(self, device: str = "cpu", dtype: str = "float32", stages: bool = False):
        super().__init__(device, dtype)
        self.stages = stages

    def missing(self) -> str | None:
        return no_compiler(PURPOSE) or no_device(self.device)

    def write(self, artefact: Path, folder: Path) -> None:
        """Compile it, which takes minutes once; the same model again comes from `mlff.cache_folder`.

        Raises:
            FileNotFoundError: there is no C++ compiler.
            ValueError: stages of a model that has none.
        """
        if why := no_device(self.device):
            raise ValueError(why)  # it is compiled there
        members = load(artefact).members
        compile_potential(members, folder / MODEL, device=self.device, dtype=self.dtype)
        if self.stages:
            compile_stages(members, folder / MODEL, device=self.device, dtype=self.dtype)
        copy_example(ASE.example, folder)

    def answers(self, folder: Path, frames: Sequence[Atoms]) -> list[Answer]:
        return answers_in_ase(MLFFCalculator.load(folder / MODEL), frames)

    def nve(self, folder: Path, atoms: Atoms, timestep: float, n_steps: int) -> np.ndarray:
        return nve_in_ase(MLFFCalculator.load(folder / MODEL), atoms, timestep, n_steps)
