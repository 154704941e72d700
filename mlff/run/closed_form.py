"""The closed-form parts of a training: units, constants, the start and the end of the last linear layer."""

import copy
import logging
from collections.abc import Callable, Sequence

import numpy as np
import torch
from omegaconf import DictConfig

from mlff.data import Frame, force_rms
from mlff.data.dataset import FrameDataset, collate
from mlff.model.architecture import LinearReadout
from mlff.model.potential import Potential
from mlff.run.predict import predict, subset
from mlff.run.reference import shift_reference_energies
from mlff.train.linear_fit import ridge_solution
from mlff.train.metrics import compute_metrics

log = logging.getLogger(__name__)


def error_units(train: Sequence[Frame], energy_unit: float) -> dict[str, float]:
    """The units that errors are measured in: RMS force (eV/Å), RMS stress (eV/Å³), energy (eV/atom)."""
    force_unit = force_rms(train).overall if any(frame.forces is not None for frame in train) else 1.0
    stresses = [frame.stress for frame in train if frame.stress is not None]
    stress_unit = float(np.sqrt(np.mean(np.square(stresses)))) if stresses else 1.0
    return {"force_unit": force_unit, "stress_unit": max(stress_unit, 1e-6), "energy_unit": energy_unit * force_unit}


def start(potential: Potential, data: FrameDataset, units: dict[str, float], cfg: DictConfig) -> None:
    """Constants from a sample of the training set, and the closed-form start of the last linear layer."""
    sample = collate([data[i] for i in subset(data, 16, cfg.seed)])
    potential.calibrate(sample, energy_scale=units["force_unit"])  # × 1 Å
    if cfg.trainer.warm_start is not None and isinstance(potential.architecture, LinearReadout):
        potential.architecture.set_linear_weights(_solve(potential, data, units, cfg.trainer.warm_start, cfg.seed))


def final_solve(model: Potential, sets: dict[str, FrameDataset], units: dict[str, float], cfg: DictConfig) -> None:
    """Settle the reference energies, and on request the last linear layer, in closed form; each kept only if validation improves."""
    score = _score(model, sets["val"], units)
    score = _keep_if_better("reference energies", model, score, sets["val"], units, lambda: shift_reference_energies(model, sets["train"]))
    if cfg.trainer.final_solve is not None and isinstance(model.architecture, LinearReadout):
        now = model.architecture.linear_weights().detach().clone()
        solved = _solve(model, sets["train"], units, cfg.trainer.final_solve, cfg.seed, around=now)
        _keep_if_better("last layer", model, score, sets["val"], units, lambda: model.architecture.set_linear_weights(solved))


def _keep_if_better(
    what: str, model: Potential, score: float, val: FrameDataset, units: dict[str, float], change: Callable[[], object]
) -> float:
    """Change the model, whose score is `score`, and take it back unless that made it better; returns the score of what is kept."""
    before = copy.deepcopy(model.state_dict())
    change()
    changed = _score(model, val, units)
    if not changed < score:
        model.load_state_dict(before)
    kept = "kept" if changed < score else "not kept"
    log.info("%s solved: validation error %.4f → %.4f (of force and energy, in the loss's units), %s", what, score, changed, kept)
    return min(score, changed)


def _solve(potential: Potential, data: FrameDataset, units: dict[str, float], options: DictConfig, seed: int, around=None) -> torch.Tensor:
    potential.cpu()  # once per training, and a small system: the draws below must be the same everywhere
    graphs = [data[i] for i in subset(data, options.n_frames, seed)]
    return ridge_solution(
        potential,
        graphs,
        n_directions=options.n_directions,
        energy_unit=units["energy_unit"],
        force_unit=units["force_unit"],
        ridge=options.ridge,
        seed=seed,
        around=around,
    )


def _score(model: Potential, data: FrameDataset, units: dict[str, float]) -> float:
    """Mean absolute errors of forces and energies, each in its unit, added; as training scores its validations."""
    row = compute_metrics(data.frames, predict(model, data), ())["overall"]
    errors = {"energy": row["energy_mae"], "force": row["force_mae"]}
    return sum(1e-3 * error / units[f"{name}_unit"] for name, error in errors.items() if error is not None)
