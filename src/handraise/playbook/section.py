"""What all parts of the playbook share: frozen models that refuse unknown keys, names, and reasons in two languages."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Language = Literal["en", "zh"]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,62}$")]


class Section(BaseModel):
    """Shared by all parts of the playbook."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Because(Section):
    """Why something was given or done, in a salesperson's words; names in braces are filled in."""

    en: str
    zh: str

    @model_validator(mode="before")
    @classmethod
    def _one_text_serves_both(cls, value: object) -> object:
        return {"en": value, "zh": value} if isinstance(value, str) else value
