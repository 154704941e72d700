"""Predictions of a potential for many frames, with a progress bar."""

from collections.abc import Iterator, Sequence

import torch
from rich.progress import track

from mlff.data.dataset import AtomBudgetSampler, FrameDataset, collate
from mlff.engine import Committee
from mlff.model.potential import Potential
from mlff.train.metrics import FramePrediction

BUDGET = 2048  # atoms of a batch: above it nothing gets faster on a CPU


def predict(
    potential: Potential | Committee, data: FrameDataset, device: str | torch.device = "cpu", title: str = "predicting"
) -> list[FramePrediction]:
    """Energy (eV), forces (eV/Å) and stress (eV/Å³) of each frame of a data set, in its order."""
    committee = (potential if isinstance(potential, Committee) else Committee([potential])).to(device).eval()
    batches = AtomBudgetSampler(data.n_atoms(), max_atoms=BUDGET, max_frames=32, shuffle=False).batches()
    predictions: list[FramePrediction] = []
    for batch in track(batches, description=title, transient=True, disable=len(batches) < 20):
        predictions += _one_batch(committee, collate([data[i] for i in batch]).to(device))
    return predictions


def _one_batch(committee: Committee, graph) -> Iterator[FramePrediction]:
    prediction = committee(graph)
    sizes = torch.bincount(graph.graph_index).tolist()
    forces = prediction.forces.double().cpu().split(sizes)
    stress, energy = prediction.stress.cpu(), prediction.energy.cpu()
    periodic = torch.isfinite(stress).all(dim=(1, 2))
    spread = [None] * len(sizes)
    if len(committee) > 1:
        spread = [each.numpy() for each in prediction.forces_std.double().cpu().split(sizes)]
    for k in range(len(sizes)):
        yield FramePrediction(float(energy[k]), forces[k].numpy(), stress[k].numpy() if periodic[k] else None, spread[k])


def device_of(accelerator: str) -> torch.device:
    """The device that a Trainer of this accelerator uses first; "auto" takes a GPU where there is one."""
    cuda = accelerator in ("gpu", "cuda") or (accelerator == "auto" and torch.cuda.is_available())
    return torch.device("cuda" if cuda else "cpu")


def n_parameters(potential: Potential | Committee) -> int:
    """Trained weights, of all members."""
    return sum(p.numel() for p in potential.parameters())


def subset(data: FrameDataset, n: int, seed: int) -> Sequence[int]:
    """At most n items of a data set, spread by a seeded permutation."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randperm(len(data), generator=generator)[:n].tolist()
