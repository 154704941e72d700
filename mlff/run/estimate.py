"""What a training will take, measured on a few of its own steps before it starts."""

import time

import numpy as np
import torch
from omegaconf import DictConfig

from mlff.data.dataset import AtomBudgetSampler, FrameDataset, collate
from mlff.model.potential import Potential
from mlff.run.predict import n_parameters

N_STEPS = 3


def print_estimate(potential: Potential, data: FrameDataset, cfg: DictConfig) -> None:
    """Print steps, time and disk; the steps measured here change nothing."""
    sampler = AtomBudgetSampler(data.n_atoms(), cfg.trainer.max_atoms, cfg.trainer.max_frames, shuffle=True, seed=cfg.seed)
    batches = sampler.batches()
    seconds = []
    potential.train()
    for batch in batches[:N_STEPS]:
        graph = collate([data[i] for i in batch])
        start = time.perf_counter()
        prediction = potential(graph)
        grads = torch.autograd.grad(
            prediction.forces.square().sum() + prediction.stress.square().nansum(), list(potential.parameters()), allow_unused=True
        )
        del grads
        seconds.append(time.perf_counter() - start)
    total = float(np.median(seconds)) * len(batches) * cfg.trainer.max_epochs * 1.25  # + validation
    checkpoint = 5 * 4 * n_parameters(potential) / 1e6  # weights, average, best and two moments
    print(
        f"{len(data)} training frames, {n_parameters(potential):,} parameters, {len(batches) * cfg.trainer.max_epochs:,} steps: "
        f"about {total / 60:.1f} min here (early stop not counted), {checkpoint:.0f} MB of checkpoint",
        flush=True,
    )
