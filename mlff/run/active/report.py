"""What came of a campaign for people: one page, figures, and tables for programs, made of what its rounds left on disk."""

from collections.abc import Sequence
from pathlib import Path

from omegaconf import DictConfig, OmegaConf

from mlff.active.convergence import Convergence
from mlff.active.final import FINAL
from mlff.active.record import Record
from mlff.report import ActiveReport, write_active_figures, write_active_report
from mlff.report.active_content import LabelCost
from mlff.run.active.calibration import calibration_of
from mlff.run.active.costs import label_costs
from mlff.run.active.numbers import write_numbers
from mlff.run.active.pictures import pictures_of
from mlff.run.active.rounds import chosen_of, read_records, rounds_of
from mlff.run.active.standing import standing, summary, warnings

PAGE, FIGURES = "report.html", "figures"


def report_active(cfg: DictConfig, folder: Path, figures: bool = True) -> Path:
    """Write report.html, rounds.csv, selected.csv and figures/ into a campaign's folder; the page. It may be open: reload it.

    Args:
        figures: whether those for a paper are drawn too; they take some seconds, all else about one.

    Raises:
        ValueError: no round is over yet.
    """
    folder, records = Path(folder), read_records(Path(folder))
    if not records:
        raise ValueError(f"{folder} holds no round that is over, expected one at least; write the report after the first round")
    content = content_of(cfg, folder, records)
    write_numbers(folder, records, content.chosen)
    if figures:
        write_active_figures(folder / FIGURES, content)
    return write_active_report(content, folder / PAGE)


def content_of(cfg: DictConfig, folder: Path, records: Sequence[Record]) -> ActiveReport:
    given = OmegaConf.to_container(cfg, resolve=True)
    convergence, schedule = Convergence(**given["convergence"]), given["schedule"]
    labels, chosen = label_costs(folder), chosen_of(folder, records)
    state = standing(records, schedule, convergence)
    return ActiveReport(
        title=f"Active learning: {cfg.name}",
        summary=summary(records, state, _code(labels)),
        rounds=rounds_of(folder, records),
        wanted=convergence.ratio,
        warnings=warnings(records, schedule, convergence, given["oracle"], {label.n_atoms for label in labels if label.n_atoms}),
        mobile=list(cfg.mobile),
        chosen=chosen,
        labels=labels,
        calibration=calibration_of(folder, records, list(cfg.mobile)),
        pictures=pictures_of(folder, chosen),
        setup={
            "model": FINAL if (folder / FINAL).exists() else records[-1].model,
            "state": state,
            "criterion": _named(given["criterion"]),
            "reference code": _named(given["oracle"]),
            "selection": _spaced(given["selection"]),
            "convergence": _spaced(given["convergence"]),
            "schedule": schedule,
        },
        config_text=OmegaConf.to_yaml(cfg, resolve=True),
    )


def _code(labels: Sequence[LabelCost]) -> str:
    return ", ".join(dict.fromkeys(label.code for label in labels)) or "a reference code"


def _named(options: dict) -> dict:
    """By the last part of its class's name, which tells more than its module."""
    return {"kind": options["_target_"].rpartition(".")[2]} | _spaced({name: options[name] for name in options if name != "_target_"})


def _spaced(options: dict) -> dict:
    return {name.replace("_", " "): value for name, value in options.items()}
