"""`python scripts/evaluate.py model=… data=…`: what a model is worth on data that it has not seen."""

import logging
from pathlib import Path

from omegaconf import DictConfig, OmegaConf

from mlff.artefact import load
from mlff.report import honest_warnings
from mlff.run.data import dataset, read_data
from mlff.run.predict import predict
from mlff.run.predictions_file import write_predictions
from mlff.run.results import show_results
from mlff.run.threads import set_threads
from mlff.train.metrics import compute_metrics

log = logging.getLogger(__name__)


def evaluate(cfg: DictConfig) -> dict:
    """Write report.html, metrics.json and predictions.extxyz into cfg.folder; returns the metrics."""
    set_threads(cfg.threads)
    folder = Path(cfg.folder)
    artefact = load(cfg.model)
    card, potential = artefact.card, artefact.potential
    frames = read_data(cfg.data, cfg.format, cfg.energy_kind)
    mobile = list(cfg.mobile) if cfg.mobile is not None else card["mobile"]
    predictions = predict(potential, dataset(frames, potential.species, potential.r_max, range(len(frames))), cfg.device)
    metrics = {"test": compute_metrics(frames, predictions, mobile)}
    folder.mkdir(parents=True, exist_ok=True)
    write_predictions(folder / "predictions.extxyz", frames, predictions)
    seen = artefact.trained_on(frames)
    if seen:
        log.warning("%s was trained on %d of these %d frames: their errors say little about new ones", card["name"], seen, len(frames))
    notes = honest_warnings(
        metrics,
        leaks=seen > 0,
        split_description=f"the model was trained on {seen} of these {len(frames)} frames",
        energies_identifiable=card["data"]["energies_identifiable"],
    )
    show_results(
        folder,
        f"{card['name']} on {Path(str(cfg.data)).name}",
        {"test": (frames, predictions)},
        metrics,
        mobile,
        notes,
        data_summary={"file": frames[0].source, "test": {"frames": len(frames), "atoms": sum(len(f.numbers) for f in frames)}},
        config_text=OmegaConf.to_yaml(cfg, resolve=True),
        card=card,
    )
    return metrics
