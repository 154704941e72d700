"""Numbers for programs: an estimate as JSON holds it, and rows as a CSV file."""

import csv
from collections.abc import Iterable
from pathlib import Path

from mlff.analysis import Estimate
from mlff.whole_file import written_whole


def words_of(estimate: Estimate) -> dict[str, object]:
    """What is known of an estimate by name; what is not known is not there."""
    named = {name: getattr(estimate, name) for name in ("value", "error", "lower", "upper", "unit", "reason")}
    return {name: value for name, value in named.items() if value not in (None, "")} | {"text": str(estimate)}


def write_csv(path: Path, rows: Iterable[tuple]) -> None:
    """The head first; numbers with eight digits, None as an empty cell."""
    with written_whole(path) as unfinished, open(unfinished, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        for row in rows:
            writer.writerow([f"{value:.8g}" if isinstance(value, float) else value for value in row])
