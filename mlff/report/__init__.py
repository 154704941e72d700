"""What a trained potential is worth, and what a simulation gave: a self-contained HTML page each, and figures for a paper."""

from mlff.report.content import PredictionSamples, ReportContent, headline_split
from mlff.report.figures import write_figures
from mlff.report.md_content import ArrheniusSeries, MdReport, MotionShares, MsdCurve, Replica, TimeSeries
from mlff.report.md_figures import write_md_figures
from mlff.report.md_page import write_md_report
from mlff.report.page import write_report
from mlff.report.uncertainty import UncertaintyContent
from mlff.report.verdict import honest_warnings, summary_sentence

__all__ = [
    "ArrheniusSeries",
    "MdReport",
    "MotionShares",
    "MsdCurve",
    "PredictionSamples",
    "Replica",
    "ReportContent",
    "TimeSeries",
    "UncertaintyContent",
    "headline_split",
    "honest_warnings",
    "summary_sentence",
    "write_figures",
    "write_md_figures",
    "write_md_report",
    "write_report",
]
