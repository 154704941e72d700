"""What a trained potential is worth, on one page: the self-contained HTML report and the figures for a paper."""

from mlff.report.content import PredictionSamples, ReportContent, headline_split
from mlff.report.figures import write_figures
from mlff.report.page import write_report
from mlff.report.uncertainty import UncertaintyContent
from mlff.report.verdict import honest_warnings, summary_sentence

__all__ = [
    "PredictionSamples",
    "ReportContent",
    "UncertaintyContent",
    "headline_split",
    "honest_warnings",
    "summary_sentence",
    "write_figures",
    "write_report",
]
