"""Functions of ours that every dialect has its own words for."""

from __future__ import annotations

from typing import Any

import sqlglot as sg
import sqlglot.expressions as sge

from handraise.warehouse.functions import BETWEEN_KEYS

# Where the value of a Google Analytics parameter stands, by its type.
VALUE_KINDS = ("string_value", "int_value", "float_value", "double_value")


class Ours:
    """Mixed into an Ibis compiler: a function declared in `warehouse/functions.py` is put into words by `say_<name>`."""

    def visit_ScalarUDF(self, op: Any, **arguments: Any) -> Any:  # noqa: N802 - Ibis looks for this name
        """Put a declared function into the engine's words."""
        say = getattr(self, f"say_{op.__func_name__}", None)
        return say(op, *arguments.values()) if say else super().visit_ScalarUDF(op, **arguments)  # type: ignore[misc]

    def words(self, template: str, **parts: Any) -> Any:
        """SQL of the dialect with expressions in place of `:name`."""
        tree = sg.parse_one(template, read=self.dialect)  # type: ignore[attr-defined]
        filled = tree.transform(
            lambda node: parts[node.name].copy() if isinstance(node, sge.Placeholder) and node.name in parts else node
        )
        return sge.paren(filled, copy=False)


def keys_of(op: Any) -> list[list[str]]:
    """The names of `first_text_of`, each as the steps of its path."""
    return [name.split(".") for name in op.args[1].value.split(BETWEEN_KEYS)]


def members(text: str) -> str:
    """SQL of what stands between the braces of a text that is a JSON object; NULL where there is nothing."""
    inner = f"NULLIF(TRIM(SUBSTRING(TRIM({text}), 2, LENGTH(TRIM({text})) - 2)), '')"
    return f"CASE WHEN SUBSTRING(TRIM({text}), 1, 1) = '{{' THEN {inner} END"
