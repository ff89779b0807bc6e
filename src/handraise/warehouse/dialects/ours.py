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

    def words(self, template: str | sge.Expression, **parts: Any) -> Any:
        """SQL of the dialect with expressions in place of `:name`."""
        tree = self.parsed(template)
        filled = tree.transform(
            lambda node: parts[node.name].copy() if isinstance(node, sge.Placeholder) and node.name in parts else node
        )
        return sge.paren(filled, copy=False)

    def parsed(self, template: str | sge.Expression) -> Any:
        """A template as a tree, in which `:name` is a placeholder."""
        return sg.parse_one(template, read=self.dialect) if isinstance(template, str) else template  # type: ignore[attr-defined]

    def say_object_in(self, op: Any, text: Any) -> Any:
        """A text that is a JSON object; NULL for every other."""
        start = sge.Substring(this=self.visit_Strip(op, arg=_TEXT), start=_ONE, length=_ONE)  # type: ignore[attr-defined]
        is_object = sge.and_(self.say_is_json(op, _TEXT), start.eq("{"))  # type: ignore[attr-defined]
        return self.words(_case(is_object, _TEXT), text=text)

    def say_list_in(self, op: Any, text: Any) -> Any:
        """A text that is a JSON list; NULL for every other."""
        return self.words(_case(self._is_list(op), _TEXT), text=text)

    def say_element_or_text(self, op: Any, text: Any) -> Any:
        """The first element where a text is a JSON list, else the text."""
        # Engines may read the element before they ask whether it is a list.
        safe = _case(self._is_list(op), _TEXT, sge.Literal.string("[]"))
        return self.words(_case(self._is_list(op), self.element(safe, 0), _TEXT), text=text)  # type: ignore[attr-defined]

    def _is_list(self, op: Any) -> Any:
        start = sge.Substring(this=_TEXT, start=_ONE, length=_ONE)
        return sge.and_(start.eq("["), self.is_json_list(op, _TEXT))

    def is_json_list(self, op: Any, text: Any) -> Any:
        """Whether a text that begins as a JSON list is one."""
        return self.say_is_json(op, text)  # type: ignore[attr-defined]


def _case(condition: Any, then: Any, otherwise: Any = None) -> Any:
    return sge.Case(ifs=[sge.If(this=condition, true=then.copy())], default=otherwise)


_TEXT = sge.Placeholder(this="text")
_ONE = sge.Literal.number(1)


def keys_of(op: Any) -> list[list[str]]:
    """The names of `first_text_of`, each as the steps of its path."""
    return [name.split(".") for name in op.args[1].value.split(BETWEEN_KEYS)]


def members(text: str) -> str:
    """SQL of what stands between the braces of a text that is a JSON object; NULL where there is nothing."""
    inner = f"NULLIF(TRIM(SUBSTRING(TRIM({text}), 2, LENGTH(TRIM({text})) - 2)), '')"
    return f"CASE WHEN SUBSTRING(TRIM({text}), 1, 1) = '{{' THEN {inner} END"
