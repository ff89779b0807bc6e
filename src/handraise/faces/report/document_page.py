"""A document as one printable HTML page that needs nothing else: no network, no script, no font."""

from __future__ import annotations

from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from handraise.faces.report.charts import sparkline
from handraise.faces.report.document import Document, plain


def to_page(document: Document) -> str:
    """A complete HTML document; every text of it is escaped, and isolated from the writing direction of the page."""
    return _environment().get_template("document.html").render(document=document)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("handraise.faces.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals |= {"sparkline": sparkline, "said": _said, "kind_of": lambda block: type(block).__name__}
    return environment


def _said(text: str) -> Markup:
    return Markup("<bdi>{}</bdi>").format(plain(text))
