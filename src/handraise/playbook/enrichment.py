"""What the company decided about enrichment: whom to believe, which providers may be asked, about whom, and how often."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from handraise.playbook.networks import Networks
from handraise.playbook.section import Name, Section

ACCOUNTS, PEOPLE, SELF_REPORT, PROVIDER = "accounts", "people", "self_report", "provider"
CompanyField = Literal["name", "employees", "industry", "country", "tags"]
PersonField = Literal["title", "department", "seniority"]
COMPANY_FIELDS: tuple[CompanyField, ...] = ("name", "employees", "industry", "country", "tags")
PERSON_FIELDS: tuple[PersonField, ...] = ("title", "department", "seniority")
_PLACES = re.compile(r"\{([^{}]*)\}")
_POINTER = re.compile(r"(/([^~/]|~[01])*)*")
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}")
Count = Annotated[int, Field(ge=0, le=1_000_000_000)]


class Order(Section):
    """Whom to believe, first to last; who is not named is not believed.

    `provider` stands for every source without a place of its own.

    Attributes:
        company: Of a company; `accounts` is the accounts file or the CRM.
        person: Of a person; `people` is the people file.
    """

    company: tuple[Name, ...] = (ACCOUNTS, PROVIDER, SELF_REPORT)
    person: tuple[Name, ...] = (PEOPLE, SELF_REPORT, PROVIDER)

    @model_validator(mode="after")
    def _own_rows_have_a_place(self) -> Order:
        for names, own in ((self.company, ACCOUNTS), (self.person, PEOPLE)):
            if own not in names or len(set(names)) < len(names):
                raise ValueError(f"the order names {own!r} and every other source once at most")
        return self


class Worth(Section):
    """Whom a provider is asked about: what any one of these rules takes.

    Attributes:
        handoff: Accounts that somebody is asked to act on.
        tiers: Accounts of these tiers.
        score: Accounts with at least so many points; None = points alone do not count.
    """

    handoff: bool = True
    tiers: tuple[Annotated[int, Field(ge=1)], ...] = (1, 2)
    score: int | None = None


class HttpProvider(Section):
    """A service that is asked over HTTP about one company, or one person, at a time.

    Attributes:
        about: Whether it is asked about companies, by their domain, or about people, by their e-mail address.
        url: With `{domain}` or `{email}` where the question goes.
        headers: Sent as they are.
        headers_env: Header → environment variable that holds its value; secrets stand there and nowhere else.
        fields: What is taken → where it stands in the answer, as a JSON pointer.
        missing_only: Ask only where one of the fields is not known from the accounts or the people file.
        fresh_days: An answer is not asked for again so long.
        miss_days: The same where nothing was known.
        per_day: Requests of a day (UTC) at most; failed ones count.
        per_month: Requests of a calendar month at most.
        per_second: Requests of a second at most.
        seconds: For one exchange.
        allow_private: Networks of your own that the address may be in; no other private address is ever asked.
    """

    about: Literal["company", "person"] = "company"
    url: str = Field(min_length=8, max_length=2000)
    headers: dict[str, str] = Field(default_factory=dict)
    headers_env: dict[str, str] = Field(default_factory=dict)
    fields: dict[CompanyField | PersonField, str] = Field(min_length=1)
    missing_only: bool = True
    fresh_days: int = Field(default=90, ge=1, le=3650)
    miss_days: int = Field(default=30, ge=1, le=3650)
    per_day: Count = 200
    per_month: Count = 2000
    per_second: float = Field(default=2.0, gt=0, le=100)
    seconds: float = Field(default=10.0, gt=0, le=60)
    allow_private: Networks = ()

    @field_validator("headers", "headers_env")
    @classmethod
    def _are_headers(cls, value: dict[str, str]) -> dict[str, str]:
        for name, text in value.items():
            if not _HEADER.fullmatch(name) or not text.isprintable():
                raise ValueError(f"{name!r} is no header, or its value holds a line break")
        return value

    @field_validator("fields")
    @classmethod
    def _are_pointers(cls, value: dict[str, str]) -> dict[str, str]:
        for name, pointer in value.items():
            if not _POINTER.fullmatch(pointer):
                raise ValueError(f"{name}: {pointer!r} is no JSON pointer; write one such as /company/size")
        return value

    @model_validator(mode="after")
    def _parts_fit(self) -> HttpProvider:
        wanted = "domain" if self.about == "company" else "email"
        if not self.url.startswith(("https://", "http://")) or _PLACES.findall(self.url) != [wanted]:
            raise ValueError(f"the url begins with https:// and has {{{wanted}}} in it, once")
        if "{" in self.url.partition("://")[2].partition("/")[0]:
            raise ValueError(f"{{{wanted}}} stands in the path or the query of the url, never in the host")
        known = COMPANY_FIELDS if self.about == "company" else PERSON_FIELDS
        if wrong := [name for name in self.fields if name not in known]:
            raise ValueError(f"{wrong[0]} is nothing of a {self.about}; choose of {', '.join(known)}")
        return self


class Enrichment(Section):
    """Everything about enrichment; without providers, nobody is asked anything.

    Attributes:
        order: Whom to believe.
        worth: Whom providers are asked about.
        providers: Source → how it is asked.
    """

    order: Order = Order()
    worth: Worth = Worth()
    providers: dict[Name, HttpProvider] = Field(default_factory=dict)

    @field_validator("providers")
    @classmethod
    def _names_are_free(cls, value: dict[str, HttpProvider]) -> dict[str, HttpProvider]:
        if taken := {ACCOUNTS, PEOPLE, SELF_REPORT, PROVIDER} & value.keys():
            raise ValueError(f"a provider cannot be called {min(taken)!r}")
        return value
