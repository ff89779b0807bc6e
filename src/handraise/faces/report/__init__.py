"""The report: one HTML file that says which accounts deserve a salesperson, and shows the sum behind every score."""

from handraise.faces.report.render import render_report

__all__ = ["render_report"]
