"""`python scripts/export_model.py engine=… model=…`: a trained model as an MD engine loads it."""

import logging
import time
from pathlib import Path

from hydra.utils import instantiate
from omegaconf import DictConfig

from mlff.artefact.locate import locate_model
from mlff.export.engine import export as export_to
from mlff.run.threads import set_threads

log = logging.getLogger(__name__)


def export(cfg: DictConfig) -> Path:
    """Write what the engine loads, and an example that runs as it is, into cfg.folder."""
    set_threads(cfg.threads)
    engine, folder = instantiate(cfg.engine), Path(cfg.folder)
    begin = time.perf_counter()
    export_to(engine, locate_model(cfg.model), folder)
    size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    log.info(
        "%s, %.1f MB, in %.0f s: %s", folder, size / 1e6, time.perf_counter() - begin, ", ".join(sorted(p.name for p in folder.iterdir()))
    )
    if missing := engine.missing():
        log.warning("it cannot run here: %s", missing)
    return folder
