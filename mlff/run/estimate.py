"""What a training will take, measured on a few of its own steps before it starts."""

import time

import numpy as np
import torch
from omegaconf import DictConfig

from mlff.data.dataset import AtomBudgetSampler, FrameDataset, collate
from mlff.engine import evaluator
from mlff.run.predict import device_of, n_parameters
from mlff.train.module import ForceField
from mlff.train.soap import MAX_SIZE

N_STEPS = 3


def print_estimate(module: ForceField, data: FrameDataset, cfg: DictConfig) -> None:
    """Print steps, time and disk; the steps measured here change nothing."""
    sampler = AtomBudgetSampler(data.n_atoms(), cfg.trainer.max_atoms, cfg.trainer.max_frames, shuffle=True, seed=cfg.seed)
    batches = sampler.batches()
    seconds = []
    device = device_of(cfg.trainer.accelerator)
    stacked = module.committee.to(device).stacked
    for batch in batches[:N_STEPS]:
        graph = collate([data[i] for i in batch]).to(device)
        start = time.perf_counter()
        loss, _ = evaluator(stacked, module.autograd).loss(graph, lambda p: p.forces.square().sum() + p.stress.square().nansum())
        grads = torch.autograd.grad(loss, list(stacked.parameters()), allow_unused=True)
        del grads
        if device.type == "cuda":
            torch.cuda.synchronize()
        seconds.append(time.perf_counter() - start)
    steps = len(batches) * cfg.trainer.max_epochs
    total = float(np.median(seconds)) * steps * 1.25  # + validation
    clock = None if cfg.trainer.max_minutes is None else 60 * cfg.trainer.max_minutes
    if clock is not None and total > clock:
        ends = f"{_duration(clock)} by trainer.max_minutes, some {int(steps * clock / total):,} of {steps:,} steps"
    else:
        ends = f"{steps:,} steps, about {_duration(total)} here"
    print(
        f"{len(data)} training frames, {n_parameters(module.committee):,} parameters: {ends} (an early stop not counted, "
        f"predictions and report come on top); some {_checkpoint_bytes(module, cfg) / 1e6:.1f} MB of checkpoint",
        flush=True,
    )


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def _checkpoint_bytes(module: ForceField, cfg: DictConfig) -> int:
    """Weights, average, best and two moments of each; SOAP's covariance and basis of both sides of each matrix come on top."""
    numbers = 5 * n_parameters(module.committee)
    if cfg.optimizer._target_.endswith("SOAP"):
        for p in module.committee.parameters():
            rows, columns = p[0].reshape(-1, p.shape[-1]).shape if p.dim() > 2 else (1, p[0].numel())
            numbers += 2 * len(p) * sum(side**2 for side in (rows, columns) if side <= MAX_SIZE)
    return 4 * numbers
