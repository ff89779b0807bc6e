"""What is said about a handoff, and what follows for it and for its account."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, get_args

import pytest

from handraise.errors import ConflictError, InputError
from handraise.handoffs import lives
from handraise.handoffs.calls import applied, reason_code
from handraise.playbook.load import load_template
from handraise.records.acting import Call, CallKind, Handoff, Life, Reason

RULES = load_template().playbook.handoffs.lifecycle
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
DAY = timedelta(days=1)
OPEN = Handoff(
    id=7,
    account_id="a",
    person_id="p",
    lane="sales",
    priority="high",
    status="open",
    owner=None,
    created_at=NOW - DAY,
    due_at=NOW,
    limit_at=NOW + DAY,
    closed_at=None,
    playbook="x",
    version=1,
    reasons=(Reason(trigger="became_hot", person_id="p", value=90, fired_at=NOW - DAY),),
)
QUALIFIED = lives.qualified(Life(since=NOW - 9 * DAY), NOW - DAY)


def after(kind: CallKind, *, handoff: Handoff = OPEN, life: Life = QUALIFIED, **more: Any) -> tuple[Handoff, Life]:
    return applied(Call(kind=kind, by="rep", at=NOW, **more), handoff, life, RULES)


EFFECTS: dict[str, tuple[dict[str, Any], tuple[str, str | None, bool, str]]] = {
    "claim": ({}, ("working", "rep", False, "working")),
    "accept": ({}, ("accepted", "rep", False, "accepted")),
    "reject": ({"reason": "not_icp"}, ("closed", "rep", True, "rejected")),
    "snooze": ({"until": NOW + DAY}, ("open", "rep", False, "qualified")),
    "reassign": ({"to": "other"}, ("open", "other", False, "qualified")),
    "note": ({"note": "hm"}, ("open", None, False, "qualified")),
    "contacted": ({"channel": "email"}, ("working", "rep", False, "working")),
    "replied": ({}, ("working", "rep", False, "working")),
    "meeting": ({}, ("working", "rep", False, "working")),
    "opportunity": ({"amount": 9000.0}, ("working", "rep", False, "working")),
    "won": ({"amount": 9000.0}, ("closed", "rep", True, "won")),
    "lost": ({"reason": "no_budget"}, ("closed", "rep", True, "lost")),
    "rate": ({"signal": "became_hot", "rating": 4}, ("open", None, False, "qualified")),
}


def test_every_kind_has_an_effect() -> None:
    assert set(EFFECTS) == set(get_args(CallKind))


@pytest.mark.parametrize("kind", EFFECTS)
def test_effect(kind: CallKind) -> None:
    more, wanted = EFFECTS[kind]
    handoff, life = after(kind, **more)
    assert (handoff.status, handoff.owner, handoff.closed_at is not None, life.state) == wanted


def test_what_was_accepted_stays_so() -> None:
    accepted = replace(OPEN, status="accepted", owner="rep")
    for kind in ("claim", "contacted", "replied"):
        assert after(kind, handoff=accepted)[0].status == "accepted"


def test_only_an_answer_means_that_somebody_was_reached() -> None:
    assert after("contacted")[1].reached_at is None
    for kind in ("replied", "meeting", "opportunity"):
        life = after(kind)[1]
        assert life.reached_at == NOW
        assert lives.sunset_at(life, RULES) is None
    earlier = replace(QUALIFIED, reached_at=NOW - DAY)
    assert after("replied", life=earlier)[1].reached_at == NOW, (
        "the last time, as somebody may have asked since the first"
    )


def test_the_first_contact_is_kept() -> None:
    for kind, more in (("contacted", {}), ("replied", {}), ("meeting", {}), ("opportunity", {}), ("won", {})):
        assert after(kind, **more)[0].contacted_at == NOW
    assert after("claim")[0].contacted_at is None
    earlier = replace(OPEN, contacted_at=NOW - DAY)
    assert after("replied", handoff=earlier)[0].contacted_at == NOW - DAY


def test_a_rejected_account_cools_down() -> None:
    assert after("reject", reason="timing")[1].cool_until == NOW + 30 * DAY
    assert after("reject", reason="not_icp")[1].cool_until == NOW + 90 * DAY


@pytest.mark.parametrize("reason", ["Not ICP", "NOT_ICP", "not icp", " not-icp ", "not\u2011ICP", "Not - ICP"])
def test_a_reason_is_the_same_however_it_is_written(reason: str) -> None:
    assert reason_code(reason) == "not_icp"
    assert after("reject", reason=reason)[1].cool_until == NOW + 90 * DAY
    with pytest.raises(InputError, match="looks like a reason"):
        after("reject", reason=f"{reason}s")
    for empty in ("", "  ", "-_ "):
        with pytest.raises(InputError, match="needs a reason"):
            after("reject", reason=empty)


@pytest.mark.parametrize(
    ("kind", "more"),
    [
        ("reject", {}),
        ("lost", {}),
        ("reassign", {}),
        ("note", {}),
        ("snooze", {}),
        ("snooze", {"until": NOW}),
        ("snooze", {"until": NOW + 181 * DAY}),
    ],
)
def test_what_says_too_little_is_refused(kind: CallKind, more: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        after(kind, **more)


@pytest.mark.parametrize("amount", [float("nan"), float("inf"), float("-inf"), -0.01, 1e12 + 1])
@pytest.mark.parametrize("kind", ["opportunity", "won", "note"])
def test_what_is_no_amount_is_refused(kind: CallKind, amount: float) -> None:
    with pytest.raises(InputError, match="no amount that can be"):
        after(kind, amount=amount, note="hm")
    for taken in (0.0, 1e12):
        assert after(kind, amount=taken, note="hm")


@pytest.mark.parametrize("kind", EFFECTS)
def test_nobody_speaks_for_somebody_else_or_about_what_has_ended(kind: CallKind) -> None:
    more, _ = EFFECTS[kind]
    if kind != "rate":
        with pytest.raises(ConflictError, match="has ended"):
            after(kind, handoff=replace(OPEN, closed_at=NOW), **more)
    taken = replace(OPEN, owner="other")
    if kind in {"note", "rate", "reassign"}:
        assert after(kind, handoff=taken, **more)
    else:
        with pytest.raises(ConflictError, match="is other's"):
            after(kind, handoff=taken, **more)
