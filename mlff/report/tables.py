"""The tables of the report: from metrics to headed rows of text."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mlff.report.content import SPLITS, ReportContent
from mlff.train.metrics import COLUMNS, CROSSED, GROUPS, format_number, single_element

SPLIT_TITLES = {"train": "training", "val": "validation", "test": "test"}
QUANTITIES = {  # of the overall table: field → name; units and formats are those of the metrics
    "Energy": {
        "energy_mae": "MAE",
        "energy_rmse": "RMSE",
        "energy_bias": "bias (mean signed error)",
        "energy_mae_shifted": "MAE after subtracting the bias",
    },
    "Force": {"force_mae": "MAE", "force_rmse": "RMSE", "force_relative": "RMSE over RMS", "force_slope": "slope through the origin"},
    "Stress": {"stress_mae": "MAE", "stress_mae_gpa": "MAE", "stress_rmse_gpa": "RMSE"},
    "Labels": {"n_energy": "frames with energy", "n_force": "force components", "n_stress": "frames with stress"},
}
SUBTRACTING = (
    "Where subtracting the bias raises the MAE, a few frames with large errors make the bias: the zero of energy is not what is wrong. "
    "Subtracting the mean error lowers the RMSE always, the MAE not."
)


@dataclass(frozen=True)
class Row:
    """One row: its name, its cells, and the share (0 to 1) of the bar behind each cell, or of its shade; None for neither."""

    name: str
    cells: tuple[str, ...]
    shares: tuple[float | None, ...] = ()
    kind: str = (
        ""  # "group": a heading of the rows below; "reference": somebody else's number; "heat", "good": shades, since columns compare
    )
    unit: str = ""


@dataclass(frozen=True)
class Table:
    """`head` holds (name, unit) of each column, the first of them that of the row names."""

    caption: str
    head: tuple[tuple[str, str], ...]
    rows: tuple[Row, ...]


def overall_table(content: ReportContent) -> Table:
    """Quantities down, splits across: narrow enough for a telephone."""
    splits = [split for split in SPLITS if split in content.metrics]
    rows = []
    for group, quantities in QUANTITIES.items():
        lines = []
        for key, name in quantities.items():
            values = [content.metrics[split]["overall"][key] for split in splits]
            if all(value in (None, 0) for value in values):
                continue
            unit, spec = COLUMNS[key][1:] if key in COLUMNS else ("", ",")
            lines.append(Row(name, tuple(format_number(value, spec) for value in values), unit=unit))
        if lines:
            rows += [Row(group, (), kind="group"), *lines]
        if group == "Energy" and any(_bias_helps_not(content.metrics[split]["overall"]) for split in splits):
            rows.append(Row(SUBTRACTING, (), kind="remark"))
    return Table(
        "Errors of all frames", (("", ""), *((SPLIT_TITLES[s], f"{content.metrics[s]['n_frames']:,} frames") for s in splits)), tuple(rows)
    )


def _bias_helps_not(row: Mapping) -> bool:
    return row["energy_mae"] is not None and row["energy_mae_shifted"] > row["energy_mae"] + 0.005  # meV/atom: as the table rounds


def reference_table(content: ReportContent) -> Table | None:
    """This model beside numbers of others, in the columns those have."""
    references = [row for row in content.reference_rows if not row.get("element")]
    if not references:
        return None
    keys = [key for key in COLUMNS if any(row.get(key) is not None for row in references)]
    own = content.metrics[content.headline]["overall"]
    rows = [Row(f"this model, {SPLIT_TITLES[content.headline]}", (*(format_number(own[k], COLUMNS[k][2]) for k in keys), ""), kind="own")]
    for row in references:
        cells = (*(format_number(row.get(k), COLUMNS[k][2]) for k in keys), str(row.get("source", "")))
        rows.append(Row(str(row["name"]), cells, kind="reference"))
    return Table("Beside other numbers", (("", ""), *(_heading(k) for k in keys), ("source", "")), tuple(rows))


def element_table(content: ReportContent) -> Table:
    """Forces per element, and of the mobile species and the framework where those join several; bars compare the elements."""
    others = [split for split in reversed(SPLITS) if split in content.metrics and split != content.headline]
    own_keys = ("force_mae", "force_rmse", "force_relative", "force_slope")
    columns = [(content.headline, key) for key in own_keys] + [(split, "force_mae") for split in others]
    head = [("", "")] + [(f"{_heading(key)[0].removeprefix('force ')} {SPLIT_TITLES[split]}", COLUMNS[key][1]) for split, key in columns]
    most = max((row["force_mae"] or 0.0 for row in content.metrics[content.headline]["per_element"].values()), default=0.0)
    own = content.metrics[content.headline]
    single = {part: single_element(own, part) for part in ("mobile", "framework") if own[part]["n_force"]}
    rows = []
    for symbol in sorted({symbol for metrics in content.metrics.values() for symbol in metrics["per_element"]}):
        by_split = {split: metrics["per_element"].get(symbol, {}) for split, metrics in content.metrics.items()}
        value = by_split[content.headline].get("force_mae")
        name = next((f"{symbol} ({part})" for part, element in single.items() if element == symbol), symbol)
        rows.append(Row(name, _force_cells(by_split, columns), (value / most if value and most else None,)))
    for part, element in single.items():
        if element is None:
            name = f"mobile ({', '.join(content.mobile)})" if part == "mobile" and content.mobile else part
            rows.append(Row(name, _force_cells({split: m[part] for split, m in content.metrics.items()}, columns), kind="total"))
    return Table("Force errors per element", tuple(head), (*rows, *_element_remarks(content.reference_rows)))


def _force_cells(by_split: Mapping[str, Mapping], columns: Sequence[tuple[str, str]]) -> tuple[str, ...]:
    return tuple(format_number(by_split[split].get(key), COLUMNS[key][2]) for split, key in columns)


def _element_remarks(references: Sequence[Mapping]) -> list[Row]:
    remarks = []
    for row in references:
        if row.get("element"):
            numbers = ", ".join(
                f"{name} {format_number(row[k], spec)} {unit}" for k, (name, unit, spec) in COLUMNS.items() if row.get(k) is not None
            )
            source = f" ({row['source']})" if row.get("source") else ""
            remarks.append(Row(f"{row['element']}, {row['name']}: {numbers}{source}", (), kind="remark"))
    return remarks


def condition_tables(metrics: Mapping) -> list[Table]:
    """Errors per temperature, per configuration type and per both of one split, where the frames tell them."""
    keys = ("energy_mae", "force_mae", "force_rmse", "force_relative", "stress_mae_gpa", "n_energy")
    titles = {"per_temperature": "temperature", "per_config_type": "configuration type"}
    tables = []
    for group, title in titles.items():
        rows = metrics[group]
        shown = [key for key in keys if any(row[key] for row in rows.values())]
        if not shown:
            continue
        most = max((row["force_mae"] or 0.0 for row in rows.values()), default=0.0)
        head = ((title, ""), *(_heading(k) if k in COLUMNS else ("frames", "") for k in shown))
        tables.append(
            Table(f"Errors per {title}", head, tuple(_condition_row(GROUPS[group], label, row, shown, most) for label, row in rows.items()))
        )
    return tables + _crossed_tables(metrics.get(CROSSED, {}))


def _crossed_tables(crossed: Mapping[str, Mapping[str, Mapping]]) -> list[Table]:
    """Force and energy error of each configuration type (down) at each temperature (across); a dash where no frame is."""
    temperatures = sorted({t for rows in crossed.values() for t in rows}, key=float)
    tables = []
    for key, name in (("force_mae", "Force MAE"), ("energy_mae", "Energy MAE")):
        cells = {kind: [rows.get(t, {}).get(key) for t in temperatures] for kind, rows in crossed.items()}
        most = max((value or 0.0 for values in cells.values() for value in values), default=0.0)
        if not most:
            continue
        _, unit, spec = COLUMNS[key]
        rows = []
        for kind, values in cells.items():
            shares = tuple(value / most if value else None for value in values)
            rows.append(Row(kind, tuple(format_number(value, spec) for value in values), shares, kind="heat"))
        head = (("configuration type", ""), *((f"{t} K", unit) for t in temperatures))
        tables.append(Table(f"{name} per configuration type and temperature", head, tuple(rows)))
    return tables


def _heading(key: str) -> tuple[str, str]:
    """Name and unit of a column, with the words a terminal has no room for."""
    name, unit, _ = COLUMNS[key]
    return name.replace("rel.", "relative"), unit


def _condition_row(name: str, label: str, row: Mapping, keys: Sequence[str], most: float) -> Row:
    cells = tuple(format_number(row[k], COLUMNS[k][2] if k in COLUMNS else ",") for k in keys)
    shares = tuple(row[k] / most if k == "force_mae" and row[k] and most else None for k in keys)
    return Row(name.format(label), cells, shares)


def tiles(content: ReportContent) -> list[dict[str, str]]:
    """The few numbers a reader wants first: {"name", "value", "unit", "aside"}."""
    metrics = content.metrics[content.headline]
    row = metrics["overall"]
    found = []
    for key, name in (("force_mae", "force MAE"), ("energy_mae", "energy MAE"), ("stress_mae_gpa", "stress MAE")):
        if row[key] is not None:
            _, unit, spec = COLUMNS[key]
            others = [split for split in SPLITS if split in content.metrics and split != content.headline]
            aside = " · ".join(f"{SPLIT_TITLES[s]}\u00a0{format_number(content.metrics[s]['overall'][key], spec)}" for s in others)
            found.append({"name": name, "value": format(row[key], spec), "unit": unit, "aside": aside})
    if row["force_relative"] is not None:
        found.append({"name": "relative force error", "value": f"{row['force_relative']:.1f}", "unit": "%", "aside": "RMSE over RMS"})
    if metrics["mobile_force_slope"] is not None:
        mobile = ", ".join(content.mobile) or "mobile ion"
        found.append({"name": f"force slope, {mobile}", "value": f"{metrics['mobile_force_slope']:.3f}", "unit": "", "aside": "1 is exact"})
    return found
