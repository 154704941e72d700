"""`python scripts/run_md.py`: molecular dynamics of many replicas, what it was asked for, and what came of it."""

import logging
from pathlib import Path

from omegaconf import DictConfig, OmegaConf
from rich.box import SIMPLE_HEAD
from rich.table import Table

from mlff.md.plan import Plan
from mlff.md.run_folder import CHECKPOINT
from mlff.md.simulation import Simulation
from mlff.md.watch import ProgressBar
from mlff.run.console import console
from mlff.run.folder import changes
from mlff.run.md.plan import plan_of, protocol_of, timestep_warning
from mlff.run.md.report import report_md
from mlff.run.md.results import measure
from mlff.run.threads import set_threads

log = logging.getLogger(__name__)

CONFIG = "config.yaml"
MAY_CHANGE = ("folder", "threads")  # neither is part of what is computed


def run_md(cfg: DictConfig) -> dict[str, str]:
    """Run all replicas to the end, or go on where they are; how each ended.

    Raises:
        ValueError: the folder holds a run of other settings, or replicas were stopped by a guard; the others are complete then.
    """
    set_threads(cfg.threads)
    folder, plan = Path(cfg.folder), plan_of(cfg)
    _take_folder(folder, cfg, plan)
    _print(plan)
    if odd := timestep_warning(plan):
        log.warning("warning: %s", odd)
    try:
        endings = Simulation(plan, folder, ProgressBar()).run()
    except KeyboardInterrupt:
        raise SystemExit(f"interrupted; the same command goes on from the last checkpoint in {folder}") from None
    if results := measure(plan, folder, cfg.mobile):
        log.info("%s, results.json, msd.csv and pairs.csv beside it", report_md(cfg, plan, folder, results, endings))
    log.info("last frames: %s/replicas/<name>/final.extxyz", folder)
    stopped = {name: reason for name, reason in endings.items() if reason != "finished"}
    if stopped:
        listed = "\n".join(f"  {name}: {reason}" for name, reason in stopped.items())
        raise ValueError(
            f"{len(stopped)} of {len(endings)} replicas were stopped, each with its frame in {folder}/replicas/<name>/stopped.extxyz:\n"
            f"{listed}\nlook at the frames; a shorter timestep, a gentler start or a better model may help"
        )
    return endings


def _take_folder(folder: Path, cfg: DictConfig, plan: Plan) -> None:
    """Write config.yaml, or see that the run which is there is this one, or this one with a shorter last stage."""
    own = OmegaConf.create({**OmegaConf.to_container(cfg, resolve=True), "model_hash": plan.about["model_hash"]})
    config = folder / CONFIG
    if config.exists() and (folder / CHECKPOINT).exists():
        old = OmegaConf.load(config)
        found = {name: words for name, words in changes(old, own).items() if name not in MAY_CHANGE}
        if found and not (_is_longer(old, cfg) and all(name.startswith("protocol.") for name in found)):
            raise ValueError(
                f"{folder} holds a run with other settings ({'; '.join(found.values())}); choose another `name`, or remove the folder. "
                "Only the last stage may become longer"
            )
    folder.mkdir(parents=True, exist_ok=True)
    config.write_text(OmegaConf.to_yaml(own))


def _is_longer(old: DictConfig, new: DictConfig) -> bool:
    before, after = (protocol_of(OmegaConf.to_container(cfg, resolve=True)).stages for cfg in (old, new))
    same = before[:-1] == after[:-1] and before[-1].name == after[-1].name
    return same and before[-1].holds and after[-1].holds and before[-1].n_steps(new.timestep) <= after[-1].n_steps(new.timestep)


def _print(plan: Plan) -> None:
    timestep = plan.settings.timestep
    stages = ", ".join(f"{stage.name} {stage.n_steps(timestep) * timestep / 1000:g} ps" for stage in plan.protocol.stages)
    log.info("%s; timestep %g fs", stages, timestep)
    table = Table("replica", "atoms", "temperature, K", "mode", "anions", box=SIMPLE_HEAD)
    for replica in plan.replicas:
        kinds = sorted({anion.kind for anion in replica.anions})
        counts = ", ".join(f"{sum(anion.kind == kind for anion in replica.anions)} {kind}" for kind in kinds)
        table.add_row(replica.name, str(len(replica.atoms)), f"{replica.temperature:g}", replica.mode, counts or "none")
    console().print(table)
