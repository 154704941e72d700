"""Golden frames: inputs and float64 answers that travel with a model, so that any engine can be checked."""

import copy
from collections.abc import Sequence

import torch
from torch import Tensor

from mlff.engine import Committee
from mlff.graph import AtomGraph
from mlff.model.potential import Potential


def golden_tensors(potential: Potential | Committee, graphs: Sequence[AtomGraph]) -> dict[str, Tensor]:
    """Flat tensors "<frame>.<field>": numbers index, positions, cell, edges, and the float64 prediction."""
    exact = copy.deepcopy(potential).double().eval()
    tensors = {"n_frames": torch.tensor([len(graphs)])}
    for number, graph in enumerate(graphs):
        prediction = exact(graph)
        fields = {
            "species": graph.species,
            "positions": graph.positions,
            "cell": graph.cell,
            "edge_index": graph.edge_index,
            "edge_shift": graph.edge_shift,
            "energy": prediction.energy,
            "energies": prediction.energies,
            "forces": prediction.forces,
            "stress": prediction.stress,
        }
        tensors |= {f"{number}.{name}": value.detach().cpu().contiguous() for name, value in fields.items()}
    return tensors


def golden_graphs(tensors: dict[str, Tensor]) -> list[tuple[AtomGraph, dict[str, Tensor]]]:
    """Each golden frame as a graph, with its stored answers."""
    frames = []
    for number in range(int(tensors["n_frames"])):
        field = {name.split(".", 1)[1]: value for name, value in tensors.items() if name.startswith(f"{number}.")}
        inputs = {name: field.pop(name) for name in ("species", "positions", "cell", "edge_index", "edge_shift")}
        frames.append((AtomGraph(num_nodes=len(inputs["species"]), **inputs), field))
    return frames
