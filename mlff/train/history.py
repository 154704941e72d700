"""The history of a training as a table that any spreadsheet opens: history.csv, one row per step at which something was logged."""

import csv
import time
from argparse import Namespace
from collections.abc import Mapping
from pathlib import Path

from pytorch_lightning.loggers.logger import Logger, rank_zero_experiment
from pytorch_lightning.utilities.rank_zero import rank_zero_only

FIRST = ("step", "epoch", "wall_time_s")  # columns that every history begins with


class HistoryLogger(Logger):
    """A Lightning logger that writes <folder>/history.csv: `step`, `epoch`, `wall_time_s` (s), then each quantity by its logged name.

    What is logged at one step shares one row; a quantity not logged at a step is an empty cell. A row is written when the next
    step begins. Continuing a training continues its file: rows from the first new step on, which a crash left behind, are replaced.

    Args:
        folder: the run's folder, made where missing.
        resume: continue the file that is there, rather than begin a new one.
    """

    def __init__(self, folder: str | Path, *, resume: bool = False) -> None:
        super().__init__()
        self.path = Path(folder) / "history.csv"
        self._resume = resume
        self._columns: list[str] | None = None  # None until the first row
        self._row: dict[str, object] = {}
        self._start = time.monotonic()

    @property
    def name(self) -> str:
        return self.path.parent.name

    @property
    def version(self) -> str:
        return ""  # one run, one folder

    @property
    def save_dir(self) -> str:
        return str(self.path.parent)

    @property
    @rank_zero_experiment
    def experiment(self) -> "HistoryLogger":
        return self

    @rank_zero_only
    def log_hyperparams(self, params: Mapping | Namespace, *args: object, **kwargs: object) -> None:
        """Nothing: the run's config.yaml holds them."""

    @rank_zero_only
    def log_metrics(self, metrics: Mapping[str, object], step: int | None = None) -> None:
        if step is None:
            raise ValueError(f"{sorted(metrics)} came without a step, and a row of {self.path.name} is a step; give log_metrics its `step`")
        if self._columns is None:
            self._begin(step)
        if self._row and self._row["step"] != step:
            self._write()
        self._row |= {"step": step, "wall_time_s": round(time.monotonic() - self._start, 3)} | metrics

    @rank_zero_only
    def after_save_checkpoint(self, checkpoint_callback: object) -> None:
        """What a checkpoint holds is in the file too, so that a kill leaves no hole."""
        self._write()

    @rank_zero_only
    def finalize(self, status: str) -> None:
        self._write()

    def _begin(self, step: int) -> None:
        rows = [row for row in read_history(self.path) if int(row["step"]) < step] if self._resume and self.path.exists() else []
        if rows:
            self._start -= float(rows[-1]["wall_time_s"])
        self._columns = list(rows[0]) if rows else list(FIRST)
        self._rewrite(rows)

    def _write(self) -> None:
        if not self._row:
            return
        new = [key for key in self._row if key not in self._columns]
        if new:  # validation begins later than training: widen the rows already written
            self._columns += new
            self._rewrite(read_history(self.path))
        with open(self.path, "a", newline="") as file:
            csv.DictWriter(file, self._columns).writerow(self._row)
        self._row = {}

    def _rewrite(self, rows: list[dict[str, str]]) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        fresh = self.path.with_suffix(".part")  # renamed when whole
        with open(fresh, "w", newline="") as file:
            writer = csv.DictWriter(file, self._columns)
            writer.writeheader()
            writer.writerows(rows)
        fresh.replace(self.path)


def read_history(path: str | Path) -> list[dict[str, str]]:
    """The rows of a history.csv as text, in the order of the steps; an empty cell was not logged at that step."""
    with open(path, newline="") as file:
        return list(csv.DictReader(file))
