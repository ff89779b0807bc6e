"""A draft that a language model reworded, beside the one that it began as."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from handraise.records.drafts import Draft


@dataclass(frozen=True, kw_only=True, slots=True)
class Rewrite:
    """What became of rewording a draft; nothing sends either of the two.

    Attributes:
        original: The template's own text, which holds whatever became of the other.
        reworded: The other text, which passed every check; None = there is none.
        code: Why there is none: not_json, tools, wrong_shape, cut_off, signs, cite_lost, new_number, new_name, new_script,
            planted, promise, longer, same, secret, any code of a refused draft, failed or budget; empty = there is one.
        because: The same in words.
        attempts: Requests made.
        model: Who reworded it.
        at: When.
    """

    original: Draft
    reworded: Draft | None
    code: str
    because: str
    attempts: int
    model: str
    at: datetime
