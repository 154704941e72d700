"""The table of the uncertainty section."""

from mlff.report.tables import Row, Table
from mlff.report.uncertainty import UncertaintyContent
from mlff.train.metrics import format_number
from mlff.units import TO_MILLI

QUANTITIES = {  # of a row of `uncertainty_metrics`: field → name, unit, factor, format, the value of a perfect uncertainty
    "Calibration": {
        "coverage_68": ("inside the 68 % interval", "%", 100.0, ".1f", 68.27),
        "coverage_95": ("inside the 95 % interval", "%", 100.0, ".1f", 95.0),
        "miscalibration_area": ("miscalibration area", "", 1.0, ".3f", 0.0),
        "scale": ("scale s of σ = s · deviation / √3", "", 1.0, ".2f", None),
    },
    "Order": {
        "spearman": ("Spearman correlation of σ and error", "", 1.0, ".2f", 1.0),
        "spearman_grade": ("Spearman correlation of γ and error", "", 1.0, ".2f", 1.0),
        "ause": ("area above the oracle (AUSE)", "", 1.0, ".3f", 0.0),
    },
    "Sample": {
        "rmse": ("force RMSE", "meV/Å", TO_MILLI, ".1f", None),
        "n": ("atoms", "", 1, ",", None),
    },
}


def uncertainty_table(content: UncertaintyContent) -> Table:
    """Quantities down, groups across, and what a perfect uncertainty would have."""
    rows = []
    for title, quantities in QUANTITIES.items():
        rows.append(Row(title, (), kind="group"))
        for key, (name, unit, factor, spec, perfect) in quantities.items():
            values = [group.metrics[key] for group in content.groups.values()]
            if all(value is None for value in values):
                continue
            cells = [format_number(None if value is None else factor * value, spec) for value in values]
            rows.append(Row(name, (*cells, format_number(perfect, spec)), unit=unit))
    caption = "Force uncertainty of each group" + (f", {content.note}" if content.note else "")
    return Table(caption, (("", ""), *((group, "") for group in content.groups), ("perfect", "")), tuple(rows))
