"""An artefact compiled ahead of time: one .pt2 file that needs neither our source nor Python."""

import json
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.utils._pytree import tree_map

from mlff.engine import CommitteePrediction, stack
from mlff.engine.verlet import VerletList
from mlff.export.compiled.aot import compile_module
from mlff.export.compiled.site_model import OUTPUTS, SiteModel, compiled_inputs
from mlff.export.compiled.stages import Far, Near, NearForces, Repelled, Whole
from mlff.graph import Prediction
from mlff.model.lean2 import Lean2
from mlff.model.potential import Potential
from mlff.nn.slots import Neighborhood

SCHEMA = 1
LEAST = 2  # sites and slots of each species: a compiled graph takes shorter dimensions for constants

_EDGES = frozenset({0, 1})
_DYNAMIC = (frozenset({0}), frozenset({1, 2}), _EDGES, _EDGES, frozenset({0}), frozenset({0}))


def compile_potential(members: tuple[Potential, ...], folder: str | os.PathLike, device: str = "cpu", dtype: str = "float32") -> Path:
    """Compile members for a device; writes <folder>/model.pt2 and <folder>/model.json.

    Args:
        members: one potential, or those of a committee.
        dtype: of the network; positions and sums are float64 in any case.
    Raises:
        FileNotFoundError: there is no C++ compiler.
    """
    stacked = _stacked(members, device, dtype)
    folder, n_species = Path(folder), len(stacked.species)
    blocks = [frozenset({0})] * n_species
    description = {
        "schema": SCHEMA,
        "species": list(stacked.species),
        "r_max": stacked.r_max,
        "n_members": len(members),
        "device": device,
        "dtype": dtype,
        "least": LEAST,
        "outputs": list(OUTPUTS),
        "torch": torch.__version__,
        "units": {"length": "Å", "energy": "eV", "force": "eV/Å", "virial": "eV, −V·stress"},
    }
    key = json.dumps(description | {"architecture": repr(stacked.architecture)})
    compile_module(SiteModel(stacked), _example(stacked, device), (*_DYNAMIC, blocks, blocks), folder / "model.pt2", key)
    (folder / "model.json").write_text(json.dumps(description, indent=2) + "\n")
    return folder / "model.pt2"


def compile_stages(members: tuple[Potential, ...], folder: str | os.PathLike, device: str = "cpu", dtype: str = "float32") -> list[Path]:
    """Compile what an engine calls that shares out space (mlff.export.compiled.stages).

    Writes, into the folder, near.pt2, far.pt2 and near_forces.pt2 of a `lean2` and whole.pt2 of a `lean`; and repelled.pt2 where there
    is a repulsion.

    Raises:
        FileNotFoundError: there is no C++ compiler.
        ValueError: the model is neither.
    """
    stacked = _stacked(members, device, dtype)
    key = f"{SCHEMA} {device} {dtype} {stacked.architecture!r}"
    return [
        compile_module(stage(stacked), inputs, dynamic, Path(folder) / f"{name}.pt2", f"{name} {key}")
        for name, (stage, inputs, dynamic) in _stages(stacked, device).items()
    ]


def is_compiled(folder: str | os.PathLike) -> bool:
    """Whether it is a folder of `compile_potential`."""
    return (Path(folder) / "model.pt2").is_file()


class CompiledPotential:
    """A compiled artefact, in Python.

    Args:
        folder: of `compile_potential`.
    Raises:
        FileNotFoundError: nothing was compiled there.
        ValueError: it was compiled by another version.
    """

    def __init__(self, folder: str | os.PathLike):
        folder = Path(folder)
        if not is_compiled(folder):
            raise FileNotFoundError(f"{folder} holds no model.pt2, expected a compiled model; make one with scripts/export_model.py")
        card = json.loads((folder / "model.json").read_text())
        if card["schema"] != SCHEMA:
            raise ValueError(f"{folder} has schema {card['schema']}, but this version of mlff reads {SCHEMA}; export the model again")
        self.species, self.r_max, self.n_members = tuple(card["species"]), float(card["r_max"]), card["n_members"]
        self.device, self.dtype = card["device"], card["dtype"]
        # without the locks of calls from several threads, which no CUDA graph can record
        self._run = torch._inductor.aoti_load_package(str(folder / "model.pt2"), run_single_threaded=self.device.startswith("cuda"))

    def neighbors(self, species: Tensor, pbc: np.ndarray, skin: float = 0.5) -> VerletList:
        """A neighbour list with the padding that compiled models want; arguments as those of `VerletList`."""
        return VerletList(species, len(self.species), pbc, self.r_max, skin=skin, device=self.device, least=LEAST)

    def run(self, inputs: Sequence) -> tuple[Tensor, ...]:
        """`mlff.export.compiled.site_model.OUTPUTS` of `compiled_inputs`."""
        return self._run(*inputs)

    def evaluate(self, hood: Neighborhood, positions: Tensor) -> CommitteePrediction:
        """Predict atoms at positions (n_atoms, 3), Å, with edges of `neighbors`."""
        out = dict(zip(OUTPUTS, self.run(compiled_inputs(hood, positions)), strict=True))
        volume = torch.linalg.det(hood.cell[0]).abs()
        volume = torch.where(volume > 0, volume, torch.nan)
        members = Prediction(
            energy=out["member_energy"].unsqueeze(1),
            energies=hood.of_atoms(out["energies"]).unsqueeze(0),
            forces=hood.of_atoms(out["member_forces"].mT).mT,
            stress=-(out["member_virial"] / volume).unsqueeze(1),
        )
        return CommitteePrediction(
            energy=out["energy"].view(1),
            energies=hood.of_atoms(out["energies"]),
            forces=hood.of_atoms(out["forces"].T).T,
            stress=-(out["virial"] / volume).unsqueeze(0),
            members=members,
        )


def _stacked(members: tuple[Potential, ...], device: str, dtype: str) -> Potential:
    return stack([member.eval() for member in members]).to(device=device, dtype=getattr(torch, dtype)).requires_grad_(False)


def _example(stacked: Potential, device: str) -> tuple:
    """Inputs that mean nothing, but whose open dimensions all differ: a tracer takes equal ones for the same."""
    sites = [5 + 2 * k for k in range(len(stacked.species))]
    slots = [6 + 2 * k for k in range(len(stacked.species))]
    n, m = sum(sites), sum(slots)
    far = torch.full((3, m, n), stacked.r_max + 1, dtype=torch.float64)
    index = torch.zeros(m, n, dtype=torch.long)
    species = torch.repeat_interleave(torch.arange(len(sites)), torch.tensor(sites))
    blocks = [[torch.empty(k) for k in lengths] for lengths in (slots, sites)]
    inputs = (torch.zeros(n, 3, dtype=torch.float64), far, index, index.clone(), species, torch.ones(n, dtype=torch.float64), *blocks)
    return tree_map(lambda tensor: tensor.to(device), inputs)


def _stages(stacked: Potential, device: str) -> dict[str, tuple]:
    """The stages of a model by name: class, an example of inputs, and their open dimensions."""
    _, vectors, neighbor, _, species, _, slots, sites = _example(stacked, device)
    edge, blocks, one = frozenset({1, 2}), [frozenset({0})] * len(stacked.species), frozenset({0})
    if isinstance(stacked.architecture, Lean2):
        # contiguous: a compiled graph takes the strides of its example
        h, rows = (tensor.contiguous() for tensor in Near(stacked)(vectors, slots, sites))
        per_site, per_edge = frozenset({2}), frozenset({2, 3})
        jobs = {
            "near": (Near, (vectors, slots, sites), (edge, blocks, blocks)),
            "far": (Far, (vectors, h[..., neighbor], rows, slots, sites), (edge, per_edge, per_site, blocks, blocks)),
            "near_forces": (NearForces, (vectors, rows, h, slots, sites), (edge, per_site, per_site, blocks, blocks)),
        }
    else:
        jobs = {"whole": (Whole, (vectors, slots, sites), (edge, blocks, blocks))}
    if stacked.repulsion is not None:
        jobs["repelled"] = (Repelled, (vectors, species, neighbor[:, 0].contiguous()), (edge, one, one))
    return jobs
