"""A model in one file, as the kernels of `pair_style mlff` read it: weights in their order."""

import ctypes
import os
from pathlib import Path

import torch
from torch import Tensor

from mlff.artefact import load
from mlff.engine import stack
from mlff.engine.by_tiles import kernel_model
from mlff.export.lammps.model_file import check_architecture, common_card, save_model
from mlff.model.potential import Potential
from mlff.nn.native import block, mlp
from mlff.nn.native.evaluation import FLOATS_OF_MLP, Network, Perceptron


def write_packed(artefact: str | os.PathLike, path: Path, dtype: str = "float32") -> None:
    """Write the file.

    Args:
        artefact: folder of a `lean` or `lean2`, one potential or a committee.
        dtype: of the network, "float32" or "float64".
    Raises:
        ValueError: it is of an architecture that the kernels do not evaluate.
    """
    stacked = stack(load(artefact).members).to(getattr(torch, dtype))
    check_architecture(stacked, artefact)
    save_model(path, *_packed(stacked, dtype))


def _packed(stacked: Potential, dtype: str) -> tuple[dict, dict[str, Tensor]]:
    model, n_members, n_species = kernel_model(stacked), len(stacked.E0), len(stacked.species)
    sites = (ctypes.c_int64 * n_species)()  # how many there are the plugin will know
    card = common_card(stacked, "kernels", dtype) | {
        "edges": {"l_max": model.stage.l_max, "n_radial": list(model.stage.n_radial), "r_cut": list(model.stage.r_cut)},
        "n_saved": block.n_saved(model.near.sizes),
        "n_rows": model.near.sizes.n_invariants,
    }
    tensors = {"E0": stacked.E0, "scale": model.scale}
    if model.bins is not None:
        tensors["bins"] = model.bins.to(getattr(torch, dtype))

    def add_network(name: str, network: Network) -> None:
        card[name] = numbers(block.describe(network.sizes, network.n_in, n_members, sites))
        tensors[f"{name}.weights"] = network.weights

    def add_perceptron(name: str, head: Perceptron) -> None:
        card[name] = numbers(mlp.describe(head.sizes, head.n_in, n_members, sites))
        found = (head.weights, head.mean, 1 / head.spread)
        tensors.update({f"{name}.{key}": tensor for key, tensor in zip(FLOATS_OF_MLP, found, strict=True)})

    add_network("near", model.near)
    add_perceptron("readout", model.readout)
    if model.message is not None:
        add_network("far", model.far)
        add_perceptron("message", model.message)
    if model.repulsion is not None:
        screened = model.repulsion
        card["repulsion"] = {"coefficients": list(screened.coefficients), "exponents": list(screened.exponents)}
        tensors |= {"repulsion.strength": screened.strength, "repulsion.length": screened.length, "repulsion.range": screened.reach}
    return card, tensors


def numbers(structure: ctypes.Structure) -> dict[str, object]:
    """A kernel's description as JSON; addresses are left out."""
    return {name: _plain(getattr(structure, name)) for name, kind in structure._fields_ if kind is not ctypes.c_void_p}


def _plain(value: object) -> object:
    return [_plain(one) for one in value] if isinstance(value, ctypes.Array) else value
