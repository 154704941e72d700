"""What the tests of engines share: a model, structures that tell conventions apart, and what ASE says of them."""

import subprocess
import sys
from pathlib import Path

import numpy as np
from ase import Atoms

from mlff.artefact import save
from mlff.export.ase.engine import ASE
from mlff.export.engine import Engine
from tests.contracts.potentials import build, crystal, describe


def saved_model(folder: Path) -> Path:
    """A small float64 model of Li, P, S and Ge, as an artefact."""
    return save(folder, build("lean2", size="XS"), {"model": describe("lean2", size="XS"), "dtype": "float64"}, [])


def telling_structures(rng: np.random.Generator) -> list[Atoms]:
    """Strained triclinic cells smaller than the cutoff along one axis, unwrapped; other orders and handedness; few atoms; no cell."""
    left_handed = crystal(rng)
    left_handed.set_cell(left_handed.cell.array[[1, 0, 2]])
    without_germanium = crystal(rng)
    del without_germanium[[atom.index for atom in without_germanium if atom.symbol == "Ge"]]
    molecule = Atoms("SLi", [[0, 0, 0], [0, 1.5, 1.7]])
    return [crystal(rng), crystal(rng)[::-1], left_handed, without_germanium, crystal(rng, n=1), crystal(rng, pbc=[1, 0, 1]), molecule]


def assert_says_what_ase_says(engine: Engine, folder: Path, frames: list[Atoms], energy: float, forces: float, stress: float) -> None:
    """Tolerances: eV, eV/Å, eV/Å³."""
    told, expected = (source.answers(folder, frames) for source in (engine, ASE(dtype=engine.dtype)))
    for ours, ases in zip(told, expected, strict=True):
        np.testing.assert_allclose(ours.energy, ases.energy, rtol=0, atol=energy)
        np.testing.assert_allclose(ours.forces, ases.forces, rtol=0, atol=forces)
        assert (ours.stress is None) == (ases.stress is None)
        if ases.stress is not None:
            np.testing.assert_allclose(ours.stress, ases.stress, rtol=0, atol=stress)


def moving(rng: np.random.Generator, atoms: Atoms) -> Atoms:
    """With velocities of some 300 K, the centre of mass moving too."""
    atoms.set_velocities(0.02 * rng.normal(size=(len(atoms), 3)))
    return atoms


def run_python(folder: Path, *arguments: str) -> str:
    """What a program prints that a user starts in the folder."""
    done = subprocess.run([sys.executable, *arguments], cwd=folder, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
