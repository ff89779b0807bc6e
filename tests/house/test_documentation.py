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


def _described() -> set[str]:
    """Method and path of every address of the API, as its description names them."""
    from fastapi.routing import APIRoute

    from handraise.faces.api.app import RESOURCES

    routes = [route for resource in RESOURCES for route in resource.router.routes if isinstance(route, APIRoute)]
    shown = [route for route in routes if route.include_in_schema]
    return {f"{method} {route.path_format}" for route in shown for method in route.methods}


def test_every_address_of_the_api_is_named() -> None:
    named = set(re.findall(r"`((?:GET|POST|PUT|DELETE) /[^`]*)`", _text("api.md")))
    assert named == _described()


def test_every_problem_of_the_api_has_its_heading() -> None:
    from handraise.faces.api.problems import KINDS, type_of

    headings = dict(re.findall(r"^### `(/problems/[a-z-]+)`\n\n(\d+)", _text("api.md"), re.MULTILINE))
    assert headings == {type_of(kind): str(known.status) for kind, known in KINDS.items()}


def test_every_scope_of_the_api_is_named() -> None:
    from handraise.ledger.api_keys import SCOPES

    section = _text("api.md").partition("## Scopes")[2].partition("##")[0]
    assert set(re.findall(r"^\| `([a-z]+)`", section, re.MULTILINE)) == set(SCOPES)


def test_every_metric_is_named() -> None:
    from types import SimpleNamespace

    from handraise.faces.api.metrics import Metrics

    progress = SimpleNamespace(calls=0, behind=0, damaged=0, scored_at=None, failures=0, moved_aside=[])
    door = SimpleNamespace(accepted=0, waiting=0, failing=False, refused_ever=lambda: {"x": 1})
    host: Any = SimpleNamespace(
        door=door,
        follower=SimpleNamespace(progress=progress),
        log=SimpleNamespace(durable=0, room=0),
        playbook=SimpleNamespace(refused=""),
        alert_standings=dict,
    )
    text = Metrics(host).text().decode()
    kept = set(re.findall(r"^# TYPE (\w+)", text, re.MULTILINE))
    assert set(re.findall(r"^\| `(handraise_\w+)`", _text("api.md"), re.MULTILINE)) == kept


@pytest.mark.parametrize("page", ["playbook.md", "data.md", "alerts.md"])
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
