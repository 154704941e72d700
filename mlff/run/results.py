"""What a run shows in the end: metrics of each split, tables on the terminal, report.html and figures."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from mlff.data import Frame
from mlff.report import PredictionSamples, ReportContent, headline_split, summary_sentence, write_figures, write_report
from mlff.train.metrics import FramePrediction, print_metrics


def show_results(
    folder: Path,
    title: str,
    parts: Mapping[str, tuple[Sequence[Frame], Sequence[FramePrediction]]],
    metrics: Mapping[str, dict],
    mobile: Sequence[str],
    warnings: Sequence[str],
    **content,
) -> None:
    """Write metrics.json, report.html and figures/ into a folder, and print the table of the split that counts.

    Args:
        parts: split → its frames and predictions; metrics: split → their errors.
        content: the rest of ReportContent.
    """
    samples = {name: PredictionSamples.from_frames(frames, predictions) for name, (frames, predictions) in parts.items()}
    page = ReportContent(
        title=title,
        summary=summary_sentence(metrics, mobile=" and ".join(mobile) or "the mobile ion"),
        warnings=warnings,
        metrics=metrics,
        samples=samples,
        mobile=mobile,
        **content,
    )
    write_report(folder / "report.html", page)
    write_figures(folder / "figures", page)
    # last: metrics.json is what says that a run is finished
    fresh = folder / "metrics.part"
    fresh.write_text(json.dumps(metrics, indent=2) + "\n")
    fresh.replace(folder / "metrics.json")
    show_tables(folder, title, metrics)


def show_tables(folder: Path, title: str, metrics: Mapping[str, dict]) -> None:
    """Print the table of the split that counts, test where there is one, and where the report lies."""
    headline = headline_split(metrics)
    print_metrics(metrics[headline], f"{title}: {headline} split" if len(metrics) > 1 else title)
    print(f"report: {folder / 'report.html'}")
