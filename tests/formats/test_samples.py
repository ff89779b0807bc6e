"""What each row of the made-up samples becomes, and what is passed over."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from handraise.events.intake import FileCount
from handraise.events.sources import find_files
from handraise.service.project import Project
from support import load_folder, memory_project

SAMPLES = Path(__file__).parent / "samples"
Loaded = tuple[Project, list[FileCount]]


def _loaded(name: str) -> Iterator[Loaded]:
    with memory_project() as project:
        counts = load_folder(project, SAMPLES / name)
        assert [count for count in counts if count.quarantined] == []
        yield project, counts


@pytest.fixture(scope="module")
def each() -> Iterator[dict[str, Loaded]]:
    """Every sample, loaded into a project of its own."""
    opened = {folder.name: _loaded(folder.name) for folder in SAMPLES.iterdir() if folder.is_dir()}
    yield {name: next(project) for name, project in opened.items()}
    for project in opened.values():
        project.close()


def rows(loaded: Loaded, table: str, *columns: str) -> list[tuple[Any, ...]]:
    """Stored rows as texts, sorted."""
    stored = loaded[0].warehouse.rows(loaded[0].warehouse.table(table).select(*columns)).to_pylist()
    return sorted(tuple("" if row[c] is None else str(row[c]) for c in columns) for row in stored)


EVENT = ("event_id", "person_id", "anonymous_id", "name", "timestamp", "workspace_id", "properties")
EVENTS = {
    "segment": [
        ("ajs-1", "", "anon-1", "Sign Up Clicked", "2026-09-01 08:00:00", "", ""),
        ("ajs-2", "u-1", "anon-1", "Teammate Invited", "2026-09-02 09:00:00", "team-1", '{"count":"3","via":"e-mail"}'),
        ("ajs-3", "u-2", "", "limit_reached", "2026-09-03 10:00:00.250000", "team-1", ""),
        ("ajs-8", "", "anon-1", "page_view: Pricing", "2026-09-01 07:59:00", "",
         '{"name":"Pricing","path":"/pricing","url":"https://acme.example/pricing","title":"Pricing"}'),
        ("ajs-9", "u-1", "anon-1", "page_view", "2026-09-01 08:30:00", "",
         '{"path":"/home","url":"https://acme.example/home"}'),
        ("ios-1", "u-1", "phone-1", "screen_view: Settings", "2026-09-04 08:30:00", "", '{"name":"Settings"}'),
    ],
    "rudderstack": [
        ("r-1", "u-1", "anon-1", "Report Exported", "2026-09-01 08:00:00", "team-1",
         '{"rows":"12","kind":"pdf","tags":"[\\"a\\",\\"b\\"]"}'),
    ],
    "posthog": [
        ("0190-1", "", "dev-1", "$pageview", "2026-09-01 08:00:00.120000", ""),
        ("0190-4", "u-1", "dev-1", "member invited", "2026-09-02 08:05:00", "team-1"),
        ("0190-7", "server-user", "", "export", "2026-09-02 08:08:00", "team-2"),
    ],
    "amplitude": [
        ("i-1", "", "dev-1", "Upload File", "2026-09-01 08:00:00.120000", "", '{"size":7}'),
        ("i-2", "ada@acme.example", "dev-1", "Share Link", "2026-09-01 09:00:00", "team-1", '{"external":true}'),
    ],
    "mixpanel": [
        ("m-1", "", "dev-1", "Sign Up", "2026-09-01 08:00:00", ""),
        ("m-2", "u-1", "dev-1", "Invite Teammate", "2026-09-01 09:00:00", "team-1"),
        ("…", "u-2", "", "Export", "2026-09-01 08:58:23.500000", ""),
    ],
    "snowplow": [
        ("s-1", "", "duid-1", "page_view", "2026-09-01 08:00:00.500000", "",
         '{"page_url":"https://acme.example/pricing","page_urlpath":"/pricing"}'),
        ("s-2", "u-1", "duid-1", "report_shared", "2026-09-01 09:00:00", "team-1",
         '{"external": true, "count": 2,"workspace_id":"team-1","plan":"free"}'),
        ("s-3", "u-1", "duid-1", "play", "2026-09-01 09:05:00", "",
         '{"se_category":"media","se_action":"play","se_label":"intro"}'),
    ],
    "ga4": [
        ("…", "", "11.22", "page_view", "2026-09-01 08:00:00.123456", "",
         '{"page_location":"https://acme.example/pricing","ga_session_id":"77"}'),
        ("…", "u-1", "11.22", "invite_teammate", "2026-09-01 09:00:00", "team-1", '{"count":"2"}'),
    ],
}  # fmt: skip


@pytest.mark.parametrize("name", EVENTS)
def test_product_use_becomes_events(name: str, each: dict[str, Loaded]) -> None:
    wanted = EVENTS[name]
    found = [row[: len(wanted[0])] for row in rows(each[name], "events", *EVENT)]
    # An id that was made from the content is as good as any other.
    hidden = [("…", *row[1:]) if len(row[0]) == 32 else row for row in found]
    assert sorted(hidden) == sorted(wanted)


OTHERS: dict[tuple[str, str, tuple[str, ...]], list[tuple[str, ...]]] = {
    ("segment", "people", ("person_id", "email", "name", "title", "department", "created_at", "workspace_id")): [
        ("u-1", "ada@acme.example", "Ada", "Head of IT", "it", "2026-09-01 08:05:00", "team-1"),
        ("u-2", "bo@acme.example", "", "", "sales", "", ""),
        ("u-3", "", "", "", "", "", "team-2"),
    ],
    ("segment", "aliases", ("alias_id", "person_id", "at")): [
        ("anon-1", "u-1", "2026-09-01 08:05:00"),
        ("anon-1", "u-1", "2026-09-01 08:10:00"),
        ("u-0", "u-1", "2026-09-01 08:12:00"),
    ],
    ("segment", "workspaces", ("workspace_id", "account_id", "name")): [
        ("team-1", "team-1", "Acme"),
        ("team-2", "", "Two"),
    ],
    ("segment", "accounts", ("account_id", "name", "employees", "industry")): [("team-1", "Acme", "1200", "logistics")],
    ("posthog", "people", ("person_id", "email", "title", "created_at")): [
        ("u-1", "ada@acme.example", "Head of IT", "2026-09-01 08:05:00"),
    ],
    ("posthog", "aliases", ("alias_id", "person_id", "at")): [
        ("dev-1", "u-1", "2026-09-01 08:05:00"),
        ("u-0", "u-1", "2026-09-02 08:06:00"),
    ],
    ("posthog", "workspaces", ("workspace_id", "account_id", "name")): [("team-1", "team-1", "Acme")],
    ("posthog", "accounts", ("account_id", "name", "domain", "employees")): [
        ("team-1", "Acme", "acme.example", "1200"),
    ],
    ("amplitude", "people", ("person_id", "email", "department")): [
        ("ada@acme.example", "ada@acme.example", "security"),
    ],
    ("amplitude", "workspaces", ("workspace_id", "name")): [("team-1", "Acme")],
    ("mixpanel", "aliases", ("alias_id", "person_id", "at")): [
        ("dev-7", "u-1", "2026-09-01 08:58:20"),
        ("dev-8", "u-1", "2026-09-01 08:58:21"),
        ("u-0", "u-1", "2026-09-01 08:58:22"),
    ],
    ("mixpanel", "people", ("person_id", "email", "name", "created_at")): [
        ("u-1", "ada@acme.example", "Ada", "2026-09-01 08:00:00"),
    ],
    ("ga4", "people", ("person_id", "department", "workspace_id")): [("u-1", "it", "team-1")],
}


@pytest.mark.parametrize(("name", "table", "columns"), OTHERS)
def test_what_is_said_about_people_and_groups_becomes_facts(
    name: str, table: str, columns: tuple[str, ...], each: dict[str, Loaded]
) -> None:
    assert rows(each[name], table, *columns) == OTHERS[name, table, columns]


PASSED_OVER = {"segment": 1, "posthog": 1, "amplitude": 0, "snowplow": 1, "ga4": 1, "rudderstack": 0, "mixpanel": 0}


@pytest.mark.parametrize("name", PASSED_OVER)
def test_every_row_is_counted(name: str, each: dict[str, Loaded]) -> None:
    counts = each[name][1]
    assert sum(count.passed_over for count in counts) == PASSED_OVER[name]
    for count in counts:
        assert count.read == count.loaded + count.duplicate + count.quarantined + count.passed_over
        assert count.format == name


def test_each_file_is_taken_for_what_it_is() -> None:
    found = {f"{file.path.parent.name}/{file.path.name}": (file.format, file.table) for file in find_files([SAMPLES])}
    assert found == {
        **{f"segment/{table}.csv": ("segment", table) for table in ("tracks", "identifies", "users", "groups")},
        **{f"segment/{table}.csv": ("segment", table) for table in ("pages", "screens", "aliases")},
        "segment/teammate_invited.csv": ("segment", "event"),
        "rudderstack/tracks.ndjson": ("rudderstack", "tracks"),
        "rudderstack/report_exported.ndjson": ("rudderstack", "event"),
        "posthog/events.ndjson": ("posthog", "events"),
        "amplitude/90210_2026-09-01_8#0.json": ("amplitude", "events"),
        "mixpanel/export.json": ("mixpanel", "export"),
        "mixpanel/people.json": ("mixpanel", "profiles"),
        "snowplow/events.csv": ("snowplow", "events"),
        "ga4/events_20260901.json": ("ga4", "events"),
    }
