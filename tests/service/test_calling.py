"""What is said about a handoff, as the ledger, the audit trail and the outbox have it afterwards."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from handraise.ledger import acting, calls
from handraise.ledger.audit import list_audit
from handraise.ledger.schema import outbox
from handraise.ledger.store import Ledger
from handraise.playbook.alerts import Alerts
from handraise.playbook.load import load_template
from handraise.records.acting import Call, CallKind, Decision, Life
from handraise.service.calling import say

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
MADE = NOW - timedelta(days=9)
RULES = load_template().playbook.handoffs


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    """One handoff, number 1."""
    made = Ledger.open(tmp_path / "ledger.db")
    decision = Decision(
        at=MADE,
        as_of=date(2026, 11, 14),
        account_id="a",
        person_id="p",
        outcome="handoff",
        lane="sales",
        priority="medium",
        because="qualified",
        playbook="x",
    )
    with made.transaction() as connection:
        acting.add_decision(connection, decision, terms={"due_at": NOW})
        acting.keep_life(connection, "a", Life(state="qualified", since=MADE, qualified_at=MADE), look_again=None)
    return made


@pytest.mark.parametrize("kind", ["reject", "lost"])
def test_a_reason_is_kept_as_it_is_counted(ledger: Ledger, kind: CallKind) -> None:
    say(ledger, 1, Call(kind=kind, by="kim", at=NOW, reason="Not ICP"), RULES)
    with ledger.reading() as connection:
        assert [one.reason for one in calls.calls_of(connection, 1)] == ["not_icp"]


def test_what_is_told_of_an_earlier_day_is_told_now(ledger: Ledger) -> None:
    destination = {"kind": "webhook", "url": "https://crm.example/in", "secret_env": "SECRET"}
    alerts = Alerts.model_validate({"destinations": {"crm": destination}})
    tell = load_template().playbook.model_copy(update={"alerts": alerts})
    earlier = NOW - timedelta(days=3)
    say(ledger, 1, Call(kind="contacted", by="kim", at=earlier), RULES, tell, now=NOW)
    say(ledger, 1, Call(kind="note", by="kim", at=earlier, note="hm"), RULES, tell)
    with ledger.reading() as connection:
        assert [one.at for one in calls.calls_of(connection, 1)] == [earlier, earlier]
        assert [one.at for one in list_audit(connection)] == [earlier, NOW], "the newest first"
        told = connection.execute(select(outbox.c.kinds, outbox.c.queued_at, outbox.c.run_at)).all()
        assert [tuple(one) for one in told] == [(["assigned"], NOW, NOW)]
