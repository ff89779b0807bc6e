"""A document as one printable HTML page that needs nothing else: no network, no script, no font."""

from __future__ import annotations

from functools import cache

from jinja2 import Environment

from handraise.faces.report.charts import sparkline
from handraise.faces.report.document import Document
from handraise.faces.report.pages import isolated, page_templates
from handraise.handoffs.wording import visible


def to_page(document: Document) -> str:
    """A complete HTML document; every text of it is escaped, and isolated from the writing direction of the page."""
    return _environment().get_template("document.html").render(document=document)


@cache
def _environment() -> Environment:
    return page_templates(
        sparkline=sparkline,
        said=lambda text: isolated(visible(text)),
        plain=visible,
        kind_of=lambda block: type(block).__name__,
    )
