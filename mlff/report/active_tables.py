"""The tables and the main numbers of an active-learning report."""

from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np
from markupsafe import Markup

from mlff.report.active_content import LABELLED, ActiveReport, Chosen, LabelCost, Round
from mlff.report.tables import Row, Table
from mlff.units import TO_MILLI

MOST_CHOSEN = 20  # of one round, that the page shows
MOST_LOST = 40  # frames in quarantine
LONGEST = 400  # characters of a reason


def active_tiles(content: ActiveReport) -> list[dict[str, str]]:
    """The few numbers a reader wants first: {"name", "value", "unit", "aside"}."""
    last, total = content.last, content.last.total
    labels, hours = sum(r.labelled for r in content.rounds), sum(r.core_hours for r in content.rounds)
    lost, chosen = sum(r.quarantined for r in content.rounds), sum(sum(r.chosen.values()) + r.n_audit for r in content.rounds)
    found = [
        {"name": "accurate", "value": percent(total.ratio), "unit": "", "aside": f"round {last.number}; wanted {content.wanted:.1%}"},
        {"name": "labels", "value": f"{labels:,}", "unit": "", "aside": f"in {len(content.rounds)} rounds; {last.data['train']:,} learnt"},
        {"name": "cost", "value": f"{hours:.3g}", "unit": "core hours", "aside": "of the labels of all rounds"},
    ]
    if "all" in last.errors.get("audit", {}):
        own = " · ".join(f"{symbol} {milli(last.errors['audit'][symbol])}" for symbol in content.mobile if symbol in last.errors["audit"])
        found.append({"name": "force RMSE, audit", "value": milli(last.errors["audit"]["all"]), "unit": "meV/Å", "aside": own})
    found.append({"name": "in quarantine", "value": f"{lost:,}", "unit": "", "aside": f"of {chosen:,} frames sent"})
    return found


def rounds_table(content: ActiveReport) -> Table:
    """One row per round: shares, frames, cost, time."""
    head = (
        ("round", ""),
        ("model", ""),
        ("stage", ""),
        ("accurate", "%"),
        ("candidate", "%"),
        ("failed", "%"),
        ("chosen", ""),
        ("audit", ""),
        ("labelled", ""),
        ("quarantine", ""),
        ("unsound", ""),
        ("cost", "core h"),
        ("training", "frames"),
        ("test", "frames"),
        ("exploring", "min"),
        ("labelling", "min"),
        ("training", "min"),
    )
    rows = []
    for r in content.rounds:
        total = r.total
        shares = tuple(f"{100 * n / total.total:.1f}" if total.total else "–" for n in (total.accurate, total.candidate, total.failed))
        counts = (sum(r.chosen.values()), r.n_audit, r.labelled, r.quarantined, r.refused)
        data = (r.data["train"], r.data["test"])
        times = tuple(f"{r.seconds[step] / 60:.1f}" if step in r.seconds else "–" for step in ("explore", "label", "train"))
        cells = (model_cell(r), r.stage, *shares, *(f"{n:,}" for n in counts), f"{r.core_hours:.3g}", *(f"{n:,}" for n in data), *times)
        rows.append(Row(f"{r.number}", cells))
    return Table("Rounds", head, tuple(rows))


def model_cell(round: Round) -> str:
    """Whether the round trained one, with a link to the training's report."""
    if not round.trained:
        return "as before"
    return Markup('<a href="{}">new</a>').format(round.training) if round.training else "new"


def conditions_table(content: ActiveReport) -> Table:
    """A heat map: the accurate share of each system at each temperature (down) in each round (across), the newest first."""
    rounds = content.rounds[::-1]
    found = [{(s.system, s.temperature): s.ratio for s in r.shares} for r in rounds]
    rows = []
    for system, temperature in conditions(content):
        ratios = [ratio.get((system, temperature)) for ratio in found]
        cells = tuple(percent(ratio) for ratio in ratios)
        rows.append(Row(f"{system}, {temperature:g} K", cells, tuple(ratios), kind="good"))
    head = (("", ""), *((f"round {r.number}", r.stage) for r in rounds))
    return Table("Accurate frames of each system and temperature, newest round first", head, tuple(rows))


def conditions(content: ActiveReport) -> list[tuple[str, float]]:
    """(system, temperature) of all that was explored."""
    return sorted({(s.system, s.temperature) for r in content.rounds for s in r.shares})


def chosen_tables(content: ActiveReport) -> list[Table]:
    """Frames sent to the reference code: how many for which reason, and those of the last round one by one."""
    return [_reasons_table(content.chosen), _frames_table(content)] if content.chosen else []


def _reasons_table(chosen: Sequence[Chosen]) -> Table:
    reasons = _by_count(c.reason for c in chosen)
    rows = []
    for system, temperature in sorted({(c.system, c.temperature) for c in chosen}):
        own = [c for c in chosen if (c.system, c.temperature) == (system, temperature)]
        rows.append(_reasons_row(f"{system}, {temperature:g} K", own, reasons))
    if len(rows) > 1:
        rows.append(_reasons_row("all", chosen, reasons, kind="total"))
    head = (("", ""), *((reason, "") for reason in reasons), ("all", ""), ("quarantine", ""))
    return Table("Frames sent to the reference code, by reason", head, tuple(rows))


def _reasons_row(name: str, chosen: Sequence[Chosen], reasons: Sequence[str], kind: str = "") -> Row:
    counts = Counter(c.reason for c in chosen)
    lost = sum(bool(c.quarantine) for c in chosen)
    return Row(name, (*(f"{counts[reason]:,}" for reason in reasons), f"{len(chosen):,}", f"{lost:,}"), kind=kind)


def _frames_table(content: ActiveReport) -> Table:
    last = max(c.round for c in content.chosen)
    own = sorted((c for c in content.chosen if c.round == last), key=lambda c: -c.value)
    unit = content.last.uncertainties.unit
    rows = [
        Row(
            f"{c.system}, {c.temperature:g} K",
            (c.reason, f"{c.value:.3f}", f"{c.deviation:.3f}", c.trajectory, f"{c.step:,}", "quarantine" if c.quarantine else LABELLED),
        )
        for c in own[:MOST_CHOSEN]
    ]
    head = (("", ""), ("reason", ""), ("uncertainty", unit), ("deviation", "eV/Å"), ("trajectory", ""), ("step", ""), ("", ""))
    shown = f"{len(rows)} most uncertain of {len(own)}" if len(own) > len(rows) else "most uncertain first"
    return Table(f"Frames of round {last}, the {shown}", head, tuple(rows))


def quarantine_tables(content: ActiveReport) -> list[Table]:
    """Frames without a label, each with its reason, the newest first."""
    lost = sorted((c for c in content.chosen if c.quarantine), key=lambda c: -c.round)
    if not lost:
        return []
    rows = []
    for c in lost[:MOST_LOST]:
        cells = (f"{c.round}", c.reason, f"{c.value:.3f}")
        why = f"{c.trajectory}, step {c.step:,}: {shortened(c.quarantine)}"
        rows += [Row(f"{c.system}, {c.temperature:g} K", cells), Row(why, (), kind="remark")]
    if len(lost) > MOST_LOST:
        rows.append(Row(f"And {len(lost) - MOST_LOST:,} more.", (), kind="remark"))
    unit = content.last.uncertainties.unit
    head = (("", ""), ("round", ""), ("chosen as", ""), ("uncertainty", unit))
    return [Table("In quarantine", head, tuple(rows))]


def shortened(reason: str) -> str:
    """On one line, its end left out where it is long."""
    text = " ".join(reason.split())
    return text if len(text) <= LONGEST else f"{text[:LONGEST]} …"


def ledger_tables(content: ActiveReport) -> list[Table]:
    """What all labels took: in sum, and by composition."""
    if not content.labels:
        return []
    labels = content.labels
    formulas = _by_count(label.formula for label in labels)
    rows = [_cost_row(formula, [label for label in labels if label.formula == formula]) for formula in formulas]
    if len(rows) > 1:
        rows.append(_cost_row("all", labels, kind="total"))
    codes = ", ".join(_by_count(label.code for label in labels))
    rows.append(Row(f"Made by {codes}.", (), kind="remark"))
    head = (
        ("composition", ""),
        ("atoms", ""),
        ("labels", ""),
        ("median", "s"),
        ("largest", "s"),
        ("cost", "core h"),
        ("retries", "of the code"),
        ("repeated", ""),
        ("quarantine", ""),
    )
    return [Table("Ledger", head, tuple(rows)), *_statuses_table(labels)]


def _cost_row(name: str, labels: Sequence[LabelCost], kind: str = "") -> Row:
    seconds = [label.seconds for label in labels if label.status == LABELLED]
    sizes = sorted({label.n_atoms for label in labels if label.n_atoms})
    cells = (
        "…".join(f"{size:,}" for size in dict.fromkeys((sizes[0], sizes[-1]))) if sizes else "–",
        f"{len(seconds):,}",
        f"{np.median(seconds):.3g}" if seconds else "–",
        f"{max(seconds):.3g}" if seconds else "–",
        f"{sum(label.core_hours for label in labels):.3g}",
        f"{sum(label.retries for label in labels):,}",
        f"{sum(label.attempts > 1 for label in labels):,}",
        f"{len(labels) - len(seconds):,}",
    )
    return Row(name, cells, kind=kind)


def _statuses_table(labels: Sequence[LabelCost]) -> list[Table]:
    counts = Counter(label.status for label in labels if label.status != LABELLED)
    rows = tuple(Row(status, (f"{n:,}",)) for status, n in counts.most_common())
    return [Table("Labels in quarantine, by what became of them", (("", ""), ("labels", "")), rows)] if rows else []


def percent(ratio: float | None) -> str:
    return "–" if ratio is None else f"{ratio:.1%}"


def milli(value: float) -> str:
    """eV/Å as meV/Å."""
    return f"{TO_MILLI * value:.0f}"


def _by_count(names: Iterable[str]) -> list[str]:
    return [name for name, _ in Counter(names).most_common()]
