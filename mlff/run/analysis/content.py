"""From outcomes to a report: what each observable says, conditions side by side, Arrhenius lines and shares of the anions' motions."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from mlff.analysis import Estimate, fit_arrhenius, times_temperature
from mlff.analysis.conductivity.room_temperature import room_temperature
from mlff.analysis.conductivity.transport import Transport
from mlff.analysis.sites import correlation_factor
from mlff.report.analysis_page import AnalysisReport, Observed
from mlff.report.arrhenius_panel import Measured, arrhenius_panel
from mlff.report.md_content import ArrheniusSeries, MotionShares
from mlff.report.md_tables import ROOM, arrhenius_table, shares_table
from mlff.report.observables import describe
from mlff.report.panels import Description, Number
from mlff.run.analysis.outcome import Outcome
from mlff.run.motion_shares import motion_shares


def report_of(title: str, found: Sequence[Outcome], measured: Sequence[Measured], config_text: str) -> AnalysisReport:
    named = labels_of(found)
    lines = arrhenius_lines(found, lambda transport, temperature: times_temperature(transport.conductivity, temperature))
    shares = _shares(found)
    panels = []
    if any(len(line.values) > 1 for line in lines) or (lines and measured):
        panels.append(arrhenius_panel("Arrhenius", "log₁₀ σT, S K/cm", lines, measured))
    tables = [arrhenius_table([line for line in lines if len(line.values) > 1]), shares_table(shares)]
    return AnalysisReport(
        title=f"Transport: {title}",
        summary=_summary(found),
        observed=_observed(named),
        main=_main(named, lines),
        overview=panels,
        tables=[table for table in tables if table is not None],
        warnings=_warnings(named),
        left_out={name: reason for outcome in found for name, reason in outcome.left_out.items()},
        setup=_setup(named),
        config_text=config_text,
    )


def labels_of(found: Sequence[Outcome]) -> dict[str, Outcome]:
    """Each by the parts of its condition in which they differ: "UC 600 K"; a single one by its structure."""
    conditions = [outcome.condition for outcome in found]
    parts = [(c.structure, c.mode, "" if c.temperature is None else f"{c.temperature:g} K") for c in conditions]
    varying = [len(set(column)) > 1 for column in zip(*parts, strict=True)]
    if not any(varying):
        varying = [True, False, False]
    return {
        " ".join(part for part, kept in zip(row, varying, strict=True) if kept and part): outcome
        for row, outcome in zip(parts, found, strict=True)
    }


def _observed(named: Mapping[str, Outcome]) -> list[Observed]:
    names = list(dict.fromkeys(name for outcome in named.values() for name in outcome.results))
    return [Observed(name, {label: _described(name, o) for label, o in named.items() if name in o.results}) for name in names]


def _described(name: str, outcome: Outcome) -> Description:
    """What is shown; of hops also what the fitted diffusivity makes of their jumps, of displacements what single runs and members say."""
    description = describe(outcome.results[name], outcome.system)
    if name == "hops" and outcome.transport is not None:
        fitted = correlation_factor(outcome.transport.diffusivity, outcome.results[name].jump_diffusivity)
        return replace(description, numbers=[*description.numbers, Number("correlation factor, of the fitted tracer diffusivity", fitted)])
    if name != "msd" or (combined := outcome.combined) is None:
        return description
    parts = {
        "mean of the trajectories": combined.combined,
        "error of the model (scatter of the members)": combined.model,
        "scatter between trajectories beyond their errors": combined.between_runs,
    }
    members = len({source.driver for source in outcome.sources}) > 1
    told = [Number(f"tracer diffusivity, {what}", part) for what, part in parts.items() if members or "model" not in what]
    return replace(description, numbers=[*description.numbers, *told])


def arrhenius_lines(found: Sequence[Outcome], quantity: Callable[[Transport, float], Estimate]) -> list[ArrheniusSeries]:
    """What `quantity` tells of the transport at a temperature (K), by structure and mode, with the line through it."""
    values: dict[tuple[str, str], dict[float, Estimate]] = defaultdict(dict)
    for outcome in found:
        where = outcome.condition
        if outcome.transport is not None and where.temperature is not None:
            values[where.structure, where.mode][where.temperature] = quantity(outcome.transport, where.temperature)
    several = len({structure for structure, _ in values}) > 1
    modes = len({mode for _, mode in values}) > 1
    found_lines = []
    for (structure, mode), by_temperature in values.items():
        name = " ".join(part for part, kept in ((structure, several or not modes), (mode, modes)) if kept)
        found_lines.append(ArrheniusSeries(name, by_temperature, fit_arrhenius(by_temperature)))
    return found_lines


def _shares(found: Sequence[Outcome]) -> list[MotionShares]:
    """At each structure and temperature where the ladder of constraints was run."""
    of_place: dict[tuple[str, float], dict[str, Estimate]] = defaultdict(dict)
    for outcome in found:
        where = outcome.condition
        if outcome.transport is not None and where.temperature is not None:
            of_place[where.structure, where.temperature][where.mode] = outcome.transport.conductivity
    return motion_shares(of_place)


def _main(named: Mapping[str, Outcome], lines: Sequence[ArrheniusSeries]) -> list[tuple[str, Estimate, str]]:
    main = []
    for label, outcome in list(named.items())[:2]:
        if (told := outcome.transport) is not None:
            main += [(f"D of {outcome.system.mobile}", told.diffusivity, label), ("σ, Nernst–Einstein", told.conductivity, label)]
    for line in lines[:1]:
        if line.line.coefficients is not None:
            main.append(("E_a", line.line.activation_energy, line.mode))
            room = room_temperature({t: value.times(1 / t, "S/cm") for t, value in line.values.items()}, ROOM)
            main.append((f"σ({ROOM:g} K)", room.conductivity, line.mode))
    return main


def _warnings(named: Mapping[str, Outcome]) -> list[str]:
    drifting = [label for label, outcome in named.items() if not outcome.system.rests]
    if not drifting:
        return []
    return [
        f"{', '.join(drifting)}: the total momentum is not conserved, or nobody said so; no drift was removed from the displacements "
        "(rests=true says that it is conserved)"
    ]


def _summary(found: Sequence[Outcome]) -> str:
    atoms = sorted({len(outcome.system.symbols) for outcome in found})
    n = sum(len(outcome.sources) for outcome in found)
    total = sum(outcome.duration * len(outcome.sources) for outcome in found)
    plural = "trajectories" if n > 1 else "trajectory"
    return f"{n} {plural} of {', '.join(map(str, atoms))} atoms, {total:g} ps in all, {len(found)} condition{'s' * (len(found) > 1)}."


def _setup(named: Mapping[str, Outcome]) -> dict:
    setup: dict = {}
    for label, outcome in named.items():
        system = outcome.system
        setup[label] = {
            "atoms": len(system.symbols),
            "mobile ion": system.mobile,
            "trajectories": len(outcome.sources),
            "frames apart, fs": system.frame_time,
            "length, ps": outcome.duration,
            "drift removed": system.rests,
            "anions": ", ".join(f"{n} {kind}" for kind, n in system.topology.counts().items()) or "none",
        }
    setup["ns of processor time per atom and frame"] = {name: round(cost, 1) for name, cost in next(iter(named.values())).cost.items()}
    return setup
