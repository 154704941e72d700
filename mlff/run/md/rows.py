"""Each replica as a report shows it, and what makes its numbers doubtful."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from mlff.analysis import haven_ratio, no_result
from mlff.md.plan import Plan
from mlff.md.run_folder import REPLICAS, TRAJECTORY
from mlff.report import MsdCurve, TimeSeries
from mlff.report import Replica as Row
from mlff.report.md_content import NOT_MEASURED
from mlff.run.md.results import Measured, Result
from mlff.trajectory import Series, Trajectory
from mlff.units import EV_PER_A3_TO_GPA, PS, TO_MILLI

OFF_TARGET, FAST_DRIFT = 0.05, 0.1  # of the temperature asked for; meV/atom/ps


def rows_of(plan: Plan, folder: Path, results: Sequence[Result], endings: Mapping[str, str]) -> dict[str, Row]:
    """By the name of the replica."""
    return {name: _row(plan, folder, result, name, found, endings[name]) for result in results for name, found in result.each.items()}


def doubts(plan: Plan, folder: Path, rows: Iterable[Row]) -> list[str]:
    """One sentence for each: stops, temperatures off their targets, drifts, members that disagree."""
    found = []
    for row in rows:
        if row.status != "finished":
            found.append(f"{row.name} was {row.status}")
        if row.mean_temperature is not None and abs(row.mean_temperature / row.temperature - 1) > OFF_TARGET:
            found.append(
                f"{row.name}: the mean temperature of the last stage is {row.mean_temperature:.0f} K, not {row.temperature:g} K; "
                "equilibrate longer, before ensemble=nve with protocol.equilibration_ensemble=csvr"
            )
        if row.drift is not None and abs(row.drift) > FAST_DRIFT:
            found.append(f"{row.name}: what is conserved drifts by {row.drift:.2g} meV/atom/ps; take a shorter timestep")
        if told := _disagreement(plan, folder, row.name):
            found.append(told)
    return found


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


def _series(thermo: Series, timestep: float, n_atoms: int) -> list[TimeSeries]:
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


def _disagreement(plan: Plan, folder: Path, name: str) -> str | None:
    """Where the members of the committee disagreed by more than the bound that does not stop a replica."""
    bound = plan.bounds.deviation
    if bound is None:
        return None
    trajectory = Trajectory(folder / REPLICAS / name / TRAJECTORY)
    if "thermo" not in trajectory.series_names:
        return None
    found = trajectory.series("thermo").values.get("deviation", np.zeros(0))
    beyond = int((found > bound).sum())
    if not beyond:
        return None
    return f"{name}: the members disagreed by up to {found.max():.3f} eV/Å, more than {bound} at {beyond} of {len(found)} records"
