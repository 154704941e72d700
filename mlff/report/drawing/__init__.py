"""Panels as charts of a page, as figures on paper, and as tables: the same arrays each time."""

from mlff.report.drawing.as_chart import chart_of
from mlff.report.drawing.as_csv import write_panel_csv
from mlff.report.drawing.on_paper import write_panel_pictures, write_sheets

__all__ = ["chart_of", "write_panel_csv", "write_panel_pictures", "write_sheets"]
