"""`python scripts/export_model.py model=…`: a trained model as compiled files."""

import logging
import time
from pathlib import Path

from omegaconf import DictConfig

from mlff.artefact import load
from mlff.export.compiled import compile_potential, compile_stages
from mlff.nn.native.build import find_compiler
from mlff.run.threads import set_threads

log = logging.getLogger(__name__)


def export(cfg: DictConfig) -> Path | None:
    """Write model.pt2 and model.json into cfg.folder, and the stages where they are asked for; None where nothing can compile."""
    set_threads(cfg.threads)
    artefact = load(cfg.model)
    if find_compiler() is None:
        log.warning(
            "found no C++ compiler, so that nothing was exported: install g++, or set CXX to one; "
            "until then %s runs in Python as it is (mlff.export.ase)",
            cfg.model,
        )
        return None
    log.info("compiling %s for %s; this takes a few minutes once, and seconds for the same model again", cfg.model, cfg.device)
    begin = time.perf_counter()
    path = compile_potential(artefact.members, cfg.folder, device=cfg.device, dtype=cfg.dtype)
    if cfg.stages:
        compile_stages(artefact.members, cfg.folder, device=cfg.device, dtype=cfg.dtype)
    log.info("%s, %.1f MB, in %.0f s", path, path.stat().st_size / 1e6, time.perf_counter() - begin)
    return path
