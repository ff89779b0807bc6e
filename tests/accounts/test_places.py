"""Which account an event or a person belongs to, as of when, and how anonymous ids become people."""

from datetime import timedelta
from pathlib import Path

import pytest

from support import (
    DAY,
    HOUR,
    Case,
    Row,
    Scores,
    T,
    Tables,
    company_of,
    differences,
    ev,
    load_folder,
    memory_project,
    own_id,
    scores,
    write,
)

YESTERDAY, TOMORROW = T - DAY, T + DAY


def mails(*hosts: str, **columns: str) -> list[Row]:
    """People p0, p1 … with an e-mail address at each host."""
    return [{"person_id": f"p{n}", "email": f"p{n}@{host}" if host else "", **columns} for n, host in enumerate(hosts)]


def used(count: int, ws: str = "w", *, first: int = 0) -> list[Row]:
    """An event of each person, p0 first."""
    return [ev("open", 10 * DAY - n * HOUR, f"p{n}", ws) for n in range(first, first + count)]


def place(
    title: str, expected: str, events: list[Row], person: str = "p0", as_of: object = T, **tables: list[Row]
) -> Case:
    """The account that a person is scored in."""
    return Case(
        title=title, signal="", points=None, events=events, tables=tables, person=person, account=expected, as_of=as_of
    )


def created(ago: timedelta) -> str:
    return ev("", ago)["timestamp"]


OWNS_ACME = {"accounts": [{"account_id": "a", "domain": "acme"}]}
MAPPED = {"workspaces": [{"workspace_id": "w", "account_id": "a"}]}
WORKSPACE = [
    place("the workspaces file says so", "a", used(1), **MAPPED),
    place("the file's word weighs more than e-mails", "a", used(3), people=mails("acme", "acme", "acme"), **MAPPED),
    place("the file names the workspace but no account", "domain:acme", used(1), people=mails("acme"),
          workspaces=[{"workspace_id": "w", "account_id": ""}]),
    place("nobody has a work e-mail", "workspace:w", used(2), people=mails("", "")),
    place("nobody is in the people file", "workspace:w", used(2)),
    place("all share a domain nobody owns", "domain:acme", used(2), people=mails("acme", "acme")),
    place("an accounts row owns the domain", "a", used(2), people=mails("acme", "acme"), **OWNS_ACME),
    place("an accounts row owns it among its other domains", "a", used(1), people=mails("acme"),
          accounts=[{"account_id": "a", "domain": "main", "domains": "second;acme"}]),
    place("of two owners the smallest id", "a", used(1), people=mails("acme"),
          accounts=[{"account_id": "b", "domain": "acme"}, {"account_id": "a", "domain": "acme"}]),
    place("exactly half", "domain:acme", used(4), people=mails("acme", "acme", "x", "y")),
    place("less than half", "workspace:w", used(5), people=mails("acme", "acme", "x", "y", "z")),
    place("half of those with a work e-mail", "domain:acme", used(9),
          people=mails("acme", "acme", "x", "y", "", "", "gmail.com", "mit.edu", "mailinator.com")),
    place("a tie goes to the first seen", "domain:acme", used(2), people=mails("acme", "zeta")),
    place("a tie goes to the first seen, whatever its name", "domain:zeta", used(2), people=mails("zeta", "acme")),
    place("of the same moment, to the first name", "domain:acme", [ev("open", DAY, "p0"), ev("open", DAY, "p1")],
          people=mails("zeta", "acme")),
    place("free mail joins nobody", "workspace:w", used(3), people=mails("gmail.com", "gmail.com", "gmail.com")),
    place("nor do throw-away addresses", "workspace:w", used(2), people=mails("mailinator.com", "mailinator.com")),
    place("nor do universities", "workspace:w", used(2), people=mails("mit.edu", "mit.edu")),
    place("nor do they abroad", "workspace:w", used(2), people=mails("cs.ox.ac.uk", "ox.ac.uk")),
    place("an account cannot own free mail", "workspace:w", used(2), people=mails("gmail.com", "gmail.com"),
          accounts=[{"account_id": "a", "domain": "gmail.com"}]),
    place("somebody who only got mail is there too", "domain:acme",
          [ev("email_opened", 9 * DAY, "p0"), ev("open", DAY, "p1")], people=mails("acme", "x")),
    place("a person is counted once, however busy", "workspace:w", [*used(3), *used(1) * 5],
          people=mails("acme", "x", "y")),
    place("a people row places somebody without events", "domain:acme", used(1), people=[
        {"person_id": "p0", "email": ""},
        {"person_id": "p1", "email": "p1@acme", "workspace_id": "w", "created_at": created(DAY)}]),
    place("unless it is of later", "workspace:w", used(1), people=[
        {"person_id": "p0", "email": ""},
        {"person_id": "p1", "email": "p1@acme", "workspace_id": "w", "created_at": created(-DAY)}]),
    place("or of no known time", "workspace:w", used(1), people=[
        {"person_id": "p0", "email": ""}, {"person_id": "p1", "email": "p1@acme", "workspace_id": "w"}]),
    place("what people do later does not decide today", "workspace:w",
          [*used(3), ev("open", -DAY / 2, "p3"), ev("open", -DAY / 2, "p4")],
          people=mails("acme", "x", "y", "acme", "acme")),
    place("tomorrow it does", "domain:acme", as_of=TOMORROW,
          events=[*used(3), ev("open", -DAY / 2, "p3"), ev("open", -DAY / 2, "p4")],
          people=mails("acme", "x", "y", "acme", "acme")),
]  # fmt: skip

OUTSIDE = [
    place("a work e-mail, nobody owns the domain", "domain:acme", used(1, ""), people=mails("acme")),
    place("a work e-mail, an account owns the domain", "a", used(1, ""), people=mails("acme"), **OWNS_ACME),
    place("free mail", "person:p0", used(1, ""), people=mails("gmail.com")),
    place("no e-mail", "person:p0", used(1, "")),
    place("an e-mail that is none", "person:p0", used(1, ""), people=[{"person_id": "p0", "email": "nobody"}]),
    place("the sub-domain of a company is the company", "domain:acme-corp.co.uk", used(1, ""),
          people=[{"person_id": "p0", "email": "X@Mail.Acme-Corp.co.uk"}]),
    place("an anonymous visitor", "person:v", [ev("open", DAY, None, "", anonymous_id="v")], person="v"),
    place("an anonymous visitor in a workspace", "workspace:w", [ev("open", DAY, None, anonymous_id="v")], person="v"),
    place("a row with workspace and no event", "workspace:w", [], people=[
        {"person_id": "p0", "email": "", "workspace_id": "w", "created_at": created(DAY)}]),
    place("a row without workspace and no event", "domain:acme", [], people=[
        {"person_id": "p0", "email": "p0@acme", "workspace_id": "", "created_at": created(DAY)}]),
    place("a row without workspace says nothing once there is an event", "workspace:w", used(1), people=[
        {"person_id": "p0", "email": "", "workspace_id": "", "created_at": created(DAY)}]),
    place("events of the home and of a workspace", "person:p0", [*used(1), *used(1, "")]),
]  # fmt: skip


ABSENT = [
    place("a row of later", "person:p0", [], people=[{"person_id": "p0", "created_at": created(-DAY)}]),
    place("a row at T", "person:p0", [], people=[{"person_id": "p0", "created_at": created(timedelta(0))}]),
    place("a row without time", "person:p0", [], people=[{"person_id": "p0", "created_at": ""}]),
    place("an event of later", "workspace:w", [ev("open", -DAY)]),
    place("an account of later", "a", [], accounts=[{"account_id": "a", "created_at": created(-DAY)}]),
    place("a linked visitor under the anonymous id", "workspace:w", person="v",
          events=[ev("open", 3 * DAY, None, anonymous_id="v"), ev("open", DAY, "p0", anonymous_id="v")]),
    place("where an account's people are, its workspace is not", "workspace:w", used(1), **MAPPED),
]  # fmt: skip


def linked(title: str, expected: str, *events: Row, as_of: object = T, person: str = "p0") -> Case:
    return place(title, expected, list(events), person=person, as_of=as_of)


VISIT = ev("open", 9 * DAY, None, "v", anonymous_id="v")
LINKS = [
    linked("a visit before the sign-in is the person's", "workspace:v", VISIT, ev("open", 3 * DAY, "p0", anonymous_id="v")),
    linked("a visit after the sign-in is the person's", "workspace:v",
           ev("open", 9 * DAY, "p0", anonymous_id="v"), ev("open", DAY, None, "v", anonymous_id="v")),
    linked("before the sign-in nobody knows", "workspace:v", VISIT, ev("open", DAY / 2, "p0", anonymous_id="v"),
           as_of=YESTERDAY, person="v"),
    linked("the first person an id was seen with keeps it", "workspace:v", VISIT,
           ev("open", 3 * DAY, "p0", anonymous_id="v"), ev("open", 2 * DAY, "p1", anonymous_id="v")),
    linked("of the same moment, the smallest person", "workspace:v", VISIT,
           ev("open", 3 * DAY, "p1", anonymous_id="v"), ev("open", 3 * DAY, "p0", anonymous_id="v")),
    linked("the second person keeps the events that name them", "workspace:u",
           VISIT, ev("open", 3 * DAY, "p0", anonymous_id="v"), ev("open", 2 * DAY, "p1", "u", anonymous_id="v"), person="p1"),
    linked("one person may have several ids", "workspace:u", ev("open", 9 * DAY, None, "u", anonymous_id="u"), VISIT,
           ev("open", 3 * DAY, "p0", anonymous_id="v"), ev("open", 2 * DAY, "p0", anonymous_id="u")),
    linked("an id on its way through T: yesterday", "workspace:v", VISIT, ev("open", DAY, "p0", anonymous_id="v"),
           as_of=YESTERDAY, person="v"),
]  # fmt: skip
PRESENT = [*WORKSPACE, *OUTSIDE, *LINKS]
CASES = [*PRESENT, *ABSENT]


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Scores]:
    folder = write(tmp_path_factory.mktemp("cases"), company_of(CASES))
    with memory_project() as project:
        assert not [count for count in load_folder(project, folder) if count.quarantined]
        return folder, scores(project, YESTERDAY, T, TOMORROW)


@pytest.mark.parametrize("number", range(len(PRESENT)), ids=[case.title for case in PRESENT])
def test_place(company: tuple[Path, Scores], number: int) -> None:
    case = CASES[number]
    accounts = company[1].accounts_of(own_id(number, case.person), case.as_of)
    assert own_id(number, case.account) in accounts
    assert accounts <= company[1].account_ids(case.as_of)
    if len({row["workspace_id"] for row in case.events}) <= 1:
        assert len(accounts) == 1, "events of one place make one pair"


@pytest.mark.parametrize("number", range(len(PRESENT), len(CASES)), ids=[case.title for case in ABSENT])
def test_there_is_nobody(company: tuple[Path, Scores], number: int) -> None:
    case = CASES[number]
    person, account = own_id(number, case.person), own_id(number, case.account)
    assert account not in company[1].accounts_of(person)
    if case.title != "a linked visitor under the anonymous id":
        assert account not in company[1].account_ids()


@pytest.mark.parametrize("as_of", [YESTERDAY, T, TOMORROW], ids=str)
def test_the_oracle_agrees_on_every_case(company: tuple[Path, Scores], as_of: object) -> None:
    folder, found = company
    assert differences(found, folder, as_of) == []


MERGE: Tables = {
    "events": [
        ev("pricing_view", 9 * DAY, None, "", anonymous_id="v", event_id="visit"),
        ev("open", 9 * DAY, "p0", "w", event_id="open"),
    ],
    "people": [{"person_id": "p0", "email": "p0@acme.com"}],
}
LINK = {"events": [ev("open", 2 * DAY, "p0", "w", anonymous_id="v", event_id="link")]}


@pytest.mark.parametrize("order", [("visit", "link"), ("link", "visit")], ids=["visit first", "link first"])
def test_a_link_changes_later_answers_only_in_either_order_of_arrival(order: tuple[str, str], tmp_path: Path) -> None:
    """The visit becomes the person's from the day after the link on; the days before keep the visitor."""
    parts = {"visit": MERGE, "link": LINK}
    with memory_project() as project:
        load_folder(project, write(tmp_path / "first", parts[order[0]]))
        scores(project, T)  # roll-ups in between
        load_folder(project, write(tmp_path / "second", parts[order[1]]))
        found = scores(project, T - 2 * DAY, T - DAY, T)
    earlier, later = T - 2 * DAY, T - DAY
    assert found.accounts_of("v", earlier) == {"person:v"}
    assert found.person("v", "person:v", earlier)["pricing_views"] == 10
    assert found.person("p0", "domain:acme.com", earlier)["pricing_views"] == 0
    for day in (later, T):
        assert found.accounts_of("v", day) == set()
        assert "person:v" not in found.account_ids(day)
        assert found.person("p0", "domain:acme.com", day)["pricing_views"] == 10


def test_a_new_majority_moves_the_workspace_from_that_day_on(tmp_path: Path) -> None:
    joined = [ev("open", 2 * DAY + HOUR, f"g{n}", "w") for n in range(3)]
    people = [{"person_id": f"g{n}", "email": f"g{n}@globex.com"} for n in range(3)]
    tables = {"events": [ev("limit_reached", 9 * DAY, "p0", "w"), *joined], "people": [*MERGE["people"], *people]}
    with memory_project() as project:
        load_folder(project, write(tmp_path, tables))
        found = scores(project, T - 3 * DAY, T)
    assert found.account_ids(T - 3 * DAY) == {"domain:acme.com"}
    assert found.account_ids(T) == {"domain:globex.com"}
    assert found.person("p0", "domain:globex.com")["limit_reached"] == 20, "the past events move along"


def test_the_playbook_adds_domains_that_never_join_people(tmp_path: Path) -> None:
    playbook = "domains: {free_mail: [Acme.com], disposable: [throw.io], education: [school.org]}"
    people = mails("acme.com", "throw.io", "school.org", "work.com")
    with memory_project(playbook) as project:
        load_folder(project, write(tmp_path, {"events": used(4, ""), "people": people}))
        found = scores(project)
    assert found.account_ids() == {"person:p0", "person:p1", "person:p2", "domain:work.com"}


def test_a_workspace_of_mixed_company_says_why_it_belongs_where_it_does(tmp_path: Path) -> None:
    with memory_project() as project:
        load_folder(project, write(tmp_path, {"events": used(3), "people": mails("acme.com", "acme.com", "x.com")}))
        scores(project)
        [row] = project.warehouse.rows(project.warehouse.table("workspace_accounts")).to_pylist()
    assert (row["rule"], row["domain"], row["people"], row["of_people"]) == ("domain", "acme.com", 2, 3)
