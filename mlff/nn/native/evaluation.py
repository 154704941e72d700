"""A stack of `lean` or `lean2` evaluated tile by tile: energies, forces and virials of all members, without a graph."""

import ctypes
import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from mlff.nn.edge_stage import EdgeStage
from mlff.nn.native import block, edges, mlp, pairs
from mlff.nn.native.library import Edges, Library, address
from mlff.nn.native.network import vectors_of_sites
from mlff.nn.slots import Neighborhood

SITES_TOUCHED_AT_ONCE = 32  # BLOCK of scattered.h
MOST_HOP = 32  # MOST of scattered.h
FLOATS_OF_MLP = ("weights", "mean", "inverse_spread")


@dataclass(frozen=True)
class Network:
    """A `NodeBlock`: its sizes, input channels of each piece and l, and weights (n_members, n_weights) as `NodeBlock.packed` gives them."""

    sizes: block.BlockSizes
    n_in: Sequence[Sequence[int]]
    weights: Tensor


@dataclass(frozen=True)
class Perceptron:
    """Rows of each input; weights (n_members, n_weights); mean and spread (n_members, n_in, 1) of all inputs."""

    sizes: mlp.MlpSizes
    n_in: Sequence[int]
    weights: Tensor
    mean: Tensor
    spread: Tensor


@dataclass(frozen=True)
class Model:
    """What is evaluated; far and message of `lean2`, else None. bins: (n_bins, n_species) or None; scale: (n_members,), eV per unit."""

    stage: EdgeStage
    bins: Tensor | None
    near: Network
    readout: Perceptron
    far: Network | None
    message: Perceptron | None
    scale: Tensor
    repulsion: pairs.Screened | None


@dataclass(frozen=True)
class Evaluated:
    """energies: (n_members, n_sites), the model's units; repelled: (n_sites,) eV, or None; forces: (n_members, n_atoms, 3), eV/Å;
    virials: Σ r_ij ⊗ f_ij, (n_members, n_graphs, 3, 3), eV, or None. All but energies float64, forces and virials with the repulsion."""

    energies: Tensor
    repelled: Tensor | None
    forces: Tensor
    virials: Tensor | None


class Workspace:
    """Memory that evaluations use one after another; it grows, and is all 0 where it was asked for zeros."""

    def __init__(self):
        self._tensors: dict[tuple[str, torch.dtype], Tensor] = {}

    def take(self, name: str, n: int, dtype: torch.dtype, zeros: bool = False) -> int:
        """The address of n numbers."""
        found = self._tensors.get((name, dtype))
        if found is None or len(found) < n:
            found = self._tensors[name, dtype] = (torch.zeros if zeros else torch.empty)(n, dtype=dtype)
        return found.data_ptr()


class _Evaluation(ctypes.Structure):
    """As in interface.h."""

    _fields_ = [
        *((name, ctypes.c_int64) for name in ("n_members", "n_atoms", "n_graphs", "n_hop", "n_bins", "n_others")),
        ("edges", ctypes.POINTER(Edges)),
        ("repulsion", ctypes.POINTER(pairs.Pairs)),
        *((name, ctypes.c_void_p) for name in ("neighbor", "site_of_atom", "graph_of_site", "scale", "bins")),
        ("near", ctypes.POINTER(block.Block)),
        ("far", ctypes.POINTER(block.Block)),
        *((name, ctypes.c_void_p) for name in ("near_weights", "far_weights")),
        ("readout", ctypes.POINTER(mlp.Mlp)),
        ("message", ctypes.POINTER(mlp.Mlp)),
        *((f"{head}_{name}", ctypes.c_void_p) for head in ("readout", "message") for name in FLOATS_OF_MLP),
        *((name, ctypes.c_void_p) for name in ("pushed", "pushed_h", "h", "of_h", "features", "hidden", "of_rows")),
        *((name, ctypes.c_void_p) for name in ("touched", "touched_h", "pull", "repulsive_pull")),
        *((name, ctypes.c_void_p) for name in ("energies", "repelled", "forces", "virials", "send_h", "collect_of_h", "context")),
    ]


def evaluate(library: Library, model: Model, hood: Neighborhood, virials: bool, workspace: Workspace) -> Evaluated:
    """Energies, forces and, where they are asked for, virials.

    Args:
        hood: with vectors in float64.
        workspace: nobody else's during the call.
    """
    vectors, dtype = hood.vectors.detach().contiguous(), model.near.weights.dtype
    assert vectors.dtype == torch.float64
    n_members, n_atoms, n_sites = len(model.scale), len(hood.site_of_atom), vectors.shape[-1]
    kept: list = [(ctypes.c_int64 * len(n))(*n) for n in (hood.sites_per_species, hood.slots_per_species)]
    sites, slots = kept
    found = Evaluated(
        energies=vectors.new_empty(n_members, n_sites, dtype=dtype),
        repelled=None if model.repulsion is None else vectors.new_empty(n_sites),
        forces=vectors.new_empty(n_members, n_atoms, 3),
        virials=vectors.new_empty(n_members, hood.n_graphs, 3, 3) if virials else None,
    )

    def given(tensor: Tensor | None, dtype: torch.dtype) -> int | None:
        if tensor is None:
            return None
        kept.append(tensor.detach().to(dtype).contiguous())
        return address(kept[-1])

    def described(structure: ctypes.Structure):
        kept.append(structure)
        return ctypes.pointer(structure)

    e = _Evaluation(
        n_members=n_members,
        n_atoms=n_atoms,
        n_graphs=hood.n_graphs,
        n_bins=0 if model.bins is None else len(model.bins),
        edges=described(edges.describe(model.stage, vectors, slots)),
        neighbor=given(hood.neighbor, torch.int64),
        site_of_atom=given(hood.site_of_atom, torch.int64),
        graph_of_site=given(hood.at_sites(hood.graph_index), torch.int64),
        scale=given(model.scale, torch.float64),
        bins=given(model.bins, dtype),
        energies=address(found.energies),
        forces=address(found.forces),
    )
    if virials:
        e.virials = address(found.virials)
    if model.repulsion is not None:
        kept.append(model.repulsion)
        e.repulsion, e.repelled = described(pairs.describe(model.repulsion, vectors, sites, slots)), address(found.repelled)
    for name in ("near", "far"):
        network = getattr(model, name)
        if network is not None:
            assert network.weights.shape == (n_members, block.n_weights(network.sizes, network.n_in, len(sites)))
            setattr(e, name, described(block.describe(network.sizes, network.n_in, n_members, sites)))
            setattr(e, f"{name}_weights", given(network.weights, dtype))
    for name in ("readout", "message"):
        head = getattr(model, name)
        if head is not None:
            assert head.weights.shape == (n_members, mlp.n_weights(head.sizes, sum(head.n_in), len(sites)))
            assert head.mean.shape == head.spread.shape == (n_members, sum(head.n_in), 1)
            setattr(e, name, described(mlp.describe(head.sizes, head.n_in, n_members, sites)))
            for key, tensor in zip(FLOATS_OF_MLP, (head.weights, head.mean, 1 / head.spread), strict=True):
                setattr(e, f"{name}_{key}", given(tensor, dtype))

    n_threads, n_touched = torch.get_num_threads(), math.ceil(n_sites / SITES_TOUCHED_AT_ONCE)
    e.pushed = workspace.take("pushed", n_threads * n_sites * n_members * 3, dtype, zeros=True)
    e.touched = workspace.take("touched", n_threads * n_touched, torch.uint8, zeros=True)
    e.pull = workspace.take("pull", n_sites * n_members * 3, torch.float64)
    e.repulsive_pull = workspace.take("repulsive_pull", n_sites * 3, torch.float64)
    if model.message is not None:
        e.n_hop = model.message.sizes.n_out
        assert e.n_hop <= MOST_HOP
        e.pushed_h = workspace.take("pushed_h", n_threads * n_sites * n_members * e.n_hop, dtype, zeros=True)
        e.touched_h = workspace.take("touched_h", n_threads * n_touched, torch.uint8, zeros=True)
        for name in ("h", "of_h"):
            setattr(e, name, workspace.take(name, n_sites * n_members * e.n_hop, dtype))
        n_padded = n_members * vectors_of_sites(hood.sites_per_species, dtype)
        e.features = workspace.take("features", n_padded * block.n_saved(model.near.sizes), dtype)
        e.hidden = workspace.take("hidden", n_padded * sum(model.message.sizes.hidden), dtype)
        e.of_rows = workspace.take("of_rows", n_padded * model.near.sizes.n_invariants, dtype)
    library.call("evaluate_lean" if model.message is None else "evaluate_lean2", dtype, ctypes.byref(e))
    return found
