"""What a campaign shows in a terminal: its steps as they begin, and a table after each round."""

import logging
from collections.abc import Callable, Sequence

from rich.box import SIMPLE_HEAD
from rich.table import Table

from mlff.active.errors import ALL
from mlff.active.judge import Counts
from mlff.active.record import Errors, Record
from mlff.md.watch import ProgressBar
from mlff.run.active.rounds import system_of
from mlff.run.console import console
from mlff.units import TO_MILLI

log = logging.getLogger(__name__)


class Progress(ProgressBar):
    """Tells all of it; report: writes the page, once a round that was begun here is over."""

    def __init__(self, mobile: Sequence[str], report: Callable[[], object]):
        self.mobile, self.report = list(mobile), report
        self._begun: int | None = None

    def begins(self, number: int, stage: str) -> None:
        log.info("── round %d: %s", number, stage)
        self._begun = number

    def step(self, words: str) -> None:
        log.info("   %s", words)

    def tells(self, message: str) -> None:
        log.info("%s", message)

    def stopped(self, name: str, message: str) -> None:
        """That trajectories stop is what exploration is for; the table counts them."""

    def finished(self, records: Sequence[Record]) -> None:
        console().print(conditions_table(records[-1]), rounds_table(records, self.mobile))
        if records[-1].alarm:
            log.warning("warning: %s", records[-1].alarm)
        if records[-1].number == self._begun:  # the rounds before were over when the campaign was taken up again
            self._write_report()

    def _write_report(self) -> None:
        try:
            self.report()
        except Exception as error:  # days of labels must not be held up by a page
            log.warning("warning: no report was written (%s: %s); the campaign goes on", type(error).__name__, error)


def conditions_table(record: Record) -> Table:
    """Accurate, candidate and failed frames by system and temperature."""
    table = Table("system", "T, K", "frames", "accurate", "candidate", "failed", box=SIMPLE_HEAD, title=f"round {record.number}")
    for condition, counts in record.counts.items():
        table.add_row(system_of(condition), f"{condition.temperature:g}", str(counts.total), *shares(counts))
    return table


def rounds_table(records: Sequence[Record], mobile: Sequence[str]) -> Table:
    """One row per round: the ratio, what was labelled and at what cost, and the errors by element, which share a column."""
    elements = [*mobile, ALL]
    title = f"force RMSE of {' / '.join(elements)}, meV/Å: chosen frames before they were learnt, this audit, all tests"
    table = Table(box=SIMPLE_HEAD, title=title)
    table.add_column("round", no_wrap=True)
    table.add_column("stage", no_wrap=True, overflow="ellipsis")
    for head in ("accurate", "labels", "quarantine", "core h", "train", "chosen", "audit", "test"):
        table.add_column(head, justify="right", no_wrap=True, min_width=len(head))
    for record in records:
        row = [str(record.number), record.stage, f"{record.total.ratio:.1%}", str(record.labelled), str(len(record.quarantined))]
        row += [f"{record.core_hours:.2f}", str(record.data["train"])]
        row += [" / ".join(milli(errors, e) for e in elements) for errors in (record.before, record.audit, record.test)]
        table.add_row(*row)
    return table


def shares(counts: Counts) -> list[str]:
    return [f"{n / counts.total:.1%}" if counts.total else "–" for n in (counts.accurate, counts.candidate, counts.failed)]


def milli(errors: Errors, element: str) -> str:
    found = errors.get(element)
    return "–" if found is None else f"{found['rmse'] * TO_MILLI:.0f}"
