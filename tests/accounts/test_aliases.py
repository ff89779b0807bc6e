"""Ids that stand for another: anonymous ones, former ones, chains, circles, and when each was known."""

from datetime import timedelta
from pathlib import Path
from random import Random

import pytest

from oracle.facts import Links
from support import (
    DAY,
    HOUR,
    Row,
    Scores,
    T,
    Tables,
    differences,
    ev,
    load_folder,
    memory_project,
    scores,
    with_ids,
    write,
)


def alias(former: str, person: str, ago: timedelta = 20 * DAY) -> Row:
    return {"alias_id": former, "person_id": person, "at": ev("", ago)["timestamp"]}


def did(*people: str) -> list[Row]:
    """An event of each id, known by name."""
    return [ev("open", 3 * DAY + n * HOUR, person, "") for n, person in enumerate(people)]


def visited(anonymous: str) -> list[Row]:
    return [ev("open", 2 * DAY, None, "", anonymous_id=anonymous)]


# What was loaded, and who is there at T.
CASES: dict[str, tuple[list[Row], list[Row], set[str]]] = {
    "a former id is the person it became": (did("a-1", "a-2"), [alias("a-1", "a-2")], {"a-2"}),
    "an anonymous id is the person it became": ([*visited("b-x"), *did("b-1")], [alias("b-x", "b-1")], {"b-1"}),
    "somebody who has not done anything else is known all the same": (visited("c-x"), [alias("c-x", "c-1")], {"c-1"}),
    "a chain is followed to its end": (
        did("d-1", "d-2", "d-3", "d-4", "d-5"),
        [alias(f"d-{n}", f"d-{n + 1}", n * DAY) for n in (1, 2, 3, 4)],
        {"d-5"},
    ),
    "an anonymous id goes all the way too": (
        [*visited("e-x"), *did("e-1")],
        [alias("e-x", "e-1"), alias("e-1", "e-2"), alias("e-2", "e-3")],
        {"e-3"},
    ),
    "a circle is one person under its smallest id": (
        did("f-2", "f-3", "f-1"),
        [alias("f-1", "f-2"), alias("f-2", "f-3"), alias("f-3", "f-1")],
        {"f-1"},
    ),
    "what leads into a circle is in it, and does not name it": (
        did("g-0", "g-5", "g-6"),
        [alias("g-0", "g-6"), alias("g-5", "g-6"), alias("g-6", "g-5")],
        {"g-5"},
    ),
    "an alias of itself says nothing": (did("h-1"), [alias("h-1", "h-1")], {"h-1"}),
    "the alias known first counts": (
        did("i-1"),
        [alias("i-1", "i-2", 5 * DAY), alias("i-1", "i-3", 9 * DAY)],
        {"i-3"},
    ),
    "of two known at once, the smallest person counts": (did("j-1"), [alias("j-1", "j-3"), alias("j-1", "j-2")], {"j-2"}),
    "an event that carries both ids first weighs more than a later alias": (
        [ev("open", 9 * DAY, "k-1", "", anonymous_id="k-x"), *visited("k-x")],
        [alias("k-x", "k-2", 5 * DAY)],
        {"k-1"},
    ),
    "an alias that is known first weighs more than a later event": (
        [ev("open", 4 * DAY, "l-1", "", anonymous_id="l-x"), *visited("l-x")],
        [alias("l-x", "l-2", 5 * DAY)],
        {"l-1", "l-2"},
    ),
    "an alias that is not known before the day says nothing": (did("m-1"), [alias("m-1", "m-2", timedelta())], {"m-1"}),
    "an alias known just before the day counts": (did("n-1"), [alias("n-1", "n-2", timedelta(seconds=1))], {"n-2"}),
    "half a circle is a chain": (
        did("o-1", "o-2"),
        [alias("o-1", "o-2"), alias("o-2", "o-1", -DAY)],
        {"o-2"},
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Scores]:
    folder = tmp_path_factory.mktemp("aliases")
    tables: Tables = {
        "events": [row for events, _, _ in CASES.values() for row in events],
        "aliases": [row for _, aliases, _ in CASES.values() for row in aliases],
        "people": [{"person_id": "p-1", "email": "x@p-firm.com", "created_at": ev("", 9 * DAY)["timestamp"]}],
    }
    tables["aliases"].append(alias("p-1", "p-2"))
    with memory_project() as project:
        load_folder(project, write(folder, tables))
        return folder, scores(project, T, T - 8 * DAY)


@pytest.mark.parametrize("title", CASES)
def test_who_is_there(title: str, company: tuple[Path, Scores]) -> None:
    letter = next(iter(CASES[title][0]))["person_id"][:2] or next(iter(CASES[title][1]))["alias_id"][:2]
    found = {person for day, person, _ in company[1].people if day == T and person.startswith(letter)}
    assert found == CASES[title][2]


def test_a_row_of_the_people_file_under_a_former_id_places_the_person_it_became(company: tuple[Path, Scores]) -> None:
    assert {person for day, person, _ in company[1].people if day == T and person.startswith("p-")} == {"p-2"}


@pytest.mark.parametrize("ago", [0, 8])
def test_all_of_it_is_as_the_oracle_says(ago: int, company: tuple[Path, Scores]) -> None:
    assert differences(company[1], company[0], T - ago * DAY) == []


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_any_graph_of_aliases_ends_where_the_oracle_says(seed: int, tmp_path: Path) -> None:
    chance = Random(seed)
    ids = [f"p{n}" for n in range(120)]
    # Each id leads to one a little further on or anywhere: long chains, trees and circles.
    aliases = [alias(own, chance.choice([f"p{n + 1}", chance.choice(ids)]), 3 * DAY) for n, own in enumerate(ids[:-1])]
    with memory_project() as project:
        load_folder(project, write(tmp_path, {"events": with_ids(did(*ids)), "aliases": aliases}))
        found = scores(project)
        ends = project.warehouse.rows(project.warehouse.table("alias_ends")).to_pylist()
    links = Links(
        anonymous={}, aliases={row["alias_id"]: row["person_id"] for row in aliases if len(set(row.values())) > 2}
    )
    assert {row["alias_id"]: row["person_id"] for row in ends} == {own: links.end(own) for own in links.aliases}
    assert {person for _, person, _ in found.people} == {links.end(own) for own in ids}
