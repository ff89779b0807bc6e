"""Whom deciding and briefs hold back, told by the same facts: caps, opt-outs and who uses the product."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from handraise.handoffs.decide import Facts
from handraise.ledger.acting import list_decisions
from handraise.ledger.suppression import suppress
from handraise.records.acting import Call, Decision, Handoff
from handraise.records.drafts import Contact
from handraise.service.acting_facts import facts_of
from handraise.service.briefs import brief_of_account
from handraise.service.calling import say, undo
from handraise.service.folder import create_project
from handraise.service.project import Project, open_project
from service.selling_company import LATE, PLAYBOOK, decided, tables
from support import DAY, Tables, before, ev, write

Company = tuple[Project, dict[str, Handoff]]


def company_tables() -> Tables:
    """Eve, who was written to twice at acme, uses the product at dull too; at idle and mute there are people and no use."""
    given = tables()
    given["events"] += [{**ev("open", n * DAY, "eve", "ws-dull"), "event_id": f"eve-{n}"} for n in range(1, 4)]
    given["events"] += [{**ev("email_opened", DAY, "pat", "ws-mute"), "event_id": "pat-1"}]
    for account, person in (("idle", "pia"), ("mute", "pat")):
        domain = f"{account}-made-up.com"
        given["accounts"].append({"account_id": account, "domain": domain, "employees": 200})
        given["workspaces"].append({"workspace_id": f"ws-{account}", "account_id": account})
        row = {"person_id": person, "email": f"{person}@{domain}", "created_at": before(40 * DAY)}
        given["people"].append({**row, "workspace_id": f"ws-{account}"})
        given["leads"].append({"email": f"boss@{domain}", "at": before(DAY), "source": "fair"})
    given["leads"] += [
        {"email": f"{who}-made-up.com", "at": before(ago), "source": "fair"}
        for who, ago in (
            ("One@gone", DAY), ("two@gone", DAY), ("three@gone", 200 * DAY), ("one@half", DAY), ("two@half", DAY),
            ("pim@known", DAY), ("boss@full", DAY),
        )
    ]  # fmt: skip
    given["people"].append({"person_id": "pim", "email": "Pim@known-made-up.com", "created_at": before(40 * DAY)})
    given["touches"] += [
        {"account_id": "domain:full-made-up.com", "at": before(n * DAY), "by": f"rep-{n}"} for n in range(1, 7)
    ]
    given["people"] += [
        {"person_id": f"fresh-{n}", "email": f"f{n}@fresh-made-up.com", "created_at": before(DAY)} for n in range(6)
    ]
    return given


OPTED_OUT = ("one@gone-made-up.com", "two@GONE-made-up.com", "one@half-made-up.com", "pim")


@pytest.fixture(scope="module")
def restrained(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    folder = tmp_path_factory.mktemp("restrained")
    create_project(folder / "p", PLAYBOOK)
    write(folder / "files", company_tables())
    with open_project(folder / "p") as project:
        assert project.ledger
        with project.ledger() as ledger, ledger.transaction() as connection:
            suppress(connection, OPTED_OUT, reason="objection", actor="t", now=LATE, random=lambda n: b"x" * n)
        yield project, decided(project, folder / "files")


def facts(project: Project, account: str, *, later: timedelta = timedelta()) -> Facts:
    """What deciding knows of an account."""
    assert project.ledger
    with project.ledger() as ledger, ledger.reading() as connection:
        return facts_of(project.warehouse, connection, project.loaded, [account], LATE + later)[account]


def contact(project: Project, account: str, person: str, *, later: timedelta = timedelta()) -> Contact:
    """What the brief says of somebody."""
    people = brief_of_account(project, account, language="en", now=LATE + later).people
    return next(one.contact for one in people if one.person_id == person)


def test_a_person_of_two_accounts_has_one_cap_and_an_account_its_own(restrained: Company) -> None:
    project, _ = restrained
    known = facts(project, "dull")
    [eve] = [one for one in known.people if one.person_id == "eve"]
    assert sorted(at for at in eve.touches if at > LATE - 14 * DAY) == [LATE - 4 * DAY, LATE - 3 * DAY]
    assert known.touches == (), "nobody wrote to anybody of dull as such"
    assert len(facts(project, "acme").touches) == 3
    found = contact(project, "dull", "eve")
    assert (found.because, found.until) == ("person_cap", LATE + 10 * DAY)
    assert brief_of_account(project, "dull", language="en", now=LATE).since is None, "acme's touches are acme's"


def test_what_was_told_in_one_account_counts_in_the_other(restrained: Company) -> None:
    project, handoffs = restrained
    number, rules, later = handoffs["acme"].id, project.loaded.playbook.handoffs, 10.5 * DAY
    assert project.ledger
    assert contact(project, "dull", "eve", later=later).allowed, "the first of the two is old by now"
    with project.ledger() as ledger:
        say(ledger, number, Call(kind="contacted", by="kim", at=LATE + 10 * DAY, person_id="eve"), rules)
        [eve] = [one for one in facts(project, "dull", later=later).people if one.person_id == "eve"]
        assert LATE + 10 * DAY in eve.touches
        assert contact(project, "dull", "eve", later=later).because == "person_cap"
        undo(ledger, number, rules, by="kim", now=LATE + later)


def test_an_answer_is_no_touch(restrained: Company) -> None:
    """Or the follow-up to whoever answered the first word would be refused."""
    project, handoffs = restrained
    number, rules, later = handoffs["acme"].id, project.loaded.playbook.handoffs, 2 * DAY
    assert project.ledger
    with project.ledger() as ledger:
        for kind, day in (("contacted", 0), ("replied", 1), ("meeting", 2)):
            call = Call(kind=kind, by="kim", at=LATE + day * DAY, person_id="fay")  # type: ignore[arg-type]
            say(ledger, number, call, rules)
        assert contact(project, "acme", "fay", later=later).allowed
        [fay] = [one for one in facts(project, "acme", later=later).people if one.person_id == "fay"]
        assert fay.touches == (LATE,)
        since = brief_of_account(project, "acme", language="en", now=LATE + later).since
        assert since
        assert since.touches == 6, "all of them are shown"
        for _ in range(3):
            undo(ledger, number, rules, by="kim", now=LATE + later)


@pytest.mark.parametrize("account", ["idle", "mute"])
def test_people_who_did_nothing_are_no_usage(restrained: Company, account: str) -> None:
    """They are in a file of people, or an e-mail came to them."""
    project, handoffs = restrained
    known = facts(project, account)
    assert known.people, "somebody is known there"
    assert not known.has_usage
    assert (handoffs[account].lane, handoffs[account].priority) == ("top_down", "low")
    found = brief_of_account(project, account, language="en", now=LATE)
    assert found.why.lane == "top_down"
    assert found.usage.last_active is None


def test_decision_and_brief_agree_on_who_uses_the_product(restrained: Company) -> None:
    project, _ = restrained
    for account in ("acme", "byte", "cozy", "dull", "idle", "mute"):
        used = brief_of_account(project, account, language="en", now=LATE).usage.last_active is not None
        assert facts(project, account).has_usage == used, account


def decision(project: Project, account: str) -> Decision:
    """What was decided about an account at last."""
    assert project.ledger
    with project.ledger() as ledger, ledger.reading() as connection:
        return list_decisions(connection, account)[0]


@pytest.mark.parametrize(
    ("account", "wanted"),
    [
        ("domain:gone-made-up.com", ("hold", "opted_out", None)),
        ("domain:known-made-up.com", ("hold", "opted_out", None)),
        ("domain:full-made-up.com", ("hold", "account_cap", LATE + 8 * DAY)),
        ("domain:half-made-up.com", ("handoff", "lead_without_usage", None)),
    ],
)
def test_a_lead_is_held_back_by_an_opt_out_and_by_the_cap_of_its_account(
    restrained: Company, account: str, wanted: tuple[str, str, object]
) -> None:
    """By address, by the id of a person who has it; not by an old lead of the company, nor by one of two."""
    project, handoffs = restrained
    made = decision(project, account)
    assert (made.outcome, made.because, made.look_again) == wanted
    assert made.lane == "top_down"
    assert (account in handoffs) == (made.outcome == "handoff")


def test_people_alone_are_no_lead(restrained: Company) -> None:
    """Six of them came in a week, in a file; nobody of them did anything, and marketing has no lead."""
    made = decision(restrained[0], "domain:fresh-made-up.com")
    assert "team_growing" in {one.trigger for one in made.reasons}
    assert (made.outcome, made.lane) == ("nurture", "self_serve")
