"""A company's own examples: what they can say, what comes out, and that they never see each other."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from handraise.errors import PlaybookError
from handraise.playbook.load import LoadedPlaybook, load_template, parse_playbook
from handraise.playbook.moments import _moments
from handraise.service.examples import ExampleResult, run_examples

TEMPLATE = load_template()

# Each expectation is counted by hand from the template's table of points.
HOLDS = """
examples:
  - name: every person signal that events alone can give
    person: {title: CFO, email: ana@acme.com, created: 20 days ago}
    account: {employees: 600, icp: true}
    events:
      - {event: limit_reached, at: 30 days ago}
      - {event: pricing_view, at: [1 day ago, 3 days ago], times: 2}
      - {event: premium_feature, at: 5 days ago, properties: {feature: audit}}
      - {event: premium_feature, at: 4 days ago, properties: {feature: export}}
      - {event: premium_feature, at: 4 days ago, properties: {feature: roles}}
      - {event: invite_sent, at: 2 days ago, properties: {count: 6}}
    expect:
      behaviour_points: 100
      score: 135
      band: hot
      is_pql: true
      points: {limit_reached: 20, pricing_views: 20, premium_features: 15, invites: 30, active_5_of_7: 15,
               rising_usage: 0,
               company_size: 20, icp_match: 15, target_industry: blind}
      account: {score: 145, people_points: 100, account_points: 10, firmographic_points: 35, segment: enterprise, tier: 4,
                points: {people: 100, executive_present: 10, volume: blind, near_limit: 0, company_size: 20}}

  - name: a window ends after its last day
    person: {created: 20 days ago, email: ana@acme.com}
    events:
      - {event: limit_reached, at: 31 days ago}
      - {event: open, at: 1 hour ago}
    expect: {score: -10, points: {limit_reached: 0, inactive: 0, lonely: -10}}

  - name: a team near its limit
    person: {email: ana@acme.com}
    events: [{event: open, at: 1 to 5 days ago}]
    colleagues:
      - {count: 9, email: bo@acme.com, department: it, events: [{event: open, at: 2 days ago, workspace: second}]}
      - {name: Cy, created: 40 days ago, expect: {score: -10, band: none, points: {free_only: -10}}}
    limits: [{metric: seats, used: 9, quota: 10, at: 1 day ago}]
    subscriptions: []
    expect:
      points: {active_5_of_7: 15, same_domain_people: 25}
      account: {active_people: 10, points: {near_limit: 20, active_people: 25, workspaces: 15, departments: 0}}

  - name: who pays is not a free user
    person: {created: 50 days ago}
    account: {created: 50 days ago}
    events: [{event: open, at: 2 days ago}]
    subscriptions: [{started: 40 days ago, mrr: 10}]
    expect: {points: {free_only: 0, lonely: -10}}

  - name: who paid until yesterday is one
    person: {created: 50 days ago}
    events: [{event: open, at: 2 days ago}]
    subscriptions: [{started: 40 days ago, ended: 1 day ago, mrr: 10}]
    expect: {points: {free_only: -10}}

  - name: an absolute time, on a day of its own
    as_of: 2026-10-28
    person: {created: 2026-10-27T00:00Z}
    events: [{event: activation, at: 2026-10-27T00:30+00:00}]
    expect: {points: {fast_activation: 10}}

  - name: what was not loaded is blind
    without: [subscriptions, accounts.employees]
    events: [{event: open, at: 1 day ago}]
    expect: {points: {free_only: blind, company_size: blind, icp_match: 0}}
"""


def write(folder: Path, text: str, name: str = "handraise.tests.yaml") -> Path:
    file = folder / name
    file.write_text(text, encoding="utf-8")
    return file


def results(folder: Path, text: str, playbook: LoadedPlaybook = TEMPLATE) -> list[ExampleResult]:
    return run_examples(playbook, [write(folder, text)])


def told(result: ExampleResult) -> set[tuple[str, str, Any, Any]]:
    return {(m.of, m.what, m.expected, m.got) for m in result.mismatches}


@pytest.fixture(scope="module")
def together(tmp_path_factory: pytest.TempPathFactory) -> list[ExampleResult]:
    return results(tmp_path_factory.mktemp("together"), HOLDS)


def test_points_counted_by_hand_come_out(together: list[ExampleResult]) -> None:
    assert [(r.name, told(r)) for r in together if not r.passed] == []
    assert len(together) == 7


def test_an_example_gives_the_same_alone_as_among_others(together: list[ExampleResult], tmp_path: Path) -> None:
    """Two of them have the same e-mail domain, and all have the same names of workspaces."""
    parts = HOLDS.split("\n  - name:")
    for place in (1, 2):
        text = f"examples:\n  - name:{parts[place + 1]}"
        (alone,) = results(tmp_path, text)
        assert (alone.person, alone.account) == (together[place].person, together[place].account)


def test_examples_keep_their_order_and_lines(together: list[ExampleResult]) -> None:
    lines = HOLDS.splitlines()
    assert all(lines[result.line - 1].strip() == f"- name: {result.name}" for result in together)


FAILS = """
examples:
  - name: wrong
    events: [{event: pricing_view, at: 1 day ago, times: 2}, {event: opne, at: 1 day ago}]
    expect:
      score: 20
      band: warm
      is_pql: true
      points: {pricing_views: 20, limit_reached: 20, invites: 0, volume_: 0}
      account: {tier: 1, segment: enterprise, is_pqa: true, points: {people: 20, volume: 15, departments: 20}}
  - name: nobody there
    person: {title: CEO}
    expect: {score: 0, points: {invites: 0}}
""".replace(", volume_: 0", "")


def test_a_failure_says_what_came_and_why(tmp_path: Path) -> None:
    wrong, nobody = results(tmp_path, FAILS)
    assert not wrong.passed
    assert told(wrong) == {
        ("person", "score", 20, 10),
        ("person", "band", "warm", "none"),
        ("person", "is_pql", True, False),
        ("person", "pricing_views", 20, 10),
        ("person", "limit_reached", 20, 0),
        ("account", "tier", 1, 4),
        ("account", "segment", "enterprise", "smb"),
        ("account", "is_pqa", True, False),
        ("account", "people", 20, 10),
        ("account", "volume", 15, "blind"),
        ("account", "departments", 20, 0),
    }
    why = {m.what: m.because for m in wrong.mismatches}
    assert why["pricing_views"] == "looked at pricing 2× in 30 days"
    assert why["limit_reached"] == "measured 0; the ladder is >=1: 20"
    assert why["band"] == "score 10; hot from 80, warm from 50, emerging from 30"
    assert why["departments"] == "measured 0; the ladder is >=2: 20, >=3: 30"
    assert "not set in the playbook" in why["volume"]
    assert wrong.notes == ("no signal reads these events, except as activity: opne",)
    assert sum(line.points or 0 for line in wrong.person) == 10
    assert told(nobody) == {("person", "score", 0, None), ("person", "invites", 0, None)}
    assert "not there at as-of" in nobody.mismatches[0].because


def test_the_playbooks_own_signals_and_language_are_used(tmp_path: Path) -> None:
    playbook = parse_playbook(
        "language: zh\nroles: {export: [Saved]}\nsignals: {person: {saved: {category: usage, "
        "measure: {kind: count, role: export}, points: {'>=2': 7}, because: {en: x, zh: '保存 {value} 次'}}}}",
        name="p.yaml",
        path=None,
    )
    text = "examples: [{name: a, events: [{event: Saved, at: -1d, times: 3}], expect: {points: {saved: 6}}}]"
    (found,) = results(tmp_path, text, playbook)
    assert told(found) == {("person", "saved", 6, 7)}
    assert found.mismatches[0].because == "保存 3 次"


def test_several_files_run_as_one(tmp_path: Path) -> None:
    text = "examples: [{name: NAME, events: [{event: limit_reached, at: -1d}], expect: {score: 20}}]"
    files = [write(tmp_path, text.replace("NAME", name), f"{name}.yaml") for name in ("one", "two")]
    assert [(r.file, r.name, r.passed) for r in run_examples(TEMPLATE, files)] == [
        ("one.yaml", "one", True),
        ("two.yaml", "two", True),
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("examples:\n  - name: x\n    evnts: []\n    expect: {score: 1}\n", ":3: the key 'examples.0.evnts' is not known. Did you mean 'events'?"),
        ("examples:\n  - name: x\n", ":2: the key 'examples.0.expect' is missing."),
        ("examples:\n  - name: x\n    expect: {}\n", ":3: examples.0.expect: name at least one thing"),
        ("examples: []\n", "there is no example in it"),
        ("exampels: []\n", ":1: the key 'exampels' is not known. Did you mean 'examples'?"),
        ("examples:\n  - name: x\n    events:\n      - {event: a, at: 0 days ago}\n    expect: {score: 1}\n", ":4: examples.0.events.0.at: as-of is the start of its day"),
        ("examples:\n  - name: x\n    events:\n      - {event: a, at: soon}\n    expect: {score: 1}\n", "cannot read the time 'soon'; write '3 days ago'"),
        ("examples:\n  - name: x\n    person: {created: 1 to 3 days ago}\n    expect: {score: 1}\n", ":3: examples.0.person.created: one time is wanted here"),
        ("examples:\n  - name: x\n    events:\n      - {event: a, at: 2026-01-01}\n    expect: {score: 1}\n", ":2: an absolute time needs `as_of`"),
        ("examples:\n  - name: x\n    expect:\n      points:\n        pricing_view: 1\n", ":5: there is no person signal 'pricing_view'. Did you mean 'pricing_views'?"),
        ("examples:\n  - name: x\n    expect: {band: hott}\n", ":3: there is no band 'hott'. Did you mean 'hot'?"),
        ("examples:\n  - name: x\n    expect: {account: {tier: 9}}\n", ":3: there is no tier '9'. Known: 1, 2, 3, 4."),
        ("examples:\n  - name: x\n    expect: {account: {points: {volum: 9}}}\n", "there is no account signal 'volum'. Did you mean 'volume'?"),
        ("without: [acounts]\nexamples:\n  - name: x\n    expect: {score: 1}\n", ":1: there is no input or column to leave out, 'acounts'. Did you mean 'accounts'?"),
        ("without: [people.person_id]\nexamples:\n  - name: x\n    expect: {score: 1}\n", "there is no input or column to leave out"),
        ("examples:\n  - name: x\n    colleagues:\n      - expect: {points: {invite: 1}}\n    expect: {score: 1}\n", ":4: there is no person signal 'invite'. Did you mean 'invites'?"),
        ("examples:\n  - name: x\n    as_of: 2020-01-01\n    events: [{event: a, at: 1950-01-01}]\n    expect: {score: 1}\n", ":2: the example 'x' cannot be loaded: events: timestamp"),
        ("- a\n", ":1: a file of examples is a mapping of keys."),
        ("examples: {\n", "this is not valid YAML"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(PlaybookError) as refused:
        results(tmp_path, text)
    assert said in str(refused.value)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PlaybookError, match="cannot be read"):
        run_examples(TEMPLATE, [tmp_path / "nope.yaml"])


DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("3 days ago", (3 * DAY,)),
        ("1 day ago", (DAY,)),
        ("1.5 days ago", (1.5 * DAY,)),
        ("-3d", (3 * DAY,)),
        ("-2w", (14 * DAY,)),
        ("2 weeks ago", (14 * DAY,)),
        ("5 hours ago", (5 * DAY / 24,)),
        ("-90m", (timedelta(minutes=90),)),
        ("10 min ago", (timedelta(minutes=10),)),
        ("1 to 3 days ago", (DAY, 2 * DAY, 3 * DAY)),
        (["-1d", "2 to 3 days ago"], (DAY, 2 * DAY, 3 * DAY)),
        (date(2026, 1, 2), (datetime(2026, 1, 2, tzinfo=UTC),)),
        ("2026-01-02T03:00+01:00", (datetime(2026, 1, 2, 2, tzinfo=UTC),)),
        ("2026-01-02 03:00", (datetime(2026, 1, 2, 3, tzinfo=UTC),)),
    ],
    ids=str,
)
def test_times_as_people_write_them(said: object, meant: tuple[object, ...]) -> None:
    assert _moments(said) == meant


@pytest.mark.parametrize(
    "said", ["3 to 1 days ago", "0d ago", "-0d", "tomorrow", 3, "1 to 9999 days ago", "5 years ago"]
)
def test_other_times_are_refused(said: object) -> None:
    with pytest.raises(ValueError, match="ago"):
        _moments(said)
