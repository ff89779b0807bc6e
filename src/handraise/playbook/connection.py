"""The `warehouse:` section of the playbook: which engine, where, and which tables are whose."""

from __future__ import annotations

from typing import Annotated, Literal, get_args

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, field_validator, model_validator

from handraise.playbook.reading import did_you_mean

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
    "enrichment",
]


# Vendors' layouts that can be read where they are, and their tables; `events/registry.py` knows what is in them.
FormatName = Literal["segment", "rudderstack", "snowplow", "ga4", "posthog", "amplitude", "mixpanel"]
_CALLS = ("tracks", "event", "identifies", "users", "groups", "accounts", "pages", "screens", "aliases")
FORMAT_TABLES: dict[FormatName, tuple[str, ...]] = {
    "segment": _CALLS,
    "rudderstack": _CALLS,
    "snowplow": ("events",),
    "ga4": ("events",),
    "posthog": ("events", "persons"),
    "amplitude": ("events",),
    "mixpanel": ("export", "event", "profiles"),
}
TableName = Annotated[str, Field(min_length=1)]


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


class SourceFormat(BaseModel):
    """Tables that a vendor writes, which stand in the company's warehouse in its layout.

    Attributes:
        format: Whose layout.
        tables: The layout's name of a table → where it is; several for tables that there are many of.
        from_schema: A schema whose tables are told by their columns instead, `schema` in the file.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: FormatName
    tables: dict[str, tuple[TableName, ...]] = Field(default_factory=dict)
    from_schema: Annotated[str | None, Field(alias="schema", min_length=1)] = None

    @field_validator("tables", mode="before")
    @classmethod
    def _one_table_is_a_list(cls, value: object) -> object:
        if not isinstance(value, dict):
            return value
        return {kind: (named,) if isinstance(named, str) else named for kind, named in value.items()}

    @model_validator(mode="after")
    def _tables_are_known(self) -> SourceFormat:
        if bool(self.tables) == (self.from_schema is not None):
            raise ValueError(f"a {self.format} source needs either `tables` or `schema`")
        known = FORMAT_TABLES[self.format]
        for kind in self.tables:
            if kind not in known:
                near = did_you_mean(kind, known) or f"It has {', '.join(known)}."
                raise ValueError(f"{self.format} has no table {kind!r}. {near.rstrip('.')}")
        return self


def _kind_of_source(value: object) -> str:
    """By what is written: a layout other than ours is a vendor's."""
    named = value.get("format") if isinstance(value, dict) else getattr(value, "format", None)
    return "<format>" if isinstance(named, str) and named != "canonical" else "<canonical>"


SourceEntry = Annotated[
    Annotated[SourceTable, Tag("<canonical>")] | Annotated[SourceFormat, Tag("<format>")],
    Discriminator(_kind_of_source),
]


class WarehouseMode(BaseModel):
    """Scoring inside the company's own warehouse.

    Attributes:
        engine: What runs there.
        connection: The environment variable that holds the address; never the address itself.
        own_schema: The schema that handraise writes, `schema` in the file.
        sources: Canonical input → the company's table, or any name → a vendor's tables; all are only read.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    engine: Literal["duckdb", "spark", "postgres"]
    connection: Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
    own_schema: Annotated[str, Field(alias="schema", pattern=r"^[a-z][a-z0-9_]{0,62}$")] = "handraise"
    sources: dict[str, SourceEntry]

    @field_validator("connection", mode="before")
    @classmethod
    def _is_no_address(cls, value: object) -> object:
        if isinstance(value, str) and ":" in value:
            raise ValueError("`connection` is the name of an environment variable; the address belongs in it, not here")
        return value

    @field_validator("sources")
    @classmethod
    def _inputs_are_known(cls, sources: dict[str, SourceEntry]) -> dict[str, SourceEntry]:
        names = get_args(InputName)
        for name, source in sources.items():
            if isinstance(source, SourceTable) and name not in names:
                near = did_you_mean(name, names) or f"Inputs: {', '.join(names)}."
                raise ValueError(f"there is no input {name!r}. {near} (A vendor's tables need `format`)")
        if "events" not in sources and not any(isinstance(s, SourceFormat) for s in sources.values()):
            raise ValueError("`sources` needs `events`, or a vendor's tables (`format: segment` and so on)")
        return sources
