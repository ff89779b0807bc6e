"""Who can decide and who can buy: the executive and buyer rules of the playbook."""

from __future__ import annotations

import re

import ibis.expr.types as ir

from handraise.playbook.schema import Playbook
from handraise.signals.fit import in_list
from handraise.warehouse.functions import FALSE


def _folded(text: ir.StringValue) -> ir.StringValue:
    """Lower case; `-`, `_` and runs of spaces become one space."""
    folded: ir.StringValue = text.lower().re_replace(r"[-_\s]+", " ").strip()
    return folded


def is_executive(people: ir.Table, playbook: Playbook) -> ir.BooleanValue:
    """By seniority, or by a whole word of the title."""
    rule = playbook.executive
    by_seniority = _folded(people.seniority).isin([s.lower() for s in rule.seniorities]).fill_null(FALSE)
    words = "|".join(re.escape(word.lower()).replace(r"\ ", " ") for word in rule.title_words)
    pattern = f"(^|[^a-z0-9])({words})([^a-z0-9]|$)"
    by_title = _folded(people.title).re_search(pattern).fill_null(FALSE)
    either: ir.BooleanValue = by_seniority | by_title
    return either


def is_buyer(people: ir.Table, playbook: Playbook) -> ir.BooleanValue:
    """An executive, or one of the buying seniorities in a buying department."""
    rule = playbook.buyer
    senior = _folded(people.seniority).isin([s.lower() for s in rule.seniorities]).fill_null(FALSE)
    placed = in_list(people.department, rule.departments).fill_null(FALSE)
    either: ir.BooleanValue = is_executive(people, playbook) | (senior & placed)
    return either
