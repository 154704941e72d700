"""What a run shows in the end: metrics of each split, tables on the terminal, report.html and figures."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from mlff.data import Frame
from mlff.report import PredictionSamples, ReportContent, summary_sentence, write_figures, write_report
from mlff.train.metrics import FramePrediction, compute_metrics, print_metrics


def show_results(
    folder: Path,
    title: str,
    parts: Mapping[str, tuple[Sequence[Frame], Sequence[FramePrediction]]],
    mobile: Sequence[str],
    warnings: Sequence[str],
    **content,
) -> dict:
    """Write metrics.json, report.html and figures/ into a folder, print the tables, and return the metrics by split.

    Args:
        parts: split → its frames and predictions.
        content: the rest of ReportContent.
    """
    metrics = {name: compute_metrics(frames, predictions, mobile) for name, (frames, predictions) in parts.items()}
    (folder / "metrics.json").write_text(json.dumps(metrics, indent=2) + "\n")
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
    print_metrics(metrics[page.headline], f"{title}: {page.headline} split")
    print(f"report: {folder / 'report.html'}")
    return metrics
