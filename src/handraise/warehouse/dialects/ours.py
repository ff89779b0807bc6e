"""Functions of ours that every dialect has its own words for."""

from __future__ import annotations

from typing import Any


class Ours:
    """Mixed into an Ibis compiler: a function declared in `warehouse/functions.py` is put into words by `say_<name>`."""

    def visit_ScalarUDF(self, op: Any, **arguments: Any) -> Any:  # noqa: N802 - Ibis looks for this name
        """Put a declared function into the engine's words."""
        say = getattr(self, f"say_{op.__func_name__}", None)
        return say(op, *arguments.values()) if say else super().visit_ScalarUDF(op, **arguments)  # type: ignore[misc]
