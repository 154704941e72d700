"""`python scripts/analyze.py`: reads trajectories once, and tells all that their observables say."""

import logging
from collections.abc import Sequence
from pathlib import Path

from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf
from rich.box import SIMPLE_HEAD
from rich.table import Table

from mlff.analysis.density.density_files import write_chgcar, write_cube
from mlff.report.analysis_page import write_analysis_report
from mlff.report.md_tables import cell
from mlff.run.analysis.content import labels_of, report_of
from mlff.run.analysis.measured import read_measured
from mlff.run.analysis.outcome import Make, Outcome, outcomes
from mlff.run.analysis.sources import Reading, sources_of
from mlff.run.console import console

log = logging.getLogger(__name__)

CONFIG = "config.yaml"


def analyze(cfg: DictConfig) -> Path:
    """Analyse what `cfg.trajectory` names, or go on where an earlier call or a running simulation has come to; the page.

    Raises:
        ValueError: what is asked for is not there, or a trajectory is refused.
    """
    words = OmegaConf.to_container(cfg, resolve=True)
    makes = _makes(cfg)
    measured = [] if cfg.measured is None else read_measured(cfg.measured)
    reading = Reading(**{name: words[name] for name in Reading.__dataclass_fields__})
    sources = sources_of(words["trajectory"], reading)
    folder = Path(cfg.folder)
    folder.mkdir(parents=True, exist_ok=True)
    settings = OmegaConf.to_yaml(cfg, resolve=True)
    (folder / CONFIG).write_text(settings)
    found = outcomes(sources, makes, folder, cfg.threads, cfg.follow)
    content = report_of(cfg.name, found, measured, settings)
    _print(found, content.warnings)
    page = write_analysis_report(content, folder, words["pictures"])
    _write_densities(found, folder / "density")
    log.info("%s; numbers.json, numbers.csv, csv/ and figures/ beside it", page)
    return page


def _makes(cfg: DictConfig) -> dict[str, Make]:
    wanted = list(cfg.available) if cfg.observables is None else list(cfg.observables)
    if unknown := [name for name in wanted if name not in cfg.available]:
        raise ValueError(f"found the observables {unknown}, expected some of {', '.join(cfg.available)}; correct `observables`")
    return {name: instantiate(cfg.available[name]) for name in wanted}


def _write_densities(found: Sequence[Outcome], folder: Path) -> None:
    """As files that VESTA, OVITO and VMD read, by the name of the condition."""
    for name, outcome in labels_of(found).items():
        density = outcome.results.get("density")
        if density is None:
            continue
        folder.mkdir(exist_ok=True)
        stem = f"{outcome.system.mobile}_{name}".replace(" ", "_").replace("/", "_")
        shown = (density.density, density.cell, density.symbols, density.positions, f"density of {outcome.system.mobile}, {name}")
        write_cube(folder / f"{stem}.cube", *shown)
        if len(density.symbols):
            write_chgcar(folder / f"{stem}.CHGCAR", *shown)


def _print(found: Sequence[Outcome], warnings: Sequence[str]) -> None:
    table = Table("condition", "ion", "D*, cm²/s", "σ, S/cm", "Haven ratio", "time, ps", box=SIMPLE_HEAD)
    for name, outcome in labels_of(found).items():
        transport = outcome.transport
        if transport is None:
            continue
        haven = "–" if transport.haven is None else cell(transport.haven.haven_ratio)
        cells = (cell(transport.diffusivity), cell(transport.conductivity), haven, f"{outcome.duration:g}")
        table.add_row(name, outcome.system.mobile, *cells)
    if table.row_count:
        console().print(table)
    costs = Table("observable", "ns per atom and frame", box=SIMPLE_HEAD)
    for name, cost in found[0].cost.items():
        costs.add_row(name, f"{cost:.0f}")
    console().print(costs)
    for name, reason in found[0].left_out.items():
        log.info("%s is left out: %s", name, reason)
    for warning in warnings:
        log.warning("warning: %s", warning)
