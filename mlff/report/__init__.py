"""What a potential is worth, what a simulation gave, how a campaign went: a self-contained HTML page each, and figures for a paper."""

from mlff.report.active_content import ActiveReport
from mlff.report.active_figures import write_active_figures
from mlff.report.active_page import write_active_report
from mlff.report.content import PredictionSamples, ReportContent, headline_split
from mlff.report.figures import write_figures
from mlff.report.md_content import ArrheniusSeries, MdReport, MotionShares, MsdCurve, Replica, TimeSeries
from mlff.report.md_page import write_md_figures, write_md_report
from mlff.report.page import write_report
from mlff.report.uncertainty import UncertaintyContent
from mlff.report.verdict import honest_warnings, summary_sentence

__all__ = [
    "ActiveReport",
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
    "write_active_figures",
    "write_active_report",
    "write_figures",
    "write_md_figures",
    "write_md_report",
    "write_report",
]
