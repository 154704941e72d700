"""`python train.py +experiment=…`: from labelled frames to a model, its metrics and a report."""

import copy
import logging
import os
import warnings
from collections.abc import Sequence
from pathlib import Path

import hydra
import numpy as np
import torch
from omegaconf import DictConfig, OmegaConf

import mlff
from mlff.artefact import load, save
from mlff.artefact.build import build_potential
from mlff.data import Frame
from mlff.data.dataset import FrameDataset, collate
from mlff.data.statistics import ReferenceEnergies, fit_reference_energies, force_rms
from mlff.model.architecture import LinearReadout
from mlff.model.potential import Potential
from mlff.report import honest_warnings
from mlff.run.data import RunData, dataset, load_data
from mlff.run.estimate import print_estimate
from mlff.run.model import locate_model
from mlff.run.predict import n_parameters, predict, subset
from mlff.run.results import show_results
from mlff.train.datamodule import FrameData
from mlff.train.fit import fit
from mlff.train.history import read_history
from mlff.train.linear_fit import ridge_solution
from mlff.train.loggers import build_loggers
from mlff.train.loss import Loss
from mlff.train.metrics import compute_metrics
from mlff.train.module import ForceField

log = logging.getLogger(__name__)
PARTS = ("train", "val", "test")


def train(cfg: DictConfig) -> float:
    """Train, evaluate, and leave model/, metrics.json, history.csv, report.html and config.yaml in cfg.folder.

    Returns:
        The validation force MAE, meV/Å, which a sweep minimises.
    """
    folder = Path(cfg.folder)
    _quiet()
    torch.set_num_threads(cfg.trainer.threads)
    torch.manual_seed(cfg.seed)  # of the weights; all else takes its seed as an argument
    data = load_data(cfg.data, cfg.seed)
    potential, reference, before = _potential(cfg, data)
    sets = {name: dataset(data.frames, potential.species, potential.r_max, data.indices(name)) for name in PARTS}
    units = _units(data.part("train"), cfg.loss.energy_unit)
    checkpoint = _prepare_folder(folder, cfg)
    if cfg.trainer.init_from is None and checkpoint is None:
        _start(potential, sets["train"], units, cfg)

    loss_options = {k: v for k, v in cfg.loss.items() if k != "energy_unit"}
    module = ForceField(
        potential,
        Loss(potential.species, **units, **loss_options),
        hydra.utils.instantiate(cfg.optimizer),
        hydra.utils.instantiate(cfg.scheduler),
        frames=data.part("train"),
        weight_decay=cfg.trainer.weight_decay,
        ema_decay=cfg.trainer.ema_decay,
        stage_two=cfg.trainer.stage_two,
        stage_two_energy_factor=cfg.trainer.stage_two_energy_factor,
    )
    model = _fit(module, sets, folder, checkpoint, cfg) if cfg.trainer.max_epochs else potential
    if cfg.trainer.final_solve is not None:
        _final_solve(model, sets, units, cfg)
    return _finish(cfg, folder, data, sets, model, reference, before)


def _potential(cfg: DictConfig, data: RunData) -> tuple[Potential, ReferenceEnergies, dict | None]:
    """A new potential, or one to fine-tune with E0 fitted to the new data and its metrics before training."""
    train = data.part("train")
    given = OmegaConf.to_container(cfg.data.reference_energies) if cfg.data.reference_energies else None
    reference = fit_reference_energies(train, given=given)
    if not reference.identifiable:
        log.warning(reference.message)
    if cfg.trainer.init_from is None:
        description = OmegaConf.to_container(cfg.model, resolve=True) | {"species": list(data.species)}
        potential = build_potential(description).to(getattr(torch, cfg.trainer.dtype))
        potential.set_reference_energies({s: reference.energies.get(s, 0.0) for s in potential.species})
        return potential, reference, None
    potential = load(locate_model(cfg.trainer.init_from)).potential.to(getattr(torch, cfg.trainer.dtype))
    _shift_reference_energies(potential, dataset(data.frames, potential.species, potential.r_max, data.indices("train")), train)
    val = dataset(data.frames, potential.species, potential.r_max, data.indices("val"))
    before = compute_metrics(data.part("val"), predict(potential, val, title="before fine-tuning"), cfg.data.mobile)
    return potential.train(), reference, before


def _shift_reference_energies(potential: Potential, data: FrameDataset, frames: Sequence[Frame]) -> None:
    """E0 ← E0 + what is left of the new energies, so that another code's or functional's zero does not disturb the network."""
    chosen = [i for i in subset(data, 200, seed=0) if frames[i].energy is not None]
    if not chosen:
        return
    predictions = predict(potential, FrameDataset([frames[i] for i in chosen], potential.species, potential.r_max))
    left = [_with_energy(frames[i], frames[i].energy - p.energy) for i, p in zip(chosen, predictions, strict=True)]
    shift = fit_reference_energies(left).energies
    potential.set_reference_energies({s: float(e) + shift.get(s, 0.0) for s, e in zip(potential.species, potential.E0, strict=True)})
    log.info("E0 shifted by %s eV", {s: round(e, 4) for s, e in shift.items()})


def _with_energy(frame: Frame, energy: float) -> Frame:
    return Frame(frame.numbers, frame.positions, frame.cell, frame.pbc, energy, None, None, source=frame.source, index=frame.index)


def _units(train: Sequence[Frame], energy_unit: float) -> dict[str, float]:
    """The units that errors are measured in: RMS force (eV/Å), RMS stress (eV/Å³), energy (eV/atom)."""
    force_unit = force_rms(train).overall
    stresses = [frame.stress for frame in train if frame.stress is not None]
    stress_unit = float(np.sqrt(np.mean(np.square(stresses)))) if stresses else 1.0
    return {"force_unit": force_unit, "stress_unit": max(stress_unit, 1e-6), "energy_unit": energy_unit * force_unit}


def _start(potential: Potential, data: FrameDataset, units: dict[str, float], cfg: DictConfig) -> None:
    """Constants from a sample of the training set, and the closed-form start of the last linear layer."""
    sample = collate([data[i] for i in subset(data, 16, cfg.seed)])
    potential.calibrate(sample, energy_scale=units["force_unit"])  # × 1 Å
    if cfg.trainer.warm_start is not None and isinstance(potential.architecture, LinearReadout):
        potential.architecture.set_linear_weights(_solve(potential, data, units, cfg.trainer.warm_start, cfg.seed))


def _solve(potential: Potential, data: FrameDataset, units: dict[str, float], options: DictConfig, seed: int, around=None) -> torch.Tensor:
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


def _final_solve(model: Potential, sets: dict[str, FrameDataset], units: dict[str, float], cfg: DictConfig) -> None:
    """Settle the last linear layer in closed form; kept only if validation improves."""
    if not isinstance(model.architecture, LinearReadout):
        return
    before = model.architecture.linear_weights().detach().clone()
    score = _score(model, sets["val"])
    model.architecture.set_linear_weights(_solve(model, sets["train"], units, cfg.trainer.final_solve, cfg.seed, around=before))
    solved = _score(model, sets["val"])
    kept = solved < score
    if not kept:
        model.architecture.set_linear_weights(before)
    log.info("final solve: validation force MAE %.2f → %.2f meV/Å, %s", score, solved, "kept" if kept else "not kept")


def _score(model: Potential, data: FrameDataset) -> float:
    row = compute_metrics(list(data.frames), predict(model, data), ())["overall"]
    return row["force_mae"] if row["force_mae"] is not None else row["energy_mae"]


def _fit(module: ForceField, sets: dict[str, FrameDataset], folder: Path, checkpoint: Path | None, cfg: DictConfig) -> Potential:
    """Run Lightning; returns the averaged weights of the best validation."""
    print_estimate(module.potential, sets["train"], cfg)
    return fit(
        module,
        FrameData(sets["train"], sets["val"], cfg.trainer.max_atoms, cfg.trainer.max_frames, cfg.seed),
        folder,
        build_loggers(folder, name=cfg.name, wandb=_container(cfg.logger.wandb), resume=checkpoint is not None),
        checkpoint=checkpoint,
        **{key: cfg.trainer[key] for key in ("max_epochs", "max_time", "validations", "accelerator", "devices", "clip")},
        patience=cfg.callbacks.early_stop.patience,
        checkpoint_minutes=cfg.callbacks.checkpoint.every_minutes,
    )


def _finish(
    cfg: DictConfig,
    folder: Path,
    data: RunData,
    sets: dict[str, FrameDataset],
    model: Potential,
    reference: ReferenceEnergies,
    before: dict | None,
) -> float:
    """Save the model, predict every split with what was saved, and report."""
    if int(os.environ.get("LOCAL_RANK", 0)):
        return float("nan")
    model = copy.deepcopy(model).cpu()
    model.requires_grad_(False).eval()
    parts = {name: (data.part(name), predict(model, sets[name], title=f"predicting {name}")) for name in PARTS}
    mobile = [s for s in cfg.data.mobile if s in model.species]
    card = _card(cfg, data, model, mobile)
    metrics = {name: compute_metrics(frames, predictions, mobile) for name, (frames, predictions) in parts.items()}
    card["metrics"] = {name: result["overall"] for name, result in metrics.items()}
    golden = [sets["test"][i] for i in subset(sets["test"], 3, cfg.seed)]
    save(folder / "model", model, card, golden)
    history = folder / "history.csv"
    notes = honest_warnings(
        metrics, leaks=data.splits.leaks, split_description=data.splits.description, energies_identifiable=reference.identifiable
    )
    show_results(
        folder,
        cfg.name,
        parts,
        mobile,
        notes,
        history=_numbers(read_history(history)) if history.exists() else [],
        data_summary=_data_summary(data, reference),
        config_text=OmegaConf.to_yaml(cfg),
        card=card,
        reference_rows=_container(cfg.get("reference_rows")) or [],
    )
    if before is not None:
        _print_before_after(before, metrics["val"])
    score = metrics["val"]["overall"]
    return score["force_mae"] if score["force_mae"] is not None else score["energy_mae"]


def _card(cfg: DictConfig, data: RunData, model: Potential, mobile: list[str]) -> dict:
    settings = sorted({str(frame.info["settings"]) for frame in data.frames if frame.info.get("settings")})
    temperatures = sorted({float(frame.info["temperature"]) for frame in data.part("train") if frame.info.get("temperature") is not None})
    return {
        "name": cfg.name,
        "version": mlff.__version__,
        "model": OmegaConf.to_container(cfg.model, resolve=True) | {"species": list(model.species)}
        if cfg.trainer.init_from is None
        else load(locate_model(cfg.trainer.init_from)).card["model"],
        "dtype": str(model.dtype).removeprefix("torch."),
        "n_parameters": n_parameters(model),
        "mobile": mobile,
        "data": {
            "path": str(cfg.data.path),
            "hash": data.hash,
            "n_train": len(data.splits.train),
            "split": data.splits.description,
            "energy_kind": sorted({frame.energy_kind for frame in data.frames}),
            "dft_settings": settings,
            "temperatures_K": temperatures,
        },
        "seed": cfg.seed,
    }


def _data_summary(data: RunData, reference: ReferenceEnergies) -> dict:
    summary: dict[str, object] = {"file": data.frames[0].source, "split": data.splits.description, "reference energies": reference.message}
    for name in PARTS:
        frames = data.part(name)
        summary[name] = {
            "frames": len(frames),
            "atoms": sum(len(f.numbers) for f in frames),
            "with energy": sum(f.energy is not None for f in frames),
            "with forces": sum(f.forces is not None for f in frames),
            "with stress": sum(f.stress is not None for f in frames),
        }
    return summary


def _print_before_after(before: dict, after: dict) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("validation", "before", "after", title="fine-tuning")
    for name, key in (("force MAE, meV/Å", "force_mae"), ("energy MAE, meV/atom", "energy_mae"), ("stress MAE, GPa", "stress_mae_gpa")):
        cells = [row["overall"][key] for row in (before, after)]
        table.add_row(name, *("–" if cell is None else f"{cell:.3f}" for cell in cells))
    Console().print(table)


def _prepare_folder(folder: Path, cfg: DictConfig) -> Path | None:
    """Write config.yaml; return the checkpoint to continue from, if this very run was interrupted."""
    if cfg.trainer.resume not in ("auto", "never"):
        raise ValueError(f"trainer.resume is {cfg.trainer.resume!r}, expected 'auto' or 'never'")
    folder.mkdir(parents=True, exist_ok=True)
    text, config, checkpoint = OmegaConf.to_yaml(cfg), folder / "config.yaml", folder / "checkpoints" / "last.ckpt"
    unfinished = checkpoint.exists() and not (folder / "metrics.json").exists()
    if cfg.trainer.resume == "auto" and unfinished and config.exists() and config.read_text() == text:
        log.info("continuing from %s", checkpoint)
        return checkpoint
    for old in (checkpoint, folder / "metrics.json"):
        old.unlink(missing_ok=True)
    config.write_text(text)
    return None


def _numbers(rows: list[dict[str, str]]) -> list[dict[str, float]]:
    return [{key: float(value) for key, value in row.items() if value != ""} for row in rows]


def _container(node):
    return None if node is None else OmegaConf.to_container(node, resolve=True)


def _quiet() -> None:
    """Lightning's advice about workers and loggers does not apply: graphs are in memory."""
    warnings.filterwarnings("ignore", message=".*does not have many workers.*")
    warnings.filterwarnings("ignore", message=".*LeafSpec.*")
    warnings.filterwarnings("ignore", message="Checkpoint directory .* exists and is not empty")  # a run goes on in its own folder
    logging.getLogger("pytorch_lightning").setLevel(logging.WARNING)
