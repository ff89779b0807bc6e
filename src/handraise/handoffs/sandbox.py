"""Templates that a team edits: a small part of Jinja, checked before it runs, so that it always ends and reaches nothing.

What is allowed is listed; everything else is refused with its line. There are no calls, no arithmetic, no assignment, no
other file and no attribute but those of the facts, so the text cannot grow beyond what the template and the facts hold.
Jinja's own sandbox is a second wall behind it.
"""

from __future__ import annotations

import difflib
import re
import traceback
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from jinja2 import StrictUndefined, TemplateError, TemplateSyntaxError, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from handraise.errors import DraftError
from handraise.handoffs.citing import Absent, AbsentError
from handraise.playbook.section import Language

LONGEST_TEMPLATE = 10_000
LONGEST_TEXT = 8_000
_DEEPEST = 40
_LOOPS_INSIDE = 2
_LONGEST_CONST = 300
_LARGEST_CONST = 10**9
_NAME_OF_TEMPLATE = "<draft>"
_NODES: tuple[type[nodes.Node], ...] = (
    nodes.Template,
    nodes.Output,
    nodes.TemplateData,
    nodes.Name,
    nodes.Getattr,
    nodes.Const,
    nodes.If,
    nodes.For,
    nodes.CondExpr,
    nodes.Compare,
    nodes.Operand,
    nodes.And,
    nodes.Or,
    nodes.Not,
    nodes.Filter,
    nodes.Concat,
    nodes.Keyword,
)
_LOOP = ("first", "last", "index")
_OPENING, _CLOSING = re.compile(r"[(\[{]|{%-?\s*(?:if|for)\b"), re.compile(r"[)\]}]|{%-?\s*end(?:if|for)\b")


def _joined(values: Any, separator: str = ", ") -> str:
    return separator.join(str(one) for one in _several(values))


def _listed(values: Any, language: str) -> str:
    """`a, b and c`; in Chinese, Latin letters keep their distance."""
    said = [str(one) for one in _several(values)]
    if len(said) < 2:  # noqa: PLR2004 - there is nothing to put between
        return "".join(said)
    if language != "zh":
        return f"{', '.join(said[:-1])} and {said[-1]}"
    before, after = (" " if edge.isascii() else "" for edge in (said[-2][-1:], said[-1][:1]))
    return f"{'、'.join(said[:-1])}{before}和{after}{said[-1]}"


def _several(values: Any) -> Iterable[Any]:
    """A list of facts; a text has no parts that could be joined."""
    if not isinstance(values, tuple | Absent):
        raise TypeError("only a list can be joined")
    return values


def _first(values: Any) -> Any:
    return next(iter(_several(values)), "")


_FILTERS = {
    "join": _joined,
    "first": _first,
    "length": lambda values: len(tuple(_several(values))),
    "lower": lambda value: str(value).lower(),
    "upper": lambda value: str(value).upper(),
    "capitalize": lambda value: str(value)[:1].upper() + str(value)[1:],
}
FILTERS = (*_FILTERS, "listed")
Names = Mapping[str, tuple[str, ...]]


def check_template(source: str, names: Names, *, where: str, first_line: int = 1) -> None:
    """Refuse a template that does more than say facts.

    Args:
        source: Its text.
        names: Facts that exist: name → its parts; a name without parts is a plain text.
        where: What errors call the file.
        first_line: Line of the file on which the text begins.

    Raises:
        DraftError: With file and line, and the names that exist.
    """
    tree = _parsed(source, where, first_line)
    for node, deep, loops, own in _walk(tree):
        at = f"{where}:{(node.lineno or 1) + first_line - 1}"
        if deep > _DEEPEST or loops > _LOOPS_INSIDE:
            raise DraftError("the template is nested too deeply.", where=at, todo="Say it in a simpler way.")
        _check_node(node, names, own, at)
        _check_groups(node, names, own, at)


def _parsed(source: str, where: str, first_line: int) -> nodes.Template:
    if len(source) > LONGEST_TEMPLATE:
        todo = f"Keep it below {LONGEST_TEMPLATE:,} characters."
        raise DraftError(f"the template is too long ({len(source):,} characters).", where=where, todo=todo)
    if _nesting(source) > _DEEPEST:
        raise DraftError("the template is nested too deeply.", where=where, todo="Say it in a simpler way.")
    try:
        return ImmutableSandboxedEnvironment().parse(source)
    except TemplateSyntaxError as error:
        at = f"{where}:{error.lineno + first_line - 1}"
        raise DraftError(f"the template cannot be read ({error.message}).", where=at, todo=_SEE) from error
    except (RecursionError, MemoryError, ValueError, TemplateError) as error:
        raise DraftError("the template cannot be read.", where=where, todo=_SEE) from error


def _nesting(source: str) -> int:
    """How deep brackets and blocks stand inside each other at most, so that no parser runs out of stack."""
    opened = [(match.start(), 1) for match in _OPENING.finditer(source)]
    closed = [(match.start(), -1) for match in _CLOSING.finditer(source)]
    deep = most = 0
    for _, step in sorted(opened + closed):
        deep = max(deep + step, 0)
        most = max(most, deep)
    return most


_Walked = tuple[nodes.Node, int, int, frozenset[str]]


def _walk(tree: nodes.Node) -> Iterator[_Walked]:
    """Every node, how deep it stands, inside how many loops, and the names that these loops give."""
    waiting: list[_Walked] = [(tree, 0, 0, frozenset())]
    while waiting:
        node, deep, loops, own = waiting.pop()
        yield node, deep, loops, own
        inner, more = own, loops
        if isinstance(node, nodes.For):
            inner, more = own | {node.target.name if isinstance(node.target, nodes.Name) else "", "loop"}, loops + 1
        waiting += [(child, deep + 1, more, inner) for child in node.iter_child_nodes()]


def _check_node(node: nodes.Node, names: Names, own: frozenset[str], at: str) -> None:
    if not isinstance(node, _NODES):
        raise DraftError(f"a template cannot use {_called(node)}.", where=at, todo=_SEE)
    match node:
        case nodes.Getattr():
            _check_part(node, names, own, at)
        case nodes.Name(ctx="load", name=name) if name not in own and name not in names:
            raise DraftError(f"there is no {name!r} to be said.", where=at, todo=_known(name, sorted({*names, *own})))
        case nodes.For() if not isinstance(node.target, nodes.Name) or node.recursive or node.test or node.else_:
            raise DraftError("a loop is {% for one in use.features %} … {% endfor %}.", where=at, todo=_SEE)
        case nodes.For(target=nodes.Name(name=name)) if name in names or name == "loop":
            raise DraftError(f"{name!r} is taken.", where=at, todo="Choose another name for the loop.")
        case nodes.Filter():
            _check_filter(node, at)
        case nodes.Const(value=value) if isinstance(value, str) and len(value) > _LONGEST_CONST:
            raise DraftError("a text in quotes is too long.", where=at, todo="Write it outside of the braces.")
        case nodes.Const(value=value) if isinstance(value, int | float) and abs(value) > _LARGEST_CONST:
            raise DraftError("a number is too large.", where=at, todo=f"At most {_LARGEST_CONST:,}.")
        case _:
            pass


def _check_groups(node: nodes.Node, names: Names, own: frozenset[str], at: str) -> None:
    """Refuse `{{ use }}`: a group may be asked whether anything of it is known, and only its parts be said."""
    for child in node.iter_child_nodes():
        group = child.name if isinstance(child, nodes.Name) and child.ctx == "load" else ""
        parts = _LOOP if group == "loop" and group in own else names.get(group, ())
        asked = isinstance(node, nodes.Getattr | nodes.Not | nodes.And | nodes.Or)
        asked = asked or (isinstance(node, nodes.If | nodes.CondExpr) and node.test is child)
        if parts and not asked:
            todo = _known(group, [f"{group}.{part}" for part in parts])
            raise DraftError(f"{group!r} is a group, and nothing to be said by itself.", where=at, todo=todo)


def _check_part(node: nodes.Getattr, names: Names, own: frozenset[str], at: str) -> None:
    """`use.feature` and `loop.last`, and nothing of them."""
    base = node.node.name if isinstance(node.node, nodes.Name) else None
    known = _LOOP if base == "loop" and base in own else names.get(base or "", ())
    if base is None or (base in own and base != "loop") or node.attr not in known:
        said = f"{base or '…'}.{node.attr}"
        todo = _known(node.attr, [f"{base}.{part}" for part in known]) if known else _known(said, sorted(names))
        raise DraftError(f"there is no {said!r} to be said.", where=at, todo=todo)


def _check_filter(node: nodes.Filter, at: str) -> None:
    if node.name not in FILTERS or node.node is None:
        raise DraftError(f"there is no filter {node.name!r}.", where=at, todo=_known(node.name, list(FILTERS)))
    plain = all(isinstance(one, nodes.Const) and isinstance(one.value, str) for one in node.args)
    most = 1 if node.name == "join" else 0
    if not plain or len(node.args) > most or node.kwargs or node.dyn_args or node.dyn_kwargs:
        raise DraftError(f"the filter {node.name!r} takes nothing else.", where=at, todo=_SEE)


def _called(node: nodes.Node) -> str:
    return _CALLED.get(type(node).__name__, type(node).__name__.lower())


_CALLED = {
    "Call": "a call, such as f()",
    "Getitem": "square brackets",
    "Assign": "set",
    "AssignBlock": "set",
    "Include": "include",
    "Import": "import",
    "FromImport": "import",
    "Extends": "extends",
    "Mul": "arithmetic",
    "Pow": "arithmetic",
}
_SEE = "docs/briefs-and-drafts.md says what a template can hold."


def _known(said: str, known: list[str]) -> str:
    close = difflib.get_close_matches(said, known, n=1, cutoff=0.6)
    listed = f"These exist: {', '.join(known)}."
    return f"Did you mean {close[0]}? {listed}" if close else listed


def render(
    source: str,
    facts: Mapping[str, Any],
    language: Language,
    *,
    where: str,
    first_line: int = 1,
    said: list[str] | None = None,
) -> str:
    """The text of a checked template.

    Args:
        source: The template, which `check_template` let pass.
        facts: What it can say.
        language: Of lists (`and`).
        where: What errors call the file.
        first_line: Line of the file on which the text begins.
        said: Gets what each placeholder said; the template's own words are not among it. None = nobody asks.

    Raises:
        DraftError: It says what is not known of the account, or the text would be too long.
    """
    filled: list[str] = []

    def fill(value: Any) -> str:
        filled.append(str(value))
        return filled[-1]

    environment = ImmutableSandboxedEnvironment(
        undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, finalize=fill
    )
    environment.globals.clear()
    environment.filters.clear()
    environment.filters |= {**_FILTERS, "listed": lambda values: _listed(values, language)}
    parts: list[str] = []
    try:
        code = environment.compile(source, filename=_NAME_OF_TEMPLATE)
        template = environment.template_class.from_code(environment, code, {})
        filled.clear()  # texts in quotes are filled in while it is compiled, and are the template's own
        for part in template.generate(**facts):
            parts.append(part)
            if sum(map(len, parts)) > LONGEST_TEXT:
                raise DraftError("the text is too long.", where=where, todo=f"Keep it below {LONGEST_TEXT:,}.")
    except AbsentError as error:
        todo = f"Ask first: {{% if {error} %}} … {{% endif %}}."
        raise DraftError(
            f"{error} is not known of this account.", where=_line(where, error, first_line), todo=todo
        ) from error
    except (TemplateError, TypeError, ValueError, AttributeError, RecursionError, MemoryError, SyntaxError) as error:
        at = _line(where, error, first_line)
        raise DraftError(f"the template cannot be filled in ({error}).", where=at, todo=_SEE) from error
    if said is not None:
        said += filled
    return "".join(parts)


def _line(where: str, error: BaseException, first_line: int) -> str:
    lines = [one.lineno for one in traceback.extract_tb(error.__traceback__) if one.filename == _NAME_OF_TEMPLATE]
    return f"{where}:{lines[-1] + first_line - 1}" if lines and lines[-1] else where
