"""Eight atoms of Cu3Au, whose reference is ASE's effective medium theory, and a model of them that is fitted in seconds."""

import os
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.build import bulk
from ase.calculators.emt import EMT
from ase.io import write

# a ridge regression of the last layer alone: no gradient steps
OVERRIDES = (
    "model=lean",
    "model.options.size=XS",
    "r_max=4.0",
    "uncertainty.n_members=2",
    "trainer.max_epochs=0",
    "trainer.warm_start={n_frames: 1000, n_directions: 24, ridge: 1.0e-4}",
    "trainer.accelerator=cpu",
    "data.mobile=[Cu]",
)


def crystal() -> Atoms:
    atoms = bulk("Cu", cubic=True, a=3.75)
    atoms.symbols[0] = "Au"
    return atoms.repeat([2, 1, 1])


def frames(n: int, seed: int = 0, rattles: Sequence[float] = (0.05, 0.1, 0.15)) -> list[Atoms]:
    """Strained and rattled, without labels."""
    rng, found = np.random.default_rng(seed), []
    for k in range(n):
        atoms = crystal()
        atoms.set_cell(atoms.cell.array * (1 + rng.normal(scale=0.02)), scale_atoms=True)
        atoms.positions += rng.normal(scale=rattles[k % len(rattles)], size=atoms.positions.shape)
        found.append(atoms)
    return found


def labelled(atoms: Atoms) -> Atoms:
    copy = atoms.copy()
    copy.calc = EMT()
    copy.info |= {"REF_energy": copy.get_potential_energy(), "REF_stress": copy.get_stress()}
    copy.arrays["REF_forces"] = copy.get_forces()
    copy.calc = None
    return copy


def divided(frames: Sequence[Atoms]) -> list[Atoms]:
    """Labelled, of each eight one to validate and one to test."""
    found = [labelled(atoms) for atoms in frames]
    for k, atoms in enumerate(found):
        atoms.info["split"] = {3: "val", 7: "test"}.get(k % 8, "train")
    return found


def labelled_file(path: Path, frames: Sequence[Atoms]) -> Path:
    write(path, divided(frames), format="extxyz")
    return path


def structure_file(folder: Path, name: str = "cu3au", atoms: Atoms | None = None) -> str:
    path = folder / f"{name}.xyz"
    write(path, atoms or crystal(), format="extxyz")
    return str(path)


class CountedEMT(EMT):
    """The reference as a code that takes its time; each call is a line of the file that MLFF_TEST_CALLS names."""

    def calculate(self, *args, **options) -> None:
        with open(os.environ["MLFF_TEST_CALLS"], "a") as file:
            file.write("label\n")
        time.sleep(0.3)
        super().calculate(*args, **options)
