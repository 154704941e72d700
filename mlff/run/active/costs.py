"""What the ledger of a campaign says, as its report shows it."""

from pathlib import Path

from mlff.active.ledger import Ledger
from mlff.report.active_content import LabelCost

LABELS = "labels"  # the ledger's folder in a campaign's


def label_costs(folder: Path) -> list[LabelCost]:
    """One of each label, in the order in which they were finished; folder: the campaign's."""
    ledger = Ledger(folder / LABELS)
    try:
        return [_cost(row) for row in ledger.rows()]
    finally:
        ledger.close()


def _cost(row: dict) -> LabelCost:
    return LabelCost(
        status=row["status"],
        formula=row["formula"] or "unknown",  # files of an older version do not tell
        n_atoms=row["n_atoms"],
        seconds=row["wall_time"],
        core_hours=(row["core_seconds"] or 0.0) / 3600,
        retries=row["retries"] or 0,
        attempts=row["attempts"] or 1,
        code=" ".join(filter(None, (row["code"], row["version"]))) or "unknown",
    )
