"""Nasty rows in every format and connector: nothing is lost, nothing breaks, and the good rows of the file are stored."""

import csv
import io
import json
import random
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from handraise.events.connectors.protocol import Connector
from handraise.events.registry import CONNECTORS
from handraise.service.project import Project
from hostile.attack import NASTY, ndjson, take_in
from support import T, differences, ev, load_folder, memory_project, scores, write

QUICK = settings(
    max_examples=2,
    deadline=None,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=list(HealthCheck),
    derandomize=True,
)
AT = "2026-10-01T00:00:00Z"
CANONICAL = {"event_id": "e", "person_id": "p", "name": "open", "timestamp": AT, "workspace_id": "w", "properties": {}}
# One good row for each layout; the file's name, and the columns that may not be attacked all together.
FORMATS: dict[str, tuple[str, dict[str, Any]]] = {
    "canonical": ("events.ndjson", CANONICAL),
    "posthog": (
        "export.jsonl",
        {"uuid": "u", "event": "open", "distinct_id": "d", "timestamp": AT, "elements_chain": "",
         "properties": {"$device_id": "x", "$set": {"email": "a@b.co"}, "$groups": {"company": "w"}}},
    ),
    "amplitude": (
        "export.json",
        {"uuid": "u", "event_type": "open", "user_id": "p", "device_id": "d", "event_time": "2026-10-01 00:00:00",
         "event_properties": {"a": 1}, "user_properties": {"email": "a@b.co"}, "groups": {"org": ["w"]}, "group_properties": {}},
    ),
    "mixpanel": (
        "export.ndjson",
        {"event": "open", "properties": {"time": 1_790_000_000, "distinct_id": "p", "$insert_id": "i", "$device_id": "d"}},
    ),
    "segment": (
        "tracks.ndjson",
        {"id": "i", "received_at": AT, "timestamp": AT, "user_id": "p", "anonymous_id": "a", "event": "open",
         "event_text": "Open", "context_group_id": "w", "sent_at": AT, "context_library_name": "js"},
    ),
    "snowplow": (
        "atomic.ndjson",
        {"event_id": "e", "app_id": "a", "collector_tstamp": AT, "derived_tstamp": AT, "event_name": "open",
         "event": "struct", "se_action": "x", "user_id": "p", "domain_userid": "d", "contexts": "[]", "unstruct_event": "{}"},
    ),
    "ga4": (
        "ga.ndjson",
        {"event_date": "20261001", "event_timestamp": 1_790_000_000_000_000, "event_name": "open", "user_id": "p",
         "event_params": [{"key": "k", "value": {"string_value": "v"}}], "user_pseudo_id": "d", "user_properties": []},
    ),
}  # fmt: skip
# Properties that a layout looks into, by the event that makes it look.
INSIDE: dict[str, tuple[str, tuple[str, ...], tuple[str, ...]]] = {
    "posthog": (
        "event",
        ("open", "$identify", "$create_alias", "$groupidentify"),
        ("$device_id", "$set", "$groups", "$anon_distinct_id", "alias", "$group_key", "$group_set", "$is_identified"),
    ),
    "mixpanel": (
        "event",
        ("open", "$identify", "$create_alias", "$merge"),
        ("time", "distinct_id", "$device_id", "$user_id", "$groups", "$distinct_ids", "alias", "$identified_id"),
    ),
}
nasty = st.one_of(st.sampled_from(NASTY), st.text(max_size=8))


def spoiled(good: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    """The row with some of its values replaced, and some left out."""
    names = st.sampled_from(list(good))
    return st.tuples(st.dictionaries(names, nasty, max_size=3), st.sets(names, max_size=1)).map(
        lambda change: {name: value for name, value in {**good, **change[0]}.items() if name not in change[1]}
    )


def looked_into(name: str) -> list[dict[str, Any]]:
    """The row with each nasty value in each property that matters."""
    good = FORMATS[name][1]
    column, events, keys = INSIDE[name]
    return [
        {**good, column: event, "uuid": f"{event}{key}{n}", "properties": {**good["properties"], key: value}}
        if name == "posthog"
        else {**good, column: event, "properties": {**good["properties"], "$insert_id": f"{event}{key}{n}", key: value}}
        for event in events
        for key in keys
        for n, value in enumerate(NASTY)
    ]


@pytest.mark.parametrize("name", FORMATS)
@given(data=st.data())
@QUICK
def test_spoiled_rows_of_every_format_leave_the_good_one(name: str, project: Project, data: st.DataObject) -> None:
    file, good = FORMATS[name]
    rows = data.draw(st.lists(spoiled(good), min_size=60, max_size=120))
    found = take_in(project, {file: ndjson([good, *rows])})
    assert found.refused == ""
    assert found.counts["events"][1] >= 1


@pytest.mark.parametrize("name", INSIDE)
def test_what_a_format_looks_into_may_hold_anything(name: str, project: Project) -> None:
    found = take_in(project, {FORMATS[name][0]: ndjson([FORMATS[name][1], *looked_into(name)])}, score=True)
    assert found.refused == ""
    assert found.counts["events"][1] > 100


def csv_of(columns: list[str], rows: list[list[str]]) -> str:
    out = io.StringIO(newline="")
    csv.writer(out).writerows([columns, *rows])
    return out.getvalue()


PLAIN = ["1", "2", "a@b.co", AT, "1,000", "true", "customer", "won", "[]", "{}"]
TEXTS = [str(value) for value in NASTY if isinstance(value, str | int | float)]


def cells(chance: random.Random, columns: list[str]) -> list[list[str]]:
    """Rows of one source table: ids that repeat, times, numbers, and anything."""
    return [[chance.choice(TEXTS if chance.random() < 1 / 3 else PLAIN) for _ in columns] for _ in range(8)]


@pytest.mark.parametrize("connector", CONNECTORS, ids=lambda connector: connector.name)
@pytest.mark.parametrize("seed", range(2))
def test_spoiled_tables_of_every_connector_add_up(connector: Connector, seed: int, project: Project) -> None:
    # Some thousand cells: chance by a seed instead of a search through them, which would take minutes.
    chance = random.Random(seed)
    files: dict[str, str | bytes] = {}
    for table in connector.tables:
        columns = list(dict.fromkeys((*table.needs, *table.columns)))
        files[f"{connector.name}/{table.name}.csv"] = csv_of(columns, cells(chance, columns))
    found = take_in(project, files)
    assert found.refused == ""
    assert sum(read for read, *_ in found.counts.values()) > 0


@given(lines=st.lists(st.text(alphabet='a,"\r\n\0\ud800x;\\ 1', max_size=30), max_size=40))
@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
def test_any_csv_adds_up(lines: list[str], project: Project) -> None:
    good = "good,p,open,2026-10-01"
    text = "\n".join(["event_id,person_id,name,timestamp", good, *lines])
    found = take_in(project, {"events.csv": text})
    assert found.counts["events"][1] >= 1


@given(
    pieces=st.lists(
        st.sampled_from(['{"a":1}', "{", "}", "[", "]", ",", '"', "\\", "1", "\n", '"x{"', json.dumps(CANONICAL)])
    )
)
@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
def test_any_json_list_adds_up(pieces: list[str], project: Project) -> None:
    found = take_in(project, {"events.json": f"[{json.dumps(CANONICAL)}, {''.join(pieces)}"})
    assert found.counts["events"][1] == 1


names = st.one_of(
    st.sampled_from([v for v in NASTY if isinstance(v, str) and v.strip() and v.isprintable()]),
    st.text(alphabet=st.characters(categories=["L", "N", "P", "S"]), min_size=1, max_size=6),
)


@given(ids=st.lists(names, min_size=3, max_size=5, unique=True))
@settings(max_examples=2, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
def test_scores_of_hostile_names_equal_the_oracles(ids: list[str]) -> None:
    """Ids, names of events, of features and of companies: each of the texts in each of the places."""
    tables: dict[str, list[dict[str, Any]]] = {
        "events": [
            ev(kind, person=one, ws=other, event_id=f"{one}-{other}-{kind}", properties={"feature": other, other: one})
            for one in ids
            for other in ids
            for kind in (one, "premium_feature")
        ],
        "people": [{"person_id": one, "name": one, "title": one, "department": one, "seniority": one} for one in ids],
        "accounts": [{"account_id": ids[0], "name": ids[1], "industry": ids[2], "employees": 60}],
        "workspaces": [{"workspace_id": ids[1], "account_id": ids[0]}],
        "aliases": [{"alias_id": a, "person_id": b, "at": AT} for a, b in ((ids[0], ids[1]), (ids[1], ids[0]))],
    }
    with tempfile.TemporaryDirectory() as folder, memory_project() as project:
        path = write(Path(folder), tables)
        assert not [count for count in load_folder(project, path) if count.quarantined]
        assert differences(scores(project, T), path, T) == []
