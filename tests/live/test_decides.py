"""What comes in live is decided on seconds later; what was decided about somebody goes with them."""

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from handraise.errors import LedgerError
from handraise.events.call_intake import EVERYBODY_DIRTY
from handraise.events.received import Received
from handraise.ledger import acting, conditions
from handraise.ledger.audit import list_audit
from handraise.service import deciding, questions
from handraise.service.erase import erase, erase_returned
from handraise.service.host import Host
from handraise.service.inbox import InboxChoice
from handraise.service.live import Live
from handraise.service.project import Project, refresh, scored_as_of
from handraise.warehouse.tables import read_fact, write_fact
from live.hosting import NOW, clock, hosted, scored, send, settle
from live.sending import track
from support import load_folder, write

AT = "2026-08-31T10:00:00Z"


def of_account(host: Host, account: str) -> list[str]:
    with host.ledger.reading() as connection:
        return [f"{one.outcome} {one.because}" for one in acting.list_decisions(connection, account)]


def test_whoever_asks_is_in_the_inbox_at_once(tmp_path: Path) -> None:
    with hosted(tmp_path) as host:
        send(host, track(1, "ann", "open", "2026-08-30T10:00:00Z", workspace="w"))
        send(host, track(2, "bob", "open", AT, workspace="w"))
        assert host.follower.ask(lambda p: questions.inbox(p, choice=InboxChoice(), language=None, now=NOW)) == []
        send(host, track(3, "bob", "contact_sales", AT, workspace="w"))
        with host.reading() as project:
            [row] = questions.inbox(project, choice=InboxChoice(), language=None, now=NOW)
        assert (row.handoff.account_id, row.handoff.person_id) == ("workspace:w", "bob")
        assert (row.handoff.priority, row.because) == ("high", ("asked to talk to sales",))
        assert row.handoff.created_at == NOW
        send(host, track(4, "ann", "contact_sales", AT, workspace="w"))
        assert of_account(host, "workspace:w") == ["joined hand_raise", "handoff hand_raise"]
    with hosted(tmp_path) as host:  # a server that starts again decides nothing twice
        settle(host)
        assert of_account(host, "workspace:w") == ["joined hand_raise", "handoff hand_raise"]


def test_what_was_scored_and_not_decided_is_decided_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object, **__: object) -> None:
        raise LedgerError("the ledger is locked.", retry=True)

    with hosted(tmp_path) as host:
        send(host, track(1, "ann", "open", AT, workspace="w"))
        with monkeypatch.context() as patched:
            patched.setattr(deciding, "decide_now", fails)
            event = json.dumps({"type": "track", **track(2, "ann", "contact_sales", AT, workspace="w")[1]}).encode()
            host.store(Received("web", "segment", b"{}", (event,)))
            wait_for(lambda: host.follower.progress.failures > 0)
        wait_for(lambda: of_account(host, "workspace:w") == ["handoff hand_raise"])
        settle(host)
        assert of_account(host, "workspace:w") == ["handoff hand_raise"]


def test_decisions_about_everybody_may_wait_for_the_next_time(tmp_path: Path) -> None:
    with hosted(tmp_path) as host:
        send(host, track(1, "ann", "contact_sales", AT, workspace="w"))
        assert of_account(host, "workspace:w") == ["handoff hand_raise"]

        def scored_only(project: Project) -> None:
            write_fact(project.warehouse, EVERYBODY_DIRTY, "yes")
            Live(project, host.log).settle(NOW, may_wait=True)
            assert read_fact(project.warehouse, "live_undecided") == "yes"
            Live(project, host.log).settle(NOW)
            assert read_fact(project.warehouse, "live_undecided") == "no"
            assert not Live(project, host.log).settle(NOW)

        host.follower.ask(scored_only)


def test_an_account_whose_company_becomes_known_keeps_its_handoff(tmp_path: Path) -> None:
    with hosted(tmp_path) as host:
        send(host, track(1, "ann", "contact_sales", AT))
        traits = {"messageId": "2", "userId": "ann", "traits": {"email": "ann@brand-new.com"}}
        send(host, ("identify", traits))
        with host.ledger.reading() as connection:
            [handoff] = acting.list_handoffs(connection)
        assert handoff.account_id == "domain:brand-new.com"
        with host.ledger.reading() as connection:
            trail = [(one.object, one.details) for one in list_audit(connection) if one.action == "handoff.moved"]
        assert trail == [("handoff 1", {})], "an account's id can be a person's, and the trail keeps everything"
        assert of_account(host, "domain:brand-new.com") == []
        send(host, track(3, "ann", "contact_sales", "2026-08-31T12:00:00Z"))
        assert of_account(host, "domain:brand-new.com") == ["joined hand_raise"]


def test_what_a_command_scored_without_deciding_is_decided_by_the_server(tmp_path: Path) -> None:
    with hosted(tmp_path) as host:
        send(host, track(1, "ann", "open", AT, workspace="w"))
        asked = {"event_id": "2", "person_id": "ann", "name": "contact_sales", "timestamp": AT, "workspace_id": "w"}

        def loaded_and_listed(project: Project) -> None:
            load_folder(project, write(tmp_path / "files", {"events": [asked]}))
            as_of = scored_as_of(project)
            assert as_of
            refresh(project, [as_of], now=NOW)

        host.follower.ask(loaded_and_listed)
        wait_for(lambda: of_account(host, "workspace:w") == ["handoff hand_raise"])


def wait_for(what: Callable[[], bool]) -> None:
    ends = time.monotonic() + 20
    while not what():
        assert time.monotonic() < ends
        time.sleep(0.05)


def test_decisions_name_nobody_who_was_erased(tmp_path: Path) -> None:
    with hosted(tmp_path) as host:
        send(host, track(1, "ann", "contact_sales", AT, workspace="w"))
        send(host, track(2, "erasmus-4711", "contact_sales", "2026-08-31T11:00:00Z", workspace="w"))
        send(host, track(3, "erasmus-4711", "enterprise_request", AT, workspace="w"))
        send(host, track(4, "erasmus-4711", "contact_sales", AT, workspace="his-own"))
        with host.ledger.reading() as connection:
            assert acting.people_named(connection) == {"ann", "erasmus-4711"}
        receipt = erase(host, "erasmus-4711", requested_by="me", now=clock)
        assert receipt.erased["decisions"] > 0
        with host.ledger.reading() as connection:
            assert acting.people_named(connection) == {"ann"}
            [handoff] = acting.list_handoffs(connection)
            assert acting.engaged_accounts(connection) == [handoff.account_id], "what was about him alone has ended"
        assert [one.person_id for one in handoff.reasons] == ["ann"]
        assert set(scored(host)) == {"ann"}
    content = (tmp_path / ".handraise" / "ledger.sqlite").read_bytes()
    assert b"erasmus" not in content


def test_a_ledger_of_before_an_erasure_is_cleared_too(tmp_path: Path) -> None:
    with hosted(tmp_path) as host:
        send(host, track(1, "ann", "open", AT, workspace="w"))
        erase(host, "erasmus-4711", requested_by="me", now=clock)
        wait_for(lambda: host.follower.ask(lambda p: read_fact(p.warehouse, "live_undecided") == "no"))
        with host.ledger.transaction() as connection:  # as an older ledger would have it
            at = datetime(2026, 8, 30, tzinfo=UTC)
            held = conditions.Held(
                trigger="became_hot",
                account_id="w",
                person_id="erasmus-4711",
                value=80,
                asked_at=None,
                fired_at=at,
                pending=False,
            )
            conditions.keep_conditions(connection, [held], [])
        assert erase_returned(host, now=clock) == 1
        with host.ledger.reading() as connection:
            assert acting.people_named(connection) == set()
