"""The tables and the main numbers of a molecular dynamics report."""

from collections.abc import Sequence

from mlff.analysis import Estimate
from mlff.analysis.conductivity.room_temperature import room_temperature
from mlff.report.axis import tick_text
from mlff.report.md_content import ArrheniusSeries, MdReport, MotionShares
from mlff.report.tables import Row, Table

ROOM = 300.0  # K


def cell(estimate: Estimate) -> str:
    """A number for a column that names its unit: with its error, or a bound, or a dash."""
    if not estimate.known and estimate.lower is None and estimate.upper is None:
        return "–"
    return str(estimate).removesuffix(f" {estimate.unit}") if estimate.unit else str(estimate)


def replica_table(content: MdReport) -> Table:
    """One row per replica, what a narrow window must show first; where D is no number, a remark says why."""
    ion = f"D of {content.mobile}" if content.mobile else "D"
    head = (
        ("replica", ""),
        (ion, "cm²/s"),
        ("σ", "S/cm"),
        ("exponent", "of the MSD"),
        ("Haven ratio", ""),
        ("T (mean)", "K"),
        ("mode", ""),
        ("length", "ps"),
        ("drift", "meV/atom/ps"),
        ("status", ""),
    )
    rows, reasons = [], {}
    for r in content.replicas:
        numbers = (cell(e) for e in (r.diffusivity, r.conductivity, r.exponent, r.haven_ratio))
        temperature = f"{r.temperature:g}" if r.mean_temperature is None else f"{r.temperature:g} ({r.mean_temperature:.0f})"
        drift = "–" if r.drift is None else tick_text(float(f"{r.drift:.2g}"))
        rows.append(Row(r.name, (*numbers, temperature, r.mode, f"{r.duration:,.4g}", drift, r.status.partition(":")[0])))
        if not r.diffusivity.known and r.diffusivity.reason != "not measured":
            reasons.setdefault(r.diffusivity.reason, []).append(r.name)
    rows += [Row(f"{r.name}: {r.status}.", (), kind="remark") for r in content.replicas if ":" in r.status]
    rows += [Row(f"No value for {', '.join(names)}: {reason}.", (), kind="remark") for reason, names in reasons.items()]
    return Table("Replicas", head, tuple(rows))


def arrhenius_table(arrhenius: Sequence[ArrheniusSeries]) -> Table | None:
    """Per constraint mode: activation energy, and σ at room temperature from the line."""
    if not arrhenius:
        return None
    rows = []
    for series in arrhenius:
        room = room_temperature({t: value.times(1 / t, "S/cm") for t, value in series.values.items()}, ROOM)
        sigma = room.conductivity.times(1e3, "mS/cm")
        cells = (cell(series.line.activation_energy), cell(series.line.log10_prefactor), cell(sigma), cell(room.log10))
        rows.append(Row(series.mode, (*cells, ", ".join(f"{t:g}" for t in series.line.temperatures) or "–")))
        if series.line.contradicted:
            at = ", ".join(f"{t:g} K" for t in series.line.contradicted)
            rows.append(
                Row(f"{series.mode}: the bound at {at} lies below the line, which is not one process down there.", (), kind="remark")
            )
        if not series.line.activation_energy.known:
            rows.append(Row(f"{series.mode}: {series.line.activation_energy.reason}.", (), kind="remark"))
    head = (
        ("mode", ""),
        ("E_a", "eV"),
        ("log₁₀ of the prefactor", "S K/cm"),
        (f"σ({ROOM:g} K)", "mS/cm"),
        (f"log₁₀ σ({ROOM:g} K)", "S/cm"),
        ("fitted at", "K"),
    )
    return Table("Arrhenius fits", head, tuple(rows))


def shares_table(shares: Sequence[MotionShares]) -> Table | None:
    """Per structure and temperature: what the constraint of each motion takes from log10 σ, and its share in what all take."""
    if not shares:
        return None
    motions = list(shares[0].decrease)
    shapley = any(s.shapley for s in shares)
    head = [("structure", ""), ("T", "K")]
    head += [(motion, kind) for motion in motions for kind in ("decades", "share", *(["Shapley, decades"] if shapley else []))]
    rows = []
    for s in shares:
        cells = [f"{s.temperature:g}"]
        for motion in motions:
            cells += [cell(s.decrease[motion]), cell(s.share[motion])]
            if shapley:
                cells.append(cell(s.shapley[motion]) if s.shapley else "–")
        rows.append(Row(s.structure, tuple(cells)))
    return Table("What the anions' motions are worth", tuple(head), tuple(rows))


def md_tiles(content: MdReport) -> list[dict[str, str]]:
    """The few numbers a reader wants first: {"name", "value", "unit", "aside"}."""
    total, done = sum(r.duration for r in content.replicas), sum(r.status == "finished" for r in content.replicas)
    value, unit = (total / 1000, "ns") if total >= 1000 else (total, "ps")
    found = [
        {"name": "simulated", "value": f"{value:.3g}", "unit": unit, "aside": f"{done} of {len(content.replicas)} replicas finished"},
    ]
    known = [r for r in content.replicas if r.diffusivity.known]
    if known:
        fastest = max(known, key=lambda r: r.diffusivity.value)
        found.append(
            {
                "name": "fastest D, cm²/s",
                "value": f"{fastest.diffusivity.value:.1e}".replace("e-0", "e-"),
                "unit": "",
                "aside": f"{cell(fastest.diffusivity)}, {fastest.mode}, {fastest.temperature:g} K",
            }
        )
    for series in content.arrhenius[:1]:
        energy, sigma = series.line.activation_energy, series.line.at(ROOM)
        if energy.known:
            found.append({"name": f"E_a, {series.mode}", "value": f"{energy.value:.3f}", "unit": "eV", "aside": f"± {energy.error:.2g} eV"})
            room = sigma.times(1e3 / ROOM, "mS/cm")
            found.append({"name": f"σ({ROOM:g} K), {series.mode}", "value": f"{room.value:.2g}", "unit": "mS/cm", "aside": cell(room)})
    drifts = [abs(r.drift) for r in content.replicas if r.drift is not None]
    if drifts:
        value = tick_text(float(f"{max(drifts):.2g}"))
        found.append({"name": "largest drift", "value": value, "unit": "", "aside": "meV/atom/ps, of what is conserved"})
    return found
