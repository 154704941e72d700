"""Stored outputs of the reference codes, and the numbers they were written from."""

import json
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.calculators.lj import LennardJones

from mlff.data import Frame

FILES = Path(__file__).parent / "files"


@pytest.fixture(scope="session")
def files() -> Path:
    return FILES


@pytest.fixture(scope="session")
def li2s() -> list[dict]:
    """Three frames of a sheared Li₄S₂ cell; every stored output in files/ was printed from these."""
    return json.loads((FILES / "li2s.json").read_text())


@pytest.fixture
def lj_run(rng) -> list[Frame]:
    """60 frames of a Lennard-Jones crystal of two species with exact labels; displacements forget themselves within 10 frames."""
    atoms = Atoms("Ar16Kr16", positions=np.zeros((32, 3)), cell=np.eye(3) * 2 * 5.3, pbc=True)
    sites = np.array([[0, 0, 0], [0.5, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0.5]])
    corners = np.array([[i, j, k] for i in range(2) for j in range(2) for k in range(2)])
    atoms.set_scaled_positions(((sites[None] + corners[:, None]) / 2).reshape(-1, 3))
    sites = atoms.get_positions()
    shift = rng.normal(scale=0.06, size=sites.shape)
    atoms.calc = LennardJones(sigma=3.4, epsilon=0.0104, rc=5.0, smooth=True)
    frames = []
    for index in range(60):
        atoms.positions = sites + shift
        atoms.get_stress()  # one evaluation fills energy, forces and stress
        info = {"trajectory": "run", "temperature": 300.0 if index < 30 else 600.0}
        frames.append(Frame.from_atoms(atoms, source="lj.extxyz", index=index, info=info))
        shift = 0.9 * shift + np.sqrt(1 - 0.9**2) * rng.normal(scale=0.06, size=sites.shape)
    return frames
