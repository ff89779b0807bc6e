"""A company's own signals and role mappings, a few lines of YAML each, score without a line of code."""

import json
from datetime import date
from pathlib import Path

import pytest

from handraise.errors import PlaybookError
from handraise.playbook.load import load_template, parse_playbook
from handraise.rollups.roles import carries_role, feature_key
from support import DAY, TINY, Row, Scores, T, ev, load_folder, memory_project, scores, write


def own(name: str, measure: str, points: str, more: str = "") -> str:
    """A person signal in five lines."""
    return f"    {name}:\n      category: own\n      measure: {{{measure}}}\n      points: {{{points}}}\n      because: own {{value}}\n{more}"


def steps(*rungs: float) -> str:
    """A ladder whose points are the place of the rung, so that points tell the value apart."""
    return ", ".join(f'">={rung}": {place}' for place, rung in enumerate(rungs, start=1))


UP_TO_20 = steps(*range(1, 21))
SIGNALS = [
    own("deploys", "kind: count, event: Deploy Done", UP_TO_20),
    own("deploys_ever", "kind: count, event: Deploy Done", UP_TO_20, "      window: lifetime\n"),
    own("deploys_week", "kind: count, event: Deploy Done", UP_TO_20, "      window: 7\n"),
    own(
        "deploys_fading",
        "kind: count, event: Deploy Done",
        steps(0.25, 0.5, 0.75, 1, 1.25, 1.5),
        "      half_life: 10\n",
    ),
    own("rows", "kind: sum, role: export, property: rows, default: 0", steps(1, 100, 100_000)),
    own("features_ever", "kind: distinct, roles: [feature]", UP_TO_20, "      window: lifetime\n"),
    own("mapped", "kind: count, role: shipped", UP_TO_20),
    own("kinds_shipped", "kind: distinct, roles: [shipped]", UP_TO_20),
    # One name carries two roles, and another role has two names.
    own("looks", "kind: distinct, roles: [looked]", UP_TO_20),
    own("looks_and_uses", "kind: distinct, roles: [looked, glanced]", UP_TO_20),
    own("gazes", "kind: distinct, roles: [gazed]", UP_TO_20),
    own("few_days", "kind: active_days", '"<3": 5, "<=1": 9'),
    own("sharing_alone", "kind: lonely, invite: external_share", "true: -3"),
]
PLAYBOOK = f"""
roles:
  shipped:
    - release
    - {{event: build, where: {{branch: [main, trunk], ok: true, 'plan.type': 2}}, feature: target}}
    - {{where: {{ci: "yes"}}}}
  looked: [seen, glance]
  glanced: [seen]
  gazed: [stare, squint]
  premium_feature: {{event: opened, where: {{tier: pro}}}}
signals:
  account:
    growth_in_fifths:
      category: own
      measure: {{kind: people_growth}}
      points: {{">=0.1": 1, ">=0.2": 2, ">=0.4": 4, ">=0.7": 7}}
      because: x
    releases:
      category: own
      measure: {{kind: sum, role: shipped, property: size, default: 2}}
      points: {{{UP_TO_20}}}
      because: x
  person:
{"".join(SIGNALS)}"""


def build(ago: object = DAY, **properties: object) -> Row:
    return ev("build", ago, "b", "b", properties={"branch": "main", "ok": True, "plan.type": 2, **properties})


EVENTS = [
    *(ev("Deploy Done", ago, "d", "d") for ago in (TINY, 7 * DAY, 7 * DAY + TINY, 30 * DAY, 30 * DAY + TINY, 400 * DAY)),
    ev("deploy done", DAY, "d", "d"),
    ev("Deploy Done", 10 * DAY, "h", "h"),
    *(ev("export", DAY, who, who, properties={"rows": rows}) for who, rows in [
        ("r1", 99), ("r2", 100), ("r3", 99_999), ("r4", 100_000)]),
    ev("export", DAY, "r0", "r0"),
    *(ev("feature", ago, "f", "f", properties={"feature": key}) for ago, key in [(DAY, "a"), (300 * DAY, "b"), (9 * DAY, "a")]),
    build(target="x"), build(target="y"), build(target="y", branch="trunk"),
    build(branch="dev"), build(ok=False), build(**{"plan.type": 3}),
    ev("build", DAY, "b", "b"),
    ev("release", DAY, "b", "b", properties={"size": 5}),
    ev("anything", DAY, "b", "b", properties={"ci": "yes"}),
    ev("anything", DAY, "b", "b", properties={"ci": "no"}),
    ev("shipped", DAY, "b", "b"),
    ev("opened", DAY, "o", "o", properties={"tier": "pro"}), ev("opened", DAY, "o", "o", properties={"tier": "free"}),
    *(ev(name, DAY, "l", "l", properties={"feature": key} if key else {}) for name, key in [
        ("seen", "a"), ("seen", "b"), ("glance", "b"), ("glance", "c"), ("glance", ""), ("glanced", "z"),
        ("stare", "a"), ("squint", "a"), ("squint", "")]),
    ev("open", 40 * DAY, "a1", "a1"), ev("external_share", DAY, "a1", "a1"),
    ev("open", 40 * DAY, "a2", "a2"), ev("invite_sent", DAY, "a2", "a2"),
    *(ev("open", 40 * DAY, f"g{n}", f"g{base}") for base in (5, 10) for n in range(base)),
    *(ev("open", DAY, f"g{n}", f"g{base}") for base, now in ((5, 6), (10, 17)) for n in range(now)),
]  # fmt: skip
# person → signal → points
EXPECTED = {
    "d": {"deploys": 4, "deploys_ever": 6, "deploys_week": 2, "deploys_fading": 6},
    # Half a weight for each ten days of age; the event of ten days ago has a full nine days and more: age 9.
    "h": {"deploys_fading": 2, "deploys": 1},
    "r0": {"rows": 0}, "r1": {"rows": 1}, "r2": {"rows": 2}, "r3": {"rows": 2}, "r4": {"rows": 3},
    "f": {"features_ever": 2, "few_days": 5},
    "b": {"mapped": 6, "kinds_shipped": 5, "few_days": 9},
    "l": {"looks": 4, "looks_and_uses": 5, "gazes": 2},
    "o": {"premium_features": 10, "few_days": 9},
    "a1": {"sharing_alone": 0, "lonely": -10}, "a2": {"sharing_alone": -3, "lonely": 0},
}  # fmt: skip


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Scores:
    with memory_project(PLAYBOOK) as project:
        counts = load_folder(project, write(tmp_path_factory.mktemp("own"), {"events": EVENTS}))
        assert not [count for count in counts if count.quarantined]
        return scores(project)


@pytest.mark.parametrize(
    ("person", "signal"), [(person, signal) for person, points in EXPECTED.items() for signal in points]
)
def test_own_signal(found: Scores, person: str, signal: str) -> None:
    assert found.person(person, f"workspace:{person}")[signal] == EXPECTED[person][signal]


def test_own_account_signals(found: Scores) -> None:
    # 3 builds, release 5, ci and shipped without a size: 2 each
    assert found.accounts[T, "workspace:b"]["releases"] == 3 * 2 + 5 + 2 + 2


@pytest.mark.parametrize(("base", "points"), [(5, 2), (10, 7)], ids=["a fifth more", "seven tenths more"])
def test_a_share_that_is_exactly_on_a_rung_reaches_it(found: Scores, base: int, points: int) -> None:
    assert found.accounts[T, f"workspace:g{base}"]["growth_in_fifths"] == points


def test_reasons_say_the_value(found: Scores) -> None:
    row = found.receipt[T, "person", "d", "workspace:d", "deploys"]
    assert (row["category"], row["value"], row["because"]) == ("own", 4, "own 4")


@pytest.mark.parametrize("role", ["active", "events", "at", "active_at"])
def test_a_role_named_like_a_column_of_the_roll_ups_is_refused(role: str) -> None:
    playbook = f"roles: {{{role}: [beat]}}"
    with pytest.raises(PlaybookError, match=f"a role cannot be called '{role}'"):
        parse_playbook(playbook, name="x", path=None)


@pytest.mark.parametrize("rung", ["1000000", "1234567", "12345678.25", "0.0000001", "0.1234567"])
def test_a_rung_keeps_all_its_digits(rung: str) -> None:
    playbook = parse_playbook(
        "signals:\n  person:\n" + own("rows", "kind: count, event: x", f'">={rung}": 1'), name="x", path=None
    )
    [read] = playbook.playbook.signals.person["rows"].ladder
    assert read.threshold == float(rung)


ODD_NAMES = ("a b", "plan.type", "$.a", "[0]", "#", "é", "semi;colon", "--")
REFUSED_NAMES = ('say "x"', "it's", "back\\slash", "*")


@pytest.mark.parametrize("name", REFUSED_NAMES)
def test_a_property_name_that_engines_read_in_their_own_way_is_refused(name: str) -> None:
    pattern = json.dumps([{"event": "open", "where": {name: "x"}}])
    with pytest.raises(PlaybookError, match=r"x:1: roles\.export"):
        parse_playbook(f"roles: {{export: {pattern}}}", name="x", path=None)


@pytest.mark.parametrize("name", ODD_NAMES)
def test_properties_events_and_values_may_have_any_name(name: str, tmp_path: Path) -> None:
    pattern = json.dumps([{"event": name, "where": {name: name}, "feature": name}])
    roles = parse_playbook(f"roles: {{export: {pattern}}}", name="x", path=None).playbook.roles["export"]
    other = ev(name, properties={name: "other", "a": name, "b": {name: name}})
    with memory_project() as project:
        load_folder(
            project, write(tmp_path, {"events": [ev(name, properties={name: name}), other, ev(name), ev("open")]})
        )
        events = project.warehouse.table("events")
        hits = events.filter(carries_role(events, roles))
        found = project.warehouse.rows(hits.select("event_id", key=feature_key(hits, roles))).to_pylist()
    assert found == [{"event_id": "e0", "key": name}]


def test_a_reason_may_hold_quotes_and_braces(tmp_path: Path) -> None:
    reason = """didn't "finish" {value}× in {window} days; {other} 100% \\ --"""
    playbook = f"signals: {{person: {{limit_reached: {{because: {json.dumps(reason)}}}}}}}"
    with memory_project(playbook) as project:
        load_folder(project, write(tmp_path, {"events": [ev("limit_reached")]}))
        row = scores(project).receipt[T, "person", "p", "workspace:w", "limit_reached"]
    assert row["because"] == reason.replace("{value}", "1").replace("{window}", "30")


def test_all_account_signals_may_be_off(tmp_path: Path) -> None:
    names = load_template().playbook.signals.account
    playbook = f"signals: {{account: {{{', '.join(f'{name}: off' for name in names)}}}}}"
    with memory_project(playbook) as project:
        load_folder(project, write(tmp_path, {"events": [ev("limit_reached"), ev("admin_change")]}))
        found = scores(project)
    assert found.person("p", "workspace:w")["score"] == 20
    assert found.accounts[T, "workspace:w"]["score"] == 20


def test_a_playbook_without_any_person_signal_is_refused() -> None:
    names = load_template().playbook.signals.person
    playbook = f"signals: {{person: {{{', '.join(f'{name}: off' for name in names)}}}}}"
    with pytest.raises(PlaybookError, match=r"signals\.person"):
        parse_playbook(playbook, name="x", path=None)


def test_reasons_come_in_the_playbooks_language(tmp_path: Path) -> None:
    with memory_project("language: zh") as project:
        load_folder(project, write(tmp_path, {"events": [ev("limit_reached")]}))
        row = scores(project).receipt[T, "person", "p", "workspace:w", "limit_reached"]
    assert row["because"] == "30 天内触及套餐上限 1 次"


def test_an_icp_rule_and_the_flag_each_suffice(tmp_path: Path) -> None:
    rows = [
        {"account_id": name, "employees": size, "industry": industry, "country": country, "icp": icp}
        for name, size, industry, country, icp in [
            ("all", 50, "Retail ", "de", ""), ("flag", 1, "", "", "true"), ("small", 49, "retail", "de", "false"),
            ("big", 501, "retail", "de", ""), ("elsewhere", 60, "retail", "us", ""), ("unknown", "", "retail", "de", ""),
        ]
    ]  # fmt: skip
    rule = "icp: {min_employees: 50, max_employees: 500, industries: [retail], countries: [DE]}"
    with memory_project(rule) as project:
        load_folder(project, write(tmp_path, {"events": [ev()], "accounts": rows}))
        found = scores(project, date(2026, 10, 28))
    fitting = {account for (_, account), row in found.accounts.items() if row["firmographic_points"] % 10 == 5}
    assert fitting == {"all", "flag"}
