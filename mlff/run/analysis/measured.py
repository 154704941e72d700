"""Conductivities that others measured, from a CSV file, to be drawn beside."""

import csv
from collections import defaultdict
from pathlib import Path

import numpy as np

from mlff.report.arrhenius_panel import Measured

COLUMNS = ("name", "temperature_K", "conductivity_S_per_cm")
ERROR = "error_S_per_cm"


def read_measured(path: str | Path) -> list[Measured]:
    """σT in S K/cm by name.

    Raises:
        ValueError: a column is missing, or a number is none or not positive; with its line.
    """
    rows: dict[str, list[tuple[float, float, float]]] = defaultdict(list)
    with open(path, newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        if missing := [name for name in COLUMNS if name not in (reader.fieldnames or [])]:
            raise ValueError(f"{path}: found columns {reader.fieldnames}, expected {', '.join(COLUMNS)}; add {', '.join(missing)}")
        for row in reader:
            try:
                temperature, sigma = float(row[COLUMNS[1]]), float(row[COLUMNS[2]])
                error = float(row.get(ERROR) or 0)
            except (TypeError, ValueError):
                raise ValueError(f"{path}, line {reader.line_num}: found {dict(row)}, expected numbers; correct the line") from None
            if not (temperature > 0 and sigma > 0 and error >= 0):
                raise ValueError(f"{path}, line {reader.line_num}: found {temperature} K and {sigma} S/cm, expected positive numbers")
            rows[row["name"]].append((temperature, sigma * temperature, error * temperature))
    return [Measured(name, *np.array(points).T) for name, points in rows.items()]
