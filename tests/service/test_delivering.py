"""From a decision to the team: what is put into the outbox, by whom it is sent, and that no destination waits for another."""

import json
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from alerts.smtp_server import receiving_mail
from handraise.alerts.protocol import Reach
from handraise.errors import ConflictError, HandraiseError, NotFoundError, ProjectError
from handraise.ledger import acting, outbox
from handraise.ledger.outbox import Holder
from handraise.ledger.schema import handoffs
from handraise.ledger.store import Ledger
from handraise.net.limits import Limits
from handraise.playbook.load import load_template, parse_playbook
from handraise.playbook.schema import Playbook
from handraise.records.acting import Call, Decision, Life, Outcome, Reason
from handraise.records.alerting import AlertItem
from handraise.service import alert_desk
from handraise.service.alerting import alert_items, tell_decision
from handraise.service.assigning import pass_on
from handraise.service.calling import say, undo
from handraise.service.delivering import Deliverer, World
from handraise.service.folder import create_project
from handraise.service.project import open_project
from net.loopback import Loopback, Seen, serving

NOW = datetime(2026, 11, 25, 9, tzinfo=UTC)  # a Wednesday
SECRET = "whsec_c2VjcmV0IG9mIGEgdGVzdCBvbmx5"  # noqa: S105 - of no real receiver


def playbook(**destinations: dict[str, Any]) -> Playbook:
    text = json.dumps({"version": 1, "alerts": {"destinations": destinations}})
    return parse_playbook(text, name="test", path=None).playbook


def hook(server: Loopback, **more: Any) -> dict[str, Any]:
    return {"kind": "webhook", "url": server.url, "secret_env": "SECRET", "allow_private": ["127.0.0.1"], **more}


def channel(**more: Any) -> dict[str, Any]:
    return {"kind": "slack", "url_env": "HOOK", "allow_private": ["127.0.0.1"], **more}


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    made = Ledger.open(tmp_path / "ledger.sqlite")
    yield made
    made.close()


def decide(
    ledger: Ledger,
    told: Playbook,
    outcome: Outcome = "handoff",
    *,
    handoff: int | None = None,
    at: datetime = NOW,
    **more: Any,
) -> Decision:
    reason = Reason(trigger="contact_sales", person_id="p7", value=None, fired_at=at)
    values = {"lane": "sales", "priority": "high", "because": "hand_raise", **more}
    made = Decision(
        at=at,
        as_of=date(2026, 11, 26),
        account_id="acme",
        person_id="p7",
        outcome=outcome,
        reasons=(reason,),
        handoff=handoff,
        playbook="x",
        **values,
    )
    with ledger.transaction() as connection:
        kept = acting.add_decision(connection, made)
        if outcome == "handoff":
            acting.keep_life(connection, "acme", Life(state="qualified", since=at, qualified_at=at), look_again=None)
        tell_decision(connection, told, kept)
    return kept


def waiting(ledger: Ledger, name: str = "crm") -> list[tuple[str, tuple[str, ...]]]:
    from sqlalchemy import select

    from handraise.ledger.schema import outbox as table

    with ledger.reading() as connection:
        rows = connection.execute(select(table).where(table.c.destination == name).order_by(table.c.id))
        return [(row.object, tuple(row.kinds)) for row in rows if row.status == "waiting"]


def named(objects: Any, _: object) -> dict[str, AlertItem]:
    return {
        one: AlertItem(
            object=one, number=int(one.split()[1]), account_id="acme", lane="sales", priority="high", status="open"
        )
        for one in objects
    }


def world(
    told: Playbook, *, now: datetime = NOW, look_up: Any = named, seconds: float = 5, **environment: str
) -> World:
    return World(
        playbook=lambda: told,
        look_up=look_up,
        reach=Reach(environment={"SECRET": SECRET, **environment}, limits=Limits(seconds=seconds)),
        now=lambda: now,
        chance=lambda: 0.5,
        holder=Holder(name="test"),
        failed=lambda *_: None,
    )


def deliver(ledger: Ledger, told: Playbook, **more: Any) -> dict[str, int]:
    return dict(Deliverer(ledger, world(told, **more)).run_until_done().counts)


def test_each_destination_is_told_what_it_chose(ledger: Ledger) -> None:
    with serving() as server:
        told = playbook(
            crm=hook(server),
            only_ends=hook(server, tell=["ended"]),
            low=hook(server, priorities=["low"]),
            kims=hook(server, owners=["kim"]),
            buyers=hook(server, lanes=["find_buyer"]),
            nurture=hook(server, tell=["nurture"], lanes=["self_serve"]),
        )
    made = decide(ledger, told)
    decide(ledger, told, "joined", handoff=made.handoff)
    decide(ledger, told, "hold", because="too_early")
    automated = decide(ledger, told, "nurture", lane="self_serve", priority="low", because="self_serve")
    say(ledger, made.handoff or 0, Call(kind="claim", by="kim", at=NOW), told.handoffs, told)
    decide(ledger, told, "sunset", handoff=made.handoff, because="below_tier")
    about = f"handoff {made.handoff}"
    assert waiting(ledger, "crm") == [(about, ("created", "joined", "assigned", "ended"))]
    assert waiting(ledger, "only_ends") == [(about, ("ended",))]
    assert waiting(ledger, "kims") == [(about, ("assigned", "ended"))]
    assert waiting(ledger, "nurture") == [(f"decision {automated.id}", ("nurture",))]
    assert waiting(ledger, "low") == waiting(ledger, "buyers") == []


def test_what_is_said_about_a_handoff_is_told_and_so_is_taking_it_back(ledger: Ledger) -> None:
    with serving() as server:
        told = playbook(crm=hook(server, tell=["assigned", "ended", "reopened"]))
    rules, number = told.handoffs, decide(ledger, told).handoff or 0

    def after(**call: Any) -> tuple[str, ...]:
        say(ledger, number, Call(at=NOW, **{"by": "kim", **call}), rules, told)
        return _taken_out(ledger)

    assert after(kind="note", note="hm") == ()
    assert after(kind="claim") == ("assigned",)
    assert after(kind="contacted") == ()
    assert after(kind="reassign", to="lee") == ("assigned",)
    assert after(kind="reject", by="lee", reason="not_icp") == ("ended",)
    undo(ledger, number, rules, by="lee", now=NOW, tell=told)
    assert _taken_out(ledger) == ("reopened",)
    with pytest.raises(ConflictError):
        say(ledger, number, Call(kind="accept", by="kim", at=NOW), rules, told)
    assert _taken_out(ledger) == (), "what was refused tells nobody"


def _taken_out(ledger: Ledger) -> tuple[str, ...]:
    found = waiting(ledger)
    with ledger.transaction() as connection:
        outbox.hold(connection, "crm", Holder(name="x"), NOW)
        for entry in outbox.take(connection, "crm", most=9, urgent_only=False, now=NOW):
            outbox.drop(connection, [entry], now=NOW)
    return found[0][1] if found else ()


def test_a_dead_and_a_slow_destination_delay_no_other(ledger: Ledger) -> None:
    over = threading.Event()

    def slow(_: Seen) -> tuple[int, dict[str, str], bytes]:
        over.wait(20)
        return 200, {}, b""

    with serving(slow) as stuck, serving(lambda _: (500, {}, b"")) as failing, serving() as fine:
        told = playbook(stuck=hook(stuck), failing=hook(failing), fine=hook(fine))
        for number in range(30):
            _put(ledger, told, number)
        deliverer = Deliverer(ledger, world(told, seconds=20))
        thread = threading.Thread(target=deliverer.run)
        thread.start()
        until = time.monotonic() + 15
        while len(fine.seen) < 30 and time.monotonic() < until:
            time.sleep(0.01)
        answered_meanwhile = over.is_set()
        deliverer.stop()
        over.set()
        thread.join()
    assert len(fine.seen) == 30
    assert not answered_meanwhile
    assert len(stuck.seen) == 1, "one at a time, and the first was never answered"
    assert len(failing.seen) > 1


def _put(ledger: Ledger, told: Playbook, number: int) -> None:
    from handraise.records.alerting import Notice

    with ledger.transaction() as connection:
        for name in told.alerts.destinations:
            notice = Notice(object=f"handoff {number}", kind="created", lane="sales", priority="high")
            outbox.put(connection, name, notice, run_at=NOW, now=NOW)


def test_a_mailbox_that_is_refused_for_the_time_being_gets_its_mail_later_and_alone(ledger: Ledger) -> None:
    heard: list[str] = []
    with receiving_mail() as box:
        box.mailboxes["lee"] = "451 greylisted"
        people = ["nobody@acme.example", "kim@acme.example", "lee@acme.example"]
        server = {"host": "127.0.0.1", "port": box.port, "security": "none", "allow_private": ["127.0.0.1"]}
        told = playbook(team={"kind": "email", **server, "sender": "a@acme.example", "to": people})
        decide(ledger, told)
        sending = replace(world(told), failed=lambda _, outcome: heard.append(outcome.said))
        Deliverer(ledger, sending).run_until_done()
        assert heard == ["1 of 3 mailboxes were not taken. 1 of 3 mailboxes were not taken yet."]
        del box.mailboxes["lee"]
        assert deliver(ledger, told, now=NOW + timedelta(minutes=1)) == {"sent": 1}
        assert deliver(ledger, told, now=NOW + timedelta(days=3)) == {}
    assert [to for to, _ in box.taken] == [("kim@acme.example",), ("lee@acme.example",)]


def test_a_digest_waits_for_its_time_and_goes_out_as_one(ledger: Ledger) -> None:
    with serving(lambda _: (200, {}, b"ok")) as server:
        told = playbook(team=channel(digest=["15:00"], timezone="Europe/Berlin"))
        for number in range(3):
            made = decide(ledger, told, at=NOW + timedelta(minutes=number))
            with ledger.transaction() as connection:
                acting.close_handoffs(connection, {made.handoff or 0: "x"}, NOW)
        assert deliver(ledger, told, HOOK=server.url) == {}
        assert deliver(ledger, told, HOOK=server.url, now=NOW.replace(hour=14)) == {"sent": 3}
    assert [json.loads(one.body)["text"] for one in server.seen] == ["3 handoffs"]


def test_in_quiet_hours_only_a_raised_hand_passes_where_it_may(ledger: Ledger) -> None:
    quiet = {"quiet": {"start": 8, "end": 12}, "timezone": "UTC"}
    with serving(lambda _: (200, {}, b"ok")) as server:
        told = playbook(calm=channel(**quiet), keen=channel(**quiet, urgent_at_once=True))
        made = decide(ledger, told, priority="medium", because="qualified")
        assert deliver(ledger, told, HOOK=server.url) == {}
        decide(ledger, told, "joined", handoff=made.handoff)
        assert deliver(ledger, told, HOOK=server.url) == {"sent": 1}
        assert deliver(ledger, told, HOOK=server.url, now=NOW.replace(hour=12)) == {"sent": 1}


def test_what_is_gone_by_then_is_told_to_nobody(ledger: Ledger) -> None:
    with serving() as server:
        told = playbook(crm=hook(server))
        decide(ledger, told)
        assert deliver(ledger, told, look_up=lambda *_: {}) == {}
    assert server.seen == []
    assert waiting(ledger) == []


def test_what_cannot_be_looked_up_or_made_is_sent_later_and_stops_nothing(ledger: Ledger) -> None:
    def broken(*_: object) -> dict[str, AlertItem]:
        raise HandraiseError("the data are being copied.")

    with serving(lambda _: (200, {}, b"ok")) as server:
        told = playbook(team=channel())
        decide(ledger, told)
        assert deliver(ledger, told, look_up=broken, HOOK=server.url) == {"unsent": 1}
        assert deliver(ledger, told, HOOK=server.url, now=NOW + timedelta(minutes=1)) == {"sent": 1}


def test_a_destination_that_cannot_be_asked_delays_no_other(ledger: Ledger) -> None:
    with serving(lambda _: (200, {}, b"ok")) as server:
        told = playbook(first=channel(), last=channel())
        decide(ledger, told)
        lost = told.alerts.destinations["first"].model_copy(update={"timezone": "Nowhere/Lost"})
        broken = told.alerts.model_copy(update={"destinations": told.alerts.destinations | {"first": lost}})
        assert deliver(ledger, told.model_copy(update={"alerts": broken}), HOOK=server.url) == {"sent": 1}
        assert len(waiting(ledger, "first")) == 1
        assert deliver(ledger, told, HOOK=server.url) == {"sent": 1}


def test_a_destination_whose_secret_is_not_there_waits(ledger: Ledger) -> None:
    told = playbook(team=channel())
    decide(ledger, told)
    assert deliver(ledger, told) == {}
    (shown,) = alert_desk.destinations(ledger, told, Reach(environment={}), NOW)
    assert (shown.state, shown.missing, shown.standing.waiting) == ("lacking", ("HOOK",), 1)


def test_how_destinations_stand_is_said_in_one_word(ledger: Ledger) -> None:
    answers = iter([(401, {}, b""), (429, {"Retry-After": "60"}, b"")])
    with serving(lambda _: next(answers)) as server:
        told = playbook(
            crm=hook(server),
            late=hook(server, quiet={"days_off": [3]}, tell=["ended"]),
            other=hook(server, tell=["joined"]),
        )
        made = decide(ledger, told)
        assert deliver(ledger, told) == {"denied": 1}
        decide(ledger, told, "joined", handoff=made.handoff)
        assert deliver(ledger, told) == {"later": 1}
    reach = Reach(environment={"SECRET": SECRET})
    states = {one.name: one.state for one in alert_desk.destinations(ledger, told, reach, NOW)}
    assert states == {"crm": "paused", "late": "quiet", "other": "resting"}
    only = playbook(late=hook(server))
    gone = {one.name: one.state for one in alert_desk.destinations(ledger, only, reach, NOW)}
    assert gone == {"late": "ready", "crm": "gone", "other": "gone"}


def test_what_people_do_about_alerts_is_in_the_audit_trail(ledger: Ledger) -> None:
    from handraise.ledger.audit import list_audit

    answers = iter([(401, {}, b""), (422, {}, b""), (200, {}, b"")])
    with serving(lambda _: next(answers)) as server:
        told = playbook(crm=hook(server))
        decide(ledger, told)
        assert deliver(ledger, told) == {"denied": 1}
        alert_desk.resume(ledger, told, "crm", actor="kim", now=NOW)
        assert deliver(ledger, told) == {"refused": 1}
        (dead,) = alert_desk.undelivered(ledger)
        assert alert_desk.replay(ledger, [dead.id], actor="kim", now=NOW) == 1
        assert deliver(ledger, told) == {"sent": 1}
    assert len({one.headers["webhook-id"] for one in server.seen}) == 1
    with ledger.reading() as connection:
        assert [row.action for row in list_audit(connection)] == ["alerts.replay", "alerts.resume"]
    with pytest.raises(NotFoundError, match="no message 1 "):
        alert_desk.replay(ledger, [1], actor="kim", now=NOW)
    with pytest.raises(ConflictError):
        alert_desk.resume(ledger, told, "crm", actor="kim", now=NOW)
    with pytest.raises(NotFoundError, match="no destination 'crn'"):
        alert_desk.resume(ledger, told, "crn", actor="kim", now=NOW)


def test_a_test_message_goes_out_at_any_hour_and_is_no_message_of_the_outbox(ledger: Ledger) -> None:
    with serving() as server:
        told = playbook(crm=hook(server, quiet={"days_off": [3]}))
        reach = Reach(environment={"SECRET": SECRET})
        assert alert_desk.send_test(told, "crm", reach, message_id="msg_t", now=NOW).kind == "sent"
        with pytest.raises(ProjectError, match="'crm' needs"):
            alert_desk.send_test(told, "crm", Reach(), message_id="msg_t", now=NOW)
    assert json.loads(server.seen[0].body)["type"] == "test"
    with ledger.reading() as connection:
        assert outbox.standings(connection) == {}


def test_an_erased_person_is_in_no_message(ledger: Ledger, tmp_path: Path) -> None:
    create_project(tmp_path / "p")
    with open_project(tmp_path / "p") as project, serving() as server:
        told = playbook(crm=hook(server))
        made = decide(ledger, told)
        with ledger.transaction() as connection:
            acting.forget_people(connection, ["p7"])
        items = alert_items(project, ledger, [f"handoff {made.handoff}", "handoff 99", "decision 99"], "en", NOW)
        deliver(ledger, told, look_up=lambda objects, language: alert_items(project, ledger, objects, language, NOW))
    assert list(items) == [f"handoff {made.handoff}"]
    (seen,) = server.seen
    assert "p7" not in seen.body.decode()
    assert json.loads(seen.body)["data"]["person_id"] is None


def test_who_is_told_what_changes_no_score_and_no_decision() -> None:
    plain = load_template()
    with serving() as server:
        text = json.dumps({"version": 1, "alerts": {"destinations": {"crm": hook(server)}}})
    told = parse_playbook(text, name="test", path=None)
    assert told.content_hash == plain.content_hash
    assert told.handoffs_hash == plain.handoffs_hash


def test_what_goes_to_somebody_else_is_told_as_such(ledger: Ledger) -> None:
    with serving() as server:
        destinations = {"crm": hook(server, tell=["assigned"]), "bos": hook(server, owners=["bo"])}
    routing = {"reps": {"ana": {}, "bo": {}}, "teams": {"inside_sales": {"members": ["ana", "bo"]}}}
    text = {"version": 1, "handoffs": {"routing": routing}, "alerts": {"destinations": destinations}}
    told = parse_playbook(json.dumps(text), name="test", path=None)
    made = decide(ledger, told.playbook)
    say(
        ledger,
        made.handoff or 0,
        Call(kind="reassign", by="bo", to="ana", at=NOW),
        told.playbook.handoffs,
        told.playbook,
    )
    _taken_out(ledger)
    with ledger.transaction() as connection:
        connection.execute(update(handoffs).values(limit_at=NOW + timedelta(hours=1)))
        late = NOW + timedelta(hours=2)
        (passed,) = pass_on(connection, told.playbook.handoffs, at=late, as_of=date(2026, 11, 26), playbook=told)
    assert (passed.outcome, passed.owner) == ("passed_on", "bo")
    assert waiting(ledger) == [(f"handoff {made.handoff}", ("assigned",))]
    assert waiting(ledger, "bos") == [(f"handoff {made.handoff}", ("assigned",))]
