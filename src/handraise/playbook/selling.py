"""What the company decided about briefs and drafts: its prices, who is an admin, and how it writes to people."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field, model_validator

from handraise.playbook.measures import RoleName
from handraise.playbook.section import Section

Line = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]


class ListPrice(Section):
    """What a plan costs, before anybody talks about it.

    Attributes:
        per_seat: Price of one seat in one period.
        period: month or year.
    """

    per_seat: Decimal = Field(ge=0, le=1_000_000, decimal_places=2)
    period: Literal["month", "year"] = "month"


class Pricing(Section):
    """List prices. What stands here not is said to be unknown, and never guessed.

    Attributes:
        currency: ISO 4217 code of all amounts, also of subscriptions.
        plans: Plan, as subscriptions name it → its price; the smallest plan first.
    """

    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] | None = None
    plans: dict[Line, ListPrice] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _prices_have_a_currency(self) -> Pricing:
        if self.plans and self.currency is None:
            raise ValueError("prices need their `currency`, such as EUR")
        return self


class Admins(Section):
    """Who is an admin of the account: by what they did, or by a word of their title or seniority.

    Attributes:
        roles: Whoever ever did something of these roles.
        title_words: Whole words.
    """

    roles: tuple[RoleName, ...] = ("admin_change", "workspace_created")
    title_words: tuple[Line, ...] = ("admin", "administrator", "sysadmin", "管理员")


class Outreach(Section):
    """How people are written to.

    Attributes:
        product: What you call the product; None = "the product".
        sender: Who signs; None = nobody.
        links: Addresses that a draft may hold; a draft with another is refused.
        most_characters: A longer draft is refused.
    """

    product: Line | None = None
    sender: Line | None = None
    links: tuple[Line, ...] = ()
    most_characters: int = Field(default=1200, ge=100, le=5000)
