"""Every architecture of conf/model, small and busy, for the contract suite."""

from pathlib import Path

import numpy as np
import pytest
import torch
from ase import Atoms
from omegaconf import OmegaConf

from mlff.artefact.build import build_potential
from mlff.data.dataset import collate, graph_of
from mlff.model import Potential
from mlff.model.sizes import LEAN, LEAN2, Size
from tests.checks import frame_of

CONF = Path(__file__).parents[2] / "conf" / "model"
REFERENCE = {"Li": -7.25, "P": -3.5, "S": -11.0, "Ge": -4.0}
R_MAX = 4.0  # Å


def architectures() -> list[str]:
    return sorted(path.stem for path in CONF.glob("*.yaml"))


def crystal(rng: np.random.Generator, n: int = 12, pbc=True) -> Atoms:
    """A strained triclinic cell, smaller than the cutoff along one axis, of all four species, unwrapped."""
    cell = np.array([[6.6, 0.3, -0.4], [0.8, 4.6, 0.5], [-0.6, 0.4, 3.9]])
    grid = np.array([[i, j, k] for i in range(3) for j in range(2) for k in range(2)])[:n] / [3, 2, 2]
    scaled = grid + rng.normal(scale=0.03, size=(n, 3)) + rng.integers(-1, 2, size=(n, 3))
    symbols = (list(REFERENCE) * n)[:n]
    return Atoms(symbols, scaled_positions=scaled, cell=cell, pbc=pbc)


def describe(name: str, species=tuple(REFERENCE), **options) -> dict:
    cfg = OmegaConf.merge(OmegaConf.create({"r_max": R_MAX}), {"model": OmegaConf.load(CONF / f"{name}.yaml")})
    description = OmegaConf.to_container(cfg, resolve=True)["model"]
    return description | {"species": list(species), "options": description["options"] | options}


def build(name: str, species=tuple(REFERENCE), **options) -> Potential:
    """A calibrated float64 potential with random weights everywhere, so that no term is silent."""
    torch.manual_seed(1)
    potential = build_potential(describe(name, species, **options)).double()
    potential.set_reference_energies({s: REFERENCE.get(s, -1.0) for s in species})
    with torch.no_grad():
        for parameter in potential.architecture.parameters():
            parameter.add_(0.03 * torch.randn_like(parameter))
    rng = np.random.default_rng(7)
    sample = crystal(rng)
    sample.symbols = (list(species) * len(sample))[: len(sample)]
    potential.calibrate(collate([graph_of(frame_of(sample), potential.species, potential.r_max)]), energy_scale=0.05)
    return potential.eval().requires_grad_(False)


def build_committee(name: str, n_members: int = 2, **options) -> list[Potential]:
    """Members that differ in every weight of the network by about a percent."""
    members = [build(name, **options) for _ in range(n_members)]
    with torch.no_grad():
        for member in members[1:]:
            for parameter in member.architecture.parameters():
                parameter.mul_(1 + 0.01 * torch.randn_like(parameter))
    return members


def add_tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    """A size "tiny": compiling a model of size S ahead of time takes minutes."""
    for table in (LEAN, LEAN2):
        monkeypatch.setitem(table, "tiny", Size((3, 2), (4, 3), 2, (5,), n_hop=2))


def tiny_committee(name: str) -> list[Potential]:
    """What is compiled ahead of time in tests: the same members each time, so that `compiled_cache` serves them all."""
    return build_committee(name, size="tiny", n_layers=1)
