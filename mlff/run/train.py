"""`python train.py +experiment=…`: from labelled frames to a model, its metrics and a report."""

import copy
import logging
import os
import warnings
from pathlib import Path

import hydra
import torch
from omegaconf import DictConfig, OmegaConf

from mlff.artefact import save
from mlff.data.dataset import FrameDataset
from mlff.data.parts import PARTS
from mlff.engine import Committee, one_or_committee
from mlff.model.potential import Potential
from mlff.nn.native.library import library
from mlff.report import honest_warnings
from mlff.run.bootstrap import bootstrap_weights
from mlff.run.card import data_summary, model_card
from mlff.run.closed_form import error_units, final_solve, start
from mlff.run.console import console
from mlff.run.data import RunData, dataset, load_data
from mlff.run.estimate import print_estimate
from mlff.run.folder import finished_metrics, prepare_folder
from mlff.run.initial import Start, initial_members
from mlff.run.predict import device_of, predict, subset
from mlff.run.results import show_results, show_tables
from mlff.run.threads import set_threads
from mlff.run.uncertainty import assess_uncertainty
from mlff.train.clock import Clock
from mlff.train.datamodule import FrameData
from mlff.train.fit import fit
from mlff.train.history import read_history
from mlff.train.loggers import build_loggers
from mlff.train.loss import Loss
from mlff.train.metrics import compute_metrics
from mlff.train.module import ForceField

log = logging.getLogger(__name__)


def train(cfg: DictConfig) -> float:
    """Train, evaluate, and leave model/, metrics.json, history.csv, report.html and config.yaml in cfg.folder.

    Returns:
        The validation force MAE, meV/Å, which a sweep minimises.
    """
    folder = Path(cfg.folder)
    metrics = finished_metrics(folder, cfg)
    if metrics is not None:
        log.info("%s was finished before; trainer.resume=never trains it again", folder)
        show_tables(folder, cfg.name, metrics)
        return _score(metrics)
    _quiet()
    set_threads(cfg.trainer.threads)
    data = load_data(cfg.data, cfg.seed)
    origin = initial_members(cfg, data)
    potential = origin.members[0]
    sets = {name: dataset(data.frames, potential.species, potential.r_max, data.indices(name)) for name in PARTS}
    units = error_units(data.part("train"), cfg.loss.energy_unit)
    checkpoint = prepare_folder(folder, cfg)
    if cfg.trainer.init_from is None and checkpoint is None:
        for member in origin.members:
            start(member, sets["train"], units, cfg)

    loss_options = {k: v for k, v in cfg.loss.items() if k != "energy_unit"}
    module = ForceField(
        Committee(origin.members).train(),
        Loss(potential.species, **units, **loss_options),
        hydra.utils.instantiate(cfg.optimizer),
        hydra.utils.instantiate(cfg.scheduler),
        frames=data.part("train"),
        weight_decay=cfg.trainer.weight_decay,
        ema_decay=cfg.trainer.ema_decay,
        stage_two=cfg.trainer.stage_two,
        stage_two_energy_factor=cfg.trainer.stage_two_energy_factor,
        frame_weights=bootstrap_weights(len(sets["train"]), cfg.uncertainty, cfg.seed),
        autograd=leave_to_autograd(cfg.trainer.derivatives, len(origin.members), device_of(cfg.trainer.accelerator)),
        clock=Clock(None if cfg.trainer.max_minutes is None else 60 * cfg.trainer.max_minutes),
    )
    committee = _fit(module, sets, folder, checkpoint, cfg) if cfg.trainer.max_epochs else module.committee
    members = committee.members()
    for member in members:
        final_solve(member, sets, units, cfg)
    return _finish(cfg, folder, data, sets, origin, one_or_committee(members))


def leave_to_autograd(derivatives: str, n_members: int, device: torch.device) -> bool:
    """Whether gradients come by double backward: where it is asked for, and with "auto" for one potential on a CPU without kernels."""
    if derivatives not in ("auto", "engine", "autograd"):
        raise ValueError(f"trainer.derivatives is {derivatives!r}, expected auto, engine or autograd; correct the setting")
    return derivatives == "autograd" or (derivatives == "auto" and n_members == 1 and device.type == "cpu" and library() is None)


def _fit(module: ForceField, sets: dict[str, FrameDataset], folder: Path, checkpoint: Path | None, cfg: DictConfig) -> Committee:
    """Run Lightning; returns the averaged weights of the best validation."""
    if checkpoint is None:
        print_estimate(module, sets["train"], cfg)
    return fit(
        module,
        FrameData(sets["train"], sets["val"], cfg.trainer.max_atoms, cfg.trainer.max_frames, cfg.seed),
        folder,
        build_loggers(folder, name=cfg.name, wandb=_container(cfg.logger.wandb), resume=checkpoint is not None),
        checkpoint=checkpoint,
        **{key: cfg.trainer[key] for key in ("max_epochs", "validations", "accelerator", "devices", "clip")},
        patience=cfg.callbacks.early_stop.patience,
        checkpoint_minutes=cfg.callbacks.checkpoint.every_minutes,
    )


def _finish(
    cfg: DictConfig,
    folder: Path,
    data: RunData,
    sets: dict[str, FrameDataset],
    origin: Start,
    model: Potential | Committee,
) -> float:
    """Save the model, predict every split with what was saved, and report."""
    if int(os.environ.get("LOCAL_RANK", 0)):
        return float("nan")
    model = copy.deepcopy(model).cpu()
    model.requires_grad_(False).eval()
    parts = {
        name: (data.part(name), predict(model, sets[name], device_of(cfg.trainer.accelerator), title=f"predicting {name}"))
        for name in PARTS
    }
    model.cpu()  # the artefact and its golden frames are made in one place
    mobile = [s for s in cfg.data.mobile if s in model.species]
    card = model_card(cfg, data, origin, model, mobile)
    metrics = {name: compute_metrics(frames, predictions, mobile) for name, (frames, predictions) in parts.items()}
    card["metrics"] = {name: result["overall"] for name, result in metrics.items()}
    uncertainty = None
    if isinstance(model, Committee):
        uncertainty = assess_uncertainty(model.member(0), sets["train"], parts["val"], parts["test"], sets["test"], mobile)
    if uncertainty is not None:
        card["uncertainty"] = uncertainty.for_card()
    golden = [sets["test"].frames[i] for i in subset(sets["test"], 3, cfg.seed)]
    save(folder / "model", model, card, golden, grade=uncertainty and uncertainty.grade)
    history = folder / "history.csv"
    notes = honest_warnings(
        metrics, leaks=data.splits.leaks, split_description=data.splits.description, energies_identifiable=origin.reference.identifiable
    )
    if origin.before is not None:
        notes = [*_compare_with_start(origin.before, metrics["val"]), *notes]
    show_results(
        folder,
        cfg.name,
        parts,
        metrics,
        mobile,
        notes,
        history=_numbers(read_history(history)) if history.exists() else [],
        data_summary=data_summary(data, origin.reference),
        config_text=OmegaConf.to_yaml(cfg, resolve=True),
        card=card,
        reference_rows=_container(cfg.get("reference_rows")) or [],
        uncertainty=uncertainty and uncertainty.content,
    )
    return _score(metrics)


def _score(metrics: dict) -> float:
    """What a sweep minimises: the validation force MAE, meV/Å, or the energy's, meV/atom, where there are no forces."""
    row = metrics["val"]["overall"]
    return row["force_mae"] if row["force_mae"] is not None else row["energy_mae"]


def _compare_with_start(before: dict, after: dict) -> list[str]:
    """Print validation errors before and after fine-tuning; a warning where it made the forces worse."""
    from rich.table import Table

    table = Table("validation", "before", "after", title="fine-tuning")
    for name, key in (("force MAE, meV/Å", "force_mae"), ("energy MAE, meV/atom", "energy_mae"), ("stress MAE, GPa", "stress_mae_gpa")):
        cells = [row["overall"][key] for row in (before, after)]
        table.add_row(name, *("–" if cell is None else f"{cell:.3f}" for cell in cells))
    console().print(table)
    start, end = (row["overall"]["force_mae"] for row in (before, after))
    if start is None or end <= start:
        return []
    worse = (
        f"Fine-tuning made the validation forces worse, {start:.1f} to {end:.1f} meV/Å: "
        "train longer or with a smaller `optimizer.lr`, or keep the start."
    )
    log.warning(worse)
    return [worse]


def _numbers(rows: list[dict[str, str]]) -> list[dict[str, float]]:
    return [{key: float(value) for key, value in row.items() if value != ""} for row in rows]


def _container(node):
    return None if node is None else OmegaConf.to_container(node, resolve=True)


def _quiet() -> None:
    """Lightning's advice about workers and loggers does not apply: graphs are in memory."""
    warnings.filterwarnings("ignore", message=".*does not have many workers.*")
    warnings.filterwarnings("ignore", message=".*LeafSpec.*")
    warnings.filterwarnings("ignore", message="Checkpoint directory .* exists and is not empty")  # a run goes on in its own folder
    for talkative in ("pytorch_lightning", "matplotlib"):
        logging.getLogger(talkative).setLevel(logging.WARNING)
