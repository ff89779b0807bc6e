"""`init --from`: a playbook that can be used at once, from any format, with nothing guessed."""

import json
from pathlib import Path

import pytest
import yaml

from handraise.errors import InputError, ProjectError
from handraise.events.formats.files import InputFile
from handraise.events.profile import Pages, profile_files
from handraise.playbook.load import FILE_NAME, load_playbook
from handraise.service.start import Start, start_from
from handraise.warehouse.engine import Warehouse
from support import Row, ev, load_folder, memory_project, scores, with_ids, write

SAMPLES = Path(__file__).parents[1] / "formats" / "samples"
ODD = ["a: b # c", "line\nbreak", "{x}", "- dash", "null", "123", '"quoted"', "it's", "\u2028", "tab\tx", "emoji 🎉", "@at", "*star"]  # fmt: skip


def placed(started: Start) -> dict[str, tuple[str, str]]:
    return {item.event.name: (item.proposal.role, item.proposal.level) for item in started.placed}


def started_from(folder: Path, events: list[Row]) -> Start:
    return start_from(folder / "project", [write(folder / "data", {"events": events})])


@pytest.mark.parametrize(
    ("name", "wanted", "unplaced"),
    [
        ("segment", {"Teammate Invited": "invite_sent", "limit_reached": "limit_reached",
                     "page_view: Pricing": "pricing_view", "Sign Up Clicked": "signed_up"},
         {"page_view", "screen_view: Settings"}),
        ("rudderstack", {"Report Exported": "export"}, set()),
        ("posthog", {"member invited": "invite_sent", "export": "export", "$pageview": "pricing_view"}, set()),
        ("amplitude", {"Share Link": "external_share"}, {"Upload File"}),
        ("mixpanel", {"Sign Up": "signed_up", "Invite Teammate": "invite_sent", "Export": "export"}, set()),
        ("snowplow", {"report_shared": "external_share", "page_view": "pricing_view"}, {"play"}),
        ("ga4", {"invite_teammate": "invite_sent", "page_view": "pricing_view"}, set()),
    ],
)  # fmt: skip
def test_each_format_can_be_started_from(name: str, wanted: dict[str, str], unplaced: set[str], tmp_path: Path) -> None:
    started = start_from(tmp_path, [SAMPLES / name])
    assert {event: role for event, (role, _) in placed(started).items()} == wanted
    assert {use.name for use in started.unplaced} == unplaced
    assert load_playbook(tmp_path / FILE_NAME).playbook.roles.keys() >= set(wanted.values())


def test_what_was_proposed_scores(tmp_path: Path) -> None:
    events = [
        ev("Teammate Invited", person="p", properties={"count": 3}),
        ev("Page Viewed", properties={"path": "/pricing"}),
    ]
    started = started_from(tmp_path, events)
    with memory_project(started.file.read_text(encoding="utf-8")) as project:
        load_folder(project, tmp_path / "data")
        row = scores(project).person("p", "workspace:w")
    assert (row["invites"], row["pricing_views"]) == (20, 10)


def test_what_is_near_a_deed_or_unknown_stands_in_comments_only(tmp_path: Path) -> None:
    started = started_from(tmp_path, [ev("Sign Up Clicked"), ev("frobnicate", properties={"colour": "red"})])
    text = started.file.read_text(encoding="utf-8")
    assert yaml.safe_load(text)["roles"]["signed_up"] == []
    assert "    # - Sign Up Clicked  # maybe: its name says sign + up" in text
    assert "#   frobnicate: 1 event, 1 person, 2026-10-27 to 2026-10-27; colour=red" in text


def test_counts_are_those_of_the_data(tmp_path: Path) -> None:
    events = [*(ev("Exported", person=f"p{n % 3}") for n in range(7)), ev("Exported", person=None, anonymous_id="a")]
    [item] = started_from(tmp_path, events).placed
    assert (item.event.count, item.event.people) == (8, 4)


def test_an_event_that_segment_keeps_in_two_tables_counts_once(tmp_path: Path) -> None:
    uses = start_from(tmp_path, [SAMPLES / "segment"]).profile.uses
    assert next(use.count for use in uses if use.name == "Teammate Invited") == 1


def test_names_of_any_sort_make_a_playbook_that_can_be_read(tmp_path: Path) -> None:
    events = [ev(name, properties={"feature": "x", "k\n# y": "v\n"}) for name in ODD]
    started = started_from(tmp_path, events)
    mapped = load_playbook(started.file).playbook.roles["feature"]
    assert {pattern.event for pattern in mapped} == set(ODD)
    long = start_from(tmp_path / "long", [write(tmp_path / "more", {"events": [ev("x" * 5000)]})])
    assert max(map(len, long.file.read_text(encoding="utf-8").splitlines())) < 400


def test_more_names_than_can_be_shown_are_counted(tmp_path: Path) -> None:
    rows = with_ids([ev(f"evt {n}") for n in range(3000)] + [ev(f"export {n}") for n in range(40)])
    text = started_from(tmp_path, rows).file.read_text(encoding="utf-8")
    assert "and 2,940 more names" in text
    assert "and 10 more, such as export" in text
    assert len(text.splitlines()) < 460


def test_rows_that_cannot_be_read_are_counted_and_do_not_stop_it(tmp_path: Path) -> None:
    started = started_from(tmp_path, [ev("Exported"), {**ev("Exported"), "timestamp": "soon"}])
    assert (started.profile.refused, started.placed[0].count) == (1, 1)


def test_a_playbook_that_is_there_is_kept_and_nothing_is_read(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_text("language: zh\n", encoding="utf-8")
    with pytest.raises(ProjectError, match="already"):
        start_from(tmp_path, [tmp_path / "gone"])
    assert (tmp_path / FILE_NAME).read_text(encoding="utf-8") == "language: zh\n"


def test_without_events_there_is_no_playbook(tmp_path: Path) -> None:
    write(tmp_path / "data", {"people": [{"person_id": "p"}]})
    with pytest.raises(InputError, match="no events"):
        start_from(tmp_path / "project", [tmp_path / "data"])
    assert not (tmp_path / "project" / FILE_NAME).exists()


def test_the_address_of_pages_is_read_only_where_it_matters(tmp_path: Path) -> None:
    rows = [ev("page_view", properties={"path": path}) for path in ["/pricing", "/pricing", "/home", "/u/17"]]
    path = write(tmp_path, {"events": rows}) / "events.csv"
    warehouse = Warehouse.open(None)
    try:
        file = InputFile(path=path, format="canonical", table="events", form="csv", packing="")
        pages = Pages(names=frozenset({"page_view"}), addresses=("path",), wanted="/pricing")
        found = profile_files(warehouse, [file], pages)
    finally:
        warehouse.close()
    assert [(page.value, page.count) for page in found.pages] == [("/pricing", 2)]
    assert json.loads(found.uses[0].samples[0])["path"] in {"/pricing", "/home", "/u/17"}
