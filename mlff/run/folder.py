"""A run's folder: what may be written into it, and what an interrupted or finished run left there."""

import json
import logging
from pathlib import Path

from omegaconf import DictConfig, OmegaConf

from mlff.run.settings import flat

log = logging.getLogger(__name__)

# of a run that is replaced; its model stays until the new one is whole
LEFTOVERS = ("metrics.json", "report.html", "history.csv", "checkpoints/last.ckpt")


def finished_metrics(folder: Path, cfg: DictConfig) -> dict | None:
    """The metrics of this very run where it has been finished before; None where there is something to do.

    Raises:
        ValueError: the folder holds a run with other settings, finished or not, which would be lost.
    """
    if cfg.trainer.resume not in ("auto", "never"):
        raise ValueError(f"trainer.resume is {cfg.trainer.resume!r}, expected 'auto' or 'never'")
    config, metrics = folder / "config.yaml", folder / "metrics.json"
    begun = metrics.exists() or (folder / "checkpoints" / "last.ckpt").exists()
    if cfg.trainer.resume == "never" or not (begun and config.exists()):
        return None
    found = [words for name, words in changes(OmegaConf.load(config), cfg).items() if name != "folder"]  # it may have moved
    if found:
        raise ValueError(
            f"{folder} holds {'a finished' if metrics.exists() else 'an unfinished'} run with other settings ({'; '.join(found)}); "
            "choose another `name`, or replace it with trainer.resume=never"
        )
    return json.loads(metrics.read_text()) if metrics.exists() else None


def prepare_folder(folder: Path, cfg: DictConfig) -> Path | None:
    """Write config.yaml; the checkpoint to continue from, if this very run was interrupted."""
    checkpoint = folder / "checkpoints" / "last.ckpt"
    if cfg.trainer.resume == "auto" and checkpoint.exists() and (folder / "config.yaml").exists():
        log.info("continuing from %s", checkpoint)
        return checkpoint
    folder.mkdir(parents=True, exist_ok=True)
    for old in LEFTOVERS:
        (folder / old).unlink(missing_ok=True)
    (folder / "config.yaml").write_text(OmegaConf.to_yaml(cfg, resolve=True))
    return None


def changes(old: DictConfig, new: DictConfig) -> dict[str, str]:
    """`trainer.max_epochs 40 → 30` of each setting that differs, by its name."""
    before, after = (flat(OmegaConf.to_container(cfg, resolve=True)) for cfg in (old, new))
    return {
        key: f"{key} {before.get(key, 'absent')} → {after.get(key, 'absent')}"
        for key in sorted(before.keys() | after.keys())
        if before.get(key) != after.get(key)
    }
