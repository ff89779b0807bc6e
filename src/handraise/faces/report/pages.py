"""What all pages share: templates that escape every text and know no names but those that they are given."""

from __future__ import annotations

from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup


def page_templates(**known: Any) -> Environment:
    """The templates of pages, with functions and values that all of them know."""
    environment = Environment(
        loader=PackageLoader("handraise.faces.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals |= known
    return environment


def isolated(text: str) -> Markup:
    """Foreign text that cannot turn around the sentence it stands in."""
    return Markup("<bdi>{}</bdi>").format(text)
