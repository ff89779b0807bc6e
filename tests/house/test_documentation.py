"""Everything a user can write or meet has its heading, and no heading stands for something that is not there."""

import inspect
import re
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from handraise import errors
from handraise.playbook import measures
from handraise.playbook.load import parse_playbook
from handraise.playbook.schema import Playbook
from handraise.warehouse.tables import INPUTS

DOCS = Path(__file__).parents[2] / "docs"


def _text(page: str) -> str:
    return (DOCS / page).read_text(encoding="utf-8")


def _headings(page: str, shape: str) -> set[str]:
    """The part in brackets of every heading of this shape: code alone, such as ### `kind: count`."""
    return set(re.findall(rf"^#+ `{shape}`(?: \{{[^}}]*\}})?$", _text(page), flags=re.MULTILINE))


def _kinds() -> set[str]:
    fields = [k.model_fields["kind"] for k in vars(measures).values() if _is_kind(k)]
    return {str(typing.get_args(field.annotation)[0]) for field in fields}


def _is_kind(thing: object) -> bool:
    return inspect.isclass(thing) and issubclass(thing, measures.Measure) and "kind" in thing.model_fields


def _commands(group: Any, path: str) -> Iterator[str]:
    """Paths of all commands; a group that does something by itself is one too."""
    for name, command in group.commands.items():
        inner = hasattr(command, "commands")
        if inner:
            yield from _commands(command, f"{path} {name}")
        if not inner or command.invoke_without_command:
            yield f"{path} {name}"


def test_every_kind_of_measure_has_its_heading() -> None:
    assert _headings("playbook.md", "kind: ([a-z_]+)") == _kinds()


def test_every_key_of_the_playbook_has_its_heading() -> None:
    assert _headings("playbook.md", "([a-z_]+)") == {*Playbook.model_fields, "extends"}


def test_every_canonical_input_has_its_heading_and_names_all_columns() -> None:
    assert _headings("data.md", "([a-z_]+)") == set(INPUTS)
    sections = dict(re.findall(r"^#+ `([a-z_]+)`\n(.*?)(?=^#|\Z)", _text("data.md"), flags=re.MULTILINE | re.DOTALL))
    unnamed = {i.name: [c for c in i.columns if f"`{c}`" not in sections[i.name]] for i in INPUTS.values()}
    assert {name: columns for name, columns in unnamed.items() if columns} == {}


def test_every_error_has_its_heading() -> None:
    existing = {name for name, thing in vars(errors).items() if inspect.isclass(thing)}
    assert _headings("errors.md", "([A-Za-z]+Error)") == existing


def test_every_command_has_its_heading() -> None:
    app = pytest.importorskip(
        "handraise.faces.cli.app", reason="the command line cannot be imported", exc_type=ImportError
    )
    typer = pytest.importorskip("typer")
    group = typer.main.get_command(app.app)
    assert _headings("commands.md", "(handraise [a-z -]+)") == set(_commands(group, "handraise"))


@pytest.mark.parametrize("page", ["playbook.md", "data.md"])
def test_every_example_of_a_playbook_is_one(page: str) -> None:
    examples = re.findall(r"^```yaml\n(.*?)^```", _text(page), flags=re.MULTILINE | re.DOTALL)
    assert examples
    for example in examples:
        parse_playbook(example, name=page, path=None)


def test_every_guarantee_names_a_test_that_is_there() -> None:
    tests = Path(__file__).parents[1]
    there = {
        name
        for file in tests.rglob("test_*.py")
        for name in re.findall(r"^def (test_\w+)", file.read_text(), re.MULTILINE)
    }
    lines = re.findall(r"^\| (?!promise|---)(.+) \| (.*) \|$", _text("guarantees.md"), flags=re.MULTILINE)
    assert len(lines) > 20
    assert [said for said, shown in lines if shown.strip("`") not in there] == []
