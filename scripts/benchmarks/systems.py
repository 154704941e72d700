"""What the benchmarks run on: LGPS crystals of any size at 600 K, and untrained potentials that cost what trained ones do."""

import os
from pathlib import Path

import numpy as np
import torch
from ase import Atoms
from ase.io import read

from mlff.artefact.build import build_potential
from mlff.data.dataset import collate, graph_of
from mlff.data.frame import Frame
from mlff.engine import Committee
from mlff.model import Potential

R_MAX = {"lean": 6.5, "lean2": 5.0}  # Å, each model's own default
THERMAL = 0.12  # Å, the spread of each coordinate about its site


def lgps(n_atoms: int, seed: int = 0) -> Atoms:
    """A supercell of ordered Li10GeP2S12 (50 atoms) cut to n_atoms by leaving out its last ones, thermally displaced.

    What is left out lies in one corner: the density of all other surroundings is the crystal's.
    """
    data = os.environ.get("MLFF_DATA")
    if not data:
        raise SystemExit("MLFF_DATA is not set; it names the folder of the shared data, whose structures/ this benchmark uses")
    cell = read(Path(data) / "structures" / "LGPS_ordered.cif")
    repeat = [1, 1, 1]
    while len(cell) * np.prod(repeat) < n_atoms:
        repeat[int(np.argmin(cell.cell.lengths() * repeat))] += 1
    atoms = cell.repeat(repeat)[:n_atoms]
    atoms.positions += np.random.default_rng(seed).normal(scale=THERMAL, size=atoms.positions.shape)
    return atoms


def untrained(architecture: str, size: str, n_members: int, dtype: torch.dtype, r_max: float | None = None) -> Potential | Committee:
    """Random weights of a calibrated potential for Li, Ge, P and S, or of a committee."""
    species = ("Li", "Ge", "P", "S")
    options = {"r_max": r_max or R_MAX[architecture], "size": size}
    sample = Frame.from_atoms(lgps(100))
    members = []
    for k in range(n_members):
        torch.manual_seed(k)
        potential = build_potential({"architecture": architecture, "species": species, "options": options, "repulsion": True}).to(dtype)
        potential.calibrate(collate([graph_of(sample, species, potential.r_max)]), energy_scale=0.5)
        members.append(potential.requires_grad_(False).eval())
    return Committee(members).eval()
