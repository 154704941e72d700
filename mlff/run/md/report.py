"""What came of a run for people: a table, figures and one page."""

import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from omegaconf import DictConfig, OmegaConf
from rich.box import SIMPLE_HEAD
from rich.table import Table

from mlff.md.plan import Plan
from mlff.report import ArrheniusSeries, MdReport, MotionShares, write_md_figures, write_md_report
from mlff.report import Replica as Row
from mlff.report.md_tables import cell
from mlff.run.console import console
from mlff.run.md.numbers import write_numbers
from mlff.run.md.results import Lines, Result, arrhenius_lines, shares_of
from mlff.run.md.rows import doubts, rows_of

log = logging.getLogger(__name__)


def report_md(cfg: DictConfig, plan: Plan, folder: Path, results: Sequence[Result], endings: Mapping[str, str]) -> Path:
    """Write everything into the run's folder, and print the table; the page."""
    lines, shares, rows = arrhenius_lines(results), shares_of(results), rows_of(plan, folder, results, endings)
    warnings = doubts(plan, folder, rows.values())
    write_numbers(folder, results, lines, shares, endings)
    _print(results, rows, warnings)
    content = _content(cfg, plan, results, lines, shares, list(rows.values()), warnings)
    write_md_figures(folder / "figures", content)
    return write_md_report(content, folder / "report.html")


def _content(
    cfg: DictConfig,
    plan: Plan,
    results: Sequence[Result],
    lines: Lines,
    shares: Sequence[MotionShares],
    rows: Sequence[Row],
    warnings: Sequence[str],
) -> MdReport:
    structures = sorted({structure for structure, _ in lines})
    several = len(structures) > 1
    n_atoms, length = sorted({len(replica.atoms) for replica in plan.replicas}), sum(row.duration for row in rows)
    return MdReport(
        title=f"Molecular dynamics: {cfg.name}",
        summary=f"{len(rows)} replicas of {', '.join(map(str, n_atoms))} atoms, {length:g} ps in all, with {cfg.model}.",
        replicas=rows if several else [_without(row, structures[0]) for row in rows],
        arrhenius=[ArrheniusSeries(f"{name} {mode}" if several else mode, *found) for (name, mode), found in lines.items()],
        shares=shares,
        warnings=warnings,
        mobile=results[0].mobile,
        setup={
            "model": str(cfg.model),
            "structures": ", ".join(structures),
            "ensemble": type(plan.ensemble).__name__,
            "timestep, fs": cfg.timestep,
            "stages": ", ".join(stage.name for stage in plan.protocol.stages),
        },
        config_text=OmegaConf.to_yaml(cfg, resolve=True),
    )


def _without(row: Row, structure: str) -> Row:
    """Under a shorter name: narrow tables want it."""
    return replace(row, name=row.name.removeprefix(f"{structure}_"))


def _print(results: Sequence[Result], rows: Mapping[str, Row], warnings: Sequence[str]) -> None:
    heads = ("structure", "T, K", "mean", "mode", "runs", "ion", "D, cm²/s", "σ (Nernst–Einstein), S/cm", "exponent of the MSD")
    table, reasons = Table(*heads, box=SIMPLE_HEAD), defaultdict(list)
    for result in results:
        where, found = result.condition, result.together
        mode = where.mode if where.member is None else f"{where.mode}, member {where.member}"
        means = [mean for name in result.each if (mean := rows[name].mean_temperature) is not None]
        mean = f"{np.mean(means):.0f}" if means else "–"
        exponent = "–" if found.details is None else cell(found.details.exponent)
        numbers = (cell(found.diffusivity), cell(found.conductivity), exponent)
        table.add_row(where.structure, f"{where.temperature:g}", mean, mode, str(len(result.each)), result.mobile, *numbers)
        if not found.diffusivity.known:
            reasons[found.diffusivity.reason].append(f"{where.structure} {where.temperature:g} K {mode}")
    console().print(table)
    for reason, places in reasons.items():
        log.info("no value for %s: %s", ", ".join(places), reason)
    for warning in warnings:
        log.warning("warning: %s", warning)
