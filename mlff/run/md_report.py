"""What came of a run, for people and for programs: a table, results.json, CSV files, figures and one page."""

import csv
import json
import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from omegaconf import DictConfig, OmegaConf
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from mlff.analysis import Arrhenius, Estimate, constraint_reduction, haven_ratio, no_result
from mlff.analysis.anion_shares import shapley_decrease
from mlff.analysis.constraint_reduction import LADDER
from mlff.geometry.anion_motion import MODES
from mlff.md.plan import Plan
from mlff.md.run_folder import REPLICAS, TRAJECTORY
from mlff.report import ArrheniusSeries, MdReport, MotionShares, MsdCurve, TimeSeries, write_md_figures, write_md_report
from mlff.report import Replica as Row
from mlff.report.md_content import NOT_MEASURED
from mlff.report.md_tables import ROOM, cell
from mlff.run.md_results import Measured, Result, arrhenius_lines
from mlff.trajectory import Series, Trajectory
from mlff.units import EV_PER_A3_TO_GPA, PS, TO_MILLI

OFF_TARGET, FAST_DRIFT = 0.05, 0.1  # of the temperature asked for; meV/atom/ps
log = logging.getLogger(__name__)

PLACE = ("structure", "temperature_K", "mode", "member")
WIDTH = 130  # columns of a file, which would otherwise be taken for 80


def report_md(cfg: DictConfig, plan: Plan, folder: Path, results: Sequence[Result], endings: Mapping[str, str]) -> Path:
    """Write everything into the run's folder, and print the table; the page."""
    lines = arrhenius_lines(results)
    words = {
        "conditions": [_words_on(result) for result in results],
        "arrhenius": [{"structure": s, "mode": m} | _words_on_line(line) for (s, m), (_, line) in lines.items()],
        "anion_motions": [_words_on_shares(shares) for shares in _shares(results)],
        "endings": dict(endings),
    }
    (folder / "results.json").write_text(json.dumps(words, indent=2, ensure_ascii=False) + "\n")
    _write_csv(folder / "msd.csv", (*PLACE, "time_ps", "msd_A2", "single_origin_A2"), _msd_rows(results))
    _write_csv(folder / "pairs.csv", (*PLACE, "pair", "r_A", "g", "error"), _pair_rows(results))
    rows = {name: _row(plan, folder, result, name, found, endings[name]) for result in results for name, found in result.each.items()}
    content = _content(cfg, plan, folder, results, endings, lines, rows)
    _print(results, rows, content.warnings)
    write_md_figures(folder / "figures", content)
    return write_md_report(content, folder / "report.html")


def _content(
    cfg: DictConfig,
    plan: Plan,
    folder: Path,
    results: Sequence[Result],
    endings: Mapping[str, str],
    lines: Mapping,
    rows: Mapping[str, Row],
) -> MdReport:
    several = len({structure for structure, _ in lines}) > 1
    arrhenius = [
        ArrheniusSeries(f"{structure} {mode}" if several else mode, values, line) for (structure, mode), (values, line) in lines.items()
    ]
    warnings = [f"{name} was stopped: {reason}" for name, reason in endings.items() if reason != "finished"]
    warnings += _warnings(rows.values())
    warnings += [told for replica in plan.replicas if (told := _disagreement(plan, folder, replica.name))]
    n_atoms = sorted({len(replica.atoms) for replica in plan.replicas})
    return MdReport(
        title=f"Molecular dynamics: {cfg.name}",
        summary=f"{len(rows)} replicas of {', '.join(map(str, n_atoms))} atoms, "
        f"{sum(row.duration for row in rows.values()):g} ps in all, with {cfg.model}.",
        replicas=[row if several else _without(row, results[0].condition.structure) for row in rows.values()],
        arrhenius=arrhenius,
        shares=_shares(results),
        warnings=warnings,
        mobile=results[0].mobile,
        setup={
            "model": str(cfg.model),
            "structures": ", ".join(sorted({replica.structure for replica in plan.replicas})),
            "ensemble": type(plan.ensemble).__name__,
            "timestep, fs": cfg.timestep,
            "stages": ", ".join(stage.name for stage in plan.protocol.stages),
        },
        config_text=OmegaConf.to_yaml(cfg, resolve=True),
    )


def _disagreement(plan: Plan, folder: Path, name: str) -> str | None:
    """Where the members of the committee disagreed by more than the bound that does not stop a replica."""
    trajectory, bound = Trajectory(folder / REPLICAS / name / TRAJECTORY), plan.bounds.deviation
    if bound is None or "thermo" not in trajectory.series_names:
        return None
    found = trajectory.series("thermo").values.get("deviation", np.zeros(0))
    beyond = int((found > bound).sum())
    if not beyond:
        return None
    return f"{name}: the members disagreed by up to {found.max():.3f} eV/Å, more than {bound} at {beyond} of {len(found)} records"


def _without(row: Row, structure: str) -> Row:
    """Under a shorter name: narrow tables want it."""
    return replace(row, name=row.name.removeprefix(f"{structure}_"))


def _row(plan: Plan, folder: Path, result: Result, name: str, measured: Measured, ending: str) -> Row:
    trajectory = Trajectory(folder / REPLICAS / name / TRAJECTORY)
    thermo = trajectory.series("thermo") if "thermo" in trajectory.series_names else Series(np.zeros(0), {})
    last = _last_stage(plan, thermo)
    curve, exponent, haven = None, NOT_MEASURED, NOT_MEASURED
    if measured.details is not None:
        curve, exponent = MsdCurve.of(measured.displacements, measured.details), measured.details.exponent
    if measured.diffusivity.known:  # of vibrations alone the ratio says nothing
        try:
            haven = haven_ratio(measured.displacements).haven_ratio
        except ValueError as too_short:
            haven = no_result(str(too_short))
    return Row(
        name=name,
        temperature=result.condition.temperature,
        mode=result.condition.mode,
        duration=0.0 if measured.displacements is None else measured.displacements.duration / PS,
        mean_temperature=float(last.values["temperature"].mean()) if len(last) else None,
        diffusivity=measured.diffusivity,
        conductivity=measured.conductivity,
        exponent=exponent,
        haven_ratio=haven,
        drift=_drift_rate(plan, last),
        status=ending if ending == "finished" else f"stopped: {ending}",
        msd=curve,
        series=_series(thermo, plan.settings.timestep, len(trajectory.numbers)) if len(thermo) else [],
    )


def _last_stage(plan: Plan, thermo: Series) -> Series:
    timestep = plan.settings.timestep
    inside = thermo.steps > plan.protocol.n_steps(timestep) - plan.protocol.stages[-1].n_steps(timestep)
    return Series(thermo.steps[inside], {name: values[inside] for name, values in thermo.values.items()})


def _warnings(rows: Iterable[Row]) -> list[str]:
    """What makes the numbers of a replica doubtful."""
    found = []
    for row in rows:
        if row.mean_temperature is not None and abs(row.mean_temperature / row.temperature - 1) > OFF_TARGET:
            found.append(
                f"{row.name}: the mean temperature of the last stage is {row.mean_temperature:.0f} K, not {row.temperature:g} K; "
                "equilibrate longer, before ensemble=nve with protocol.equilibration_ensemble=csvr"
            )
        if row.drift is not None and abs(row.drift) > FAST_DRIFT:
            found.append(f"{row.name}: what is conserved drifts by {row.drift:.2g} meV/atom/ps; take a shorter timestep")
    return found


def _series(thermo, timestep: float, n_atoms: int) -> list[TimeSeries]:
    times, values = thermo.steps * timestep / PS, thermo.values
    shown = [
        TimeSeries("temperature, K", times, values["temperature"]),
        TimeSeries("potential energy, eV/atom", times, values["potential_energy"] / n_atoms),
        TimeSeries("drift of the conserved quantity, meV/atom", times, values["drift"] * TO_MILLI),
    ]
    if "pressure" in values:
        shown.append(TimeSeries("pressure, GPa", times, values["pressure"] * EV_PER_A3_TO_GPA))
    if np.ptp(values["volume"]) > 0:
        shown.append(TimeSeries("volume, Å³", times, values["volume"]))
    return shown


def _drift_rate(plan: Plan, last: Series) -> float | None:
    """Slope of the conserved quantity over the last stage, meV/atom/ps; None of less than half a picosecond."""
    times = last.steps * plan.settings.timestep / PS
    if len(last) < 3 or np.ptp(times) < 0.5:
        return None
    return float(np.polyfit(times, last.values["drift"] * TO_MILLI, 1)[0])


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
    console = Console()
    (console if console.is_terminal else Console(width=WIDTH)).print(table)
    for reason, places in reasons.items():
        log.info("no value for %s: %s", ", ".join(places), reason)
    for warning in warnings:
        log.warning("warning: %s", warning)


def _shares(results: Sequence[Result]) -> list[MotionShares]:
    """At each structure and temperature where the ladder was run, members apart."""
    found, of_place = [], {}
    for result in results:
        where = result.condition
        structure = where.structure if where.member is None else f"{where.structure}, member {where.member}"
        of_place.setdefault((structure, where.temperature), {})[where.mode] = result.together.conductivity
    for (structure, temperature), by_mode in of_place.items():
        if set(LADDER) <= by_mode.keys():
            reduction = constraint_reduction(by_mode)
            shapley = shapley_decrease(by_mode) if set(MODES) <= by_mode.keys() else {}
            found.append(MotionShares(structure, temperature, reduction.decrease, reduction.share, shapley))
    return found


def _words_on_shares(shares: MotionShares) -> dict:
    named = {
        name: {motion: _words_of(value) for motion, value in getattr(shares, name).items()} for name in ("decrease", "share", "shapley")
    }
    return {"structure": shares.structure, "temperature": shares.temperature} | {name: words for name, words in named.items() if words}


def _words_on(result: Result) -> dict:
    where, found = result.condition, result.together
    return {
        "structure": where.structure,
        "temperature": where.temperature,
        "mode": where.mode,
        "member": where.member,
        "mobile": result.mobile,
        "replicas": list(result.each),
        "diffusivity": _words_of(found.diffusivity),
        "conductivity": _words_of(found.conductivity),
        "exponent": None if found.details is None else _words_of(found.details.exponent),
        "fitted_diffusivity": None if found.details is None else _words_of(found.details.fitted),
    }


def _words_on_line(line: Arrhenius) -> dict:
    log = line.log10_at(ROOM)
    return {
        "activation_energy": _words_of(line.activation_energy),
        "temperatures": list(line.temperatures),
        "contradicted": list(line.contradicted),
        f"log10_conductivity_{ROOM:g}K": _words_of(
            Estimate(log.value - np.log10(ROOM), log.error) if log.known else log,
        ),
    }


def _words_of(estimate: Estimate) -> dict:
    named = {name: getattr(estimate, name) for name in ("value", "error", "lower", "upper", "unit", "reason")}
    return {name: value for name, value in named.items() if value not in (None, "")} | {"text": str(estimate)}


def _msd_rows(results: Sequence[Result]) -> list[tuple]:
    return [
        (*_place(result), time / PS, msd, single)
        for result in results
        if (found := result.together.displacements) is not None
        for time, msd, single in zip(found.times, found.msd(), found.msd("first_origin"), strict=True)
    ]


def _pair_rows(results: Sequence[Result]) -> list[tuple]:
    return [
        (*_place(result), "-".join(pair), r, g, error)
        for result in results
        if (pairs := result.pairs) is not None
        for pair in pairs.g
        for r, g, error in zip(pairs.r, pairs.g[pair], pairs.error[pair], strict=True)
    ]


def _place(result: Result) -> tuple:
    where = result.condition
    return where.structure, where.temperature, where.mode, "" if where.member is None else where.member


def _write_csv(path: Path, head: Sequence[str], rows: Sequence[tuple]) -> None:
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(head)
        writer.writerows([[f"{value:.8g}" if isinstance(value, float) else value for value in row] for row in rows])
