"""What the company decided about a language model that may reword drafts: which, and how often. Without it, none does."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, field_validator

from handraise.playbook.networks import Networks
from handraise.playbook.section import Section

Line = Annotated[str, Field(min_length=1, max_length=300, pattern=r"^[^\x00-\x1f\x7f]+$")]


class Rewriting(Section):
    """An endpoint that speaks OpenAI's chat completions.

    Attributes:
        url: Of chat completions, such as https://llm.example.com/v1/chat/completions.
        model: Name of the model.
        key_env: Environment variable that holds the key; None = it needs none.
        style: What the company wants of its wording, in words of its own.
        per_day: Requests of a day (UTC) at most; failed ones count.
        per_month: Requests of a calendar month at most.
        seconds: For one exchange.
        most_tokens: Of one answer.
        allow_private: Networks of your own that the address may be in.
    """

    url: str = Field(min_length=8, max_length=2000)
    model: Line
    key_env: Line | None = None
    style: Line | None = None
    per_day: int = Field(default=50, ge=0, le=1_000_000)
    per_month: int = Field(default=500, ge=0, le=10_000_000)
    seconds: float = Field(default=30.0, gt=0, le=120)
    most_tokens: int = Field(default=900, ge=100, le=8000)
    allow_private: Networks = ()

    @field_validator("url")
    @classmethod
    def _is_an_address(cls, value: str) -> str:
        if not value.startswith(("https://", "http://")):
            raise ValueError("the url begins with https://")
        return value
