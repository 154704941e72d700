"""What a training will take, measured on a few of its own steps before it starts."""

import time

import numpy as np
import torch
from omegaconf import DictConfig

from mlff.data.dataset import AtomBudgetSampler, FrameDataset, collate
from mlff.model.potential import Potential
from mlff.run.predict import device_of, n_parameters

N_STEPS = 3


def print_estimate(potential: Potential, data: FrameDataset, cfg: DictConfig) -> None:
    """Print steps, time and disk; the steps measured here change nothing."""
    sampler = AtomBudgetSampler(data.n_atoms(), cfg.trainer.max_atoms, cfg.trainer.max_frames, shuffle=True, seed=cfg.seed)
    batches = sampler.batches()
    seconds = []
    device = device_of(cfg.trainer.accelerator)
    potential.train().to(device)
    for batch in batches[:N_STEPS]:
        graph = collate([data[i] for i in batch]).to(device)
        start = time.perf_counter()
        prediction = potential(graph)
        grads = torch.autograd.grad(
            prediction.forces.square().sum() + prediction.stress.square().nansum(), list(potential.parameters()), allow_unused=True
        )
        del grads
        if device.type == "cuda":
            torch.cuda.synchronize()
        seconds.append(time.perf_counter() - start)
    total = float(np.median(seconds)) * len(batches) * cfg.trainer.max_epochs * 1.25  # + validation
    if cfg.trainer.max_minutes is not None:
        total = min(total, 60 * cfg.trainer.max_minutes)
    # weights, average, best and two moments of each; SOAP's bases and covariances come on top, as large again
    checkpoint = 10 * 4 * n_parameters(potential) / 1e6
    print(
        f"{len(data)} training frames, {n_parameters(potential):,} parameters, {len(batches) * cfg.trainer.max_epochs:,} steps: "
        f"about {total / 60:.1f} min here (early stop not counted), some {checkpoint:.0f} MB of checkpoint",
        flush=True,
    )
