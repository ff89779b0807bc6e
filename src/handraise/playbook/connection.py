"""The `warehouse:` section of the playbook: which engine, where, and which tables are whose."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

InputName = Literal[
    "events",
    "people",
    "workspaces",
    "accounts",
    "subscriptions",
    "limits",
    "opportunities",
    "touches",
    "leads",
    "nps",
    "prompts",
    "outcomes",
    "aliases",
]


class SourceTable(BaseModel):
    """Where one canonical input stands in the company's warehouse.

    Attributes:
        table: Its table or view, with its schema.
        query: A query instead of a table.
        columns: Canonical column → the name it has there.
        format: Its layout.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    table: str | None = None
    query: str | None = None
    columns: dict[str, str] = Field(default_factory=dict)
    format: Literal["canonical"] = "canonical"

    @model_validator(mode="before")
    @classmethod
    def _plain_name_is_a_table(cls, value: object) -> object:
        return {"table": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _one_of_both(self) -> SourceTable:
        if (self.table is None) == (self.query is None):
            raise ValueError("a source needs either `table` or `query`")
        return self

    @property
    def where(self) -> str:
        """What the source is called in counts and in quarantine."""
        return self.table or "query"


class WarehouseMode(BaseModel):
    """Scoring inside the company's own warehouse.

    Attributes:
        engine: What runs there.
        connection: The environment variable that holds the address; never the address itself.
        own_schema: The schema that handraise writes, `schema` in the file.
        sources: Canonical input → the company's table, which is only read.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    engine: Literal["duckdb", "spark", "postgres"]
    connection: Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
    own_schema: Annotated[str, Field(alias="schema", pattern=r"^[a-z][a-z0-9_]{0,62}$")] = "handraise"
    sources: dict[InputName, SourceTable]

    @field_validator("connection", mode="before")
    @classmethod
    def _is_no_address(cls, value: object) -> object:
        if isinstance(value, str) and ":" in value:
            raise ValueError("`connection` is the name of an environment variable; the address belongs in it, not here")
        return value

    @field_validator("sources")
    @classmethod
    def _has_events(cls, sources: dict[InputName, SourceTable]) -> dict[InputName, SourceTable]:
        if "events" not in sources:
            raise ValueError("`sources` needs `events`")
        return sources
