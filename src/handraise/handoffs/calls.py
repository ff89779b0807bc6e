"""What a salesperson says about a handoff, and what follows for it and for its account.

Pure: the handoff, the account's life and the call come in; both as they are afterwards go out, or a reason to refuse.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from handraise.errors import ConflictError, InputError
from handraise.handoffs import lives
from handraise.playbook.handoffs import Lifecycle
from handraise.playbook.reading import did_you_mean
from handraise.records.acting import Call, Handoff, Life

After = tuple[Handoff, Life]
RATINGS = range(1, 6)
MOST_MONEY = 1e12
_LONGEST_SNOOZE = timedelta(days=180)


def reason_code(words: str | None) -> str | None:
    """A reason as it is looked up, kept and counted: `Not ICP`, `not-icp` and `NOT_ICP` are one; None = none is said."""
    return re.sub(r"[\s_\u2010-\u2015-]+", "_", (words or "").casefold()).strip("_") or None


def applied(call: Call, handoff: Handoff, life: Life, rules: Lifecycle) -> After:
    """A handoff and its account after a call.

    Raises:
        ConflictError: It has ended, or is somebody else's.
        InputError: The call says too little, or an amount that is none.
    """
    if call.amount is not None and not (math.isfinite(call.amount) and 0 <= call.amount <= MOST_MONEY):
        raise InputError(
            f"{call.amount} is no amount that can be.",
            where="amount",
            todo=f"Say a number from 0 to {MOST_MONEY:,.0f}, such as 12500.",
        )
    if handoff.closed_at is not None and call.kind != "rate":
        raise ConflictError(f"handoff {handoff.id} has ended.", todo="`handraise inbox` lists those under way.")
    if call.kind in _OWNERS_ONLY and handoff.owner not in {None, call.by}:
        raise ConflictError(
            f"handoff {handoff.id} is {handoff.owner}'s.",
            todo=f"`handraise handoff {handoff.id} reassign --to {call.by}` takes it over.",
        )
    return _EFFECTS[call.kind](call, handoff, life, rules)


def _claimed(call: Call, handoff: Handoff, life: Life, rules: Lifecycle) -> After:
    del rules
    working = lives.ended(life, "working", call.at) if life.state == "qualified" else life
    status = handoff.status if handoff.status == "accepted" else "working"
    return replace(handoff, owner=handoff.owner or call.by, status=status), working


def _accepted(call: Call, handoff: Handoff, life: Life, rules: Lifecycle) -> After:
    handoff, life = _claimed(call, handoff, life, rules)
    return replace(handoff, status="accepted"), lives.ended(life, "accepted", call.at)


def _rejected(call: Call, handoff: Handoff, life: Life, rules: Lifecycle) -> After:
    reason = _said(reason_code(call.reason), "a rejection needs a reason", "--reason not_icp")
    meant = "" if reason in rules.cooldown_reasons else did_you_mean(reason, list(rules.cooldown_reasons))
    if meant:  # written wrongly, it would let the account rest for another time
        raise InputError(f"{reason!r} looks like a reason of the playbook, and is none.", where="reason", todo=meant)
    return _closed(handoff, call), lives.rejected(life, rules, reason, call.at)


def _snoozed(call: Call, handoff: Handoff, life: Life, rules: Lifecycle) -> After:
    del rules
    if call.until is None or not call.at < call.until <= call.at + _LONGEST_SNOOZE:
        raise InputError(
            f"snoozing needs an instant to come, within {_LONGEST_SNOOZE.days} days.",
            where="until",
            todo="Write one such as 2026-12-01T09:00Z.",
        )
    patience = handoff.limit_at - handoff.due_at if handoff.limit_at and handoff.due_at else None
    limit_at = call.until + patience if patience else handoff.limit_at
    return replace(handoff, due_at=call.until, limit_at=limit_at, owner=handoff.owner or call.by), life


def _reassigned(call: Call, handoff: Handoff, life: Life, rules: Lifecycle) -> After:
    del rules
    return replace(handoff, owner=_said(call.to, "reassigning needs a name", "--to NAME")), life


def _noted(call: Call, handoff: Handoff, life: Life, rules: Lifecycle) -> After:
    del rules
    _said(call.note, "a note needs words", "--note TEXT")
    return handoff, life


def _rated(call: Call, handoff: Handoff, life: Life, rules: Lifecycle) -> After:
    del rules
    led = sorted({one.trigger for one in handoff.reasons})
    if call.signal not in led or call.rating is None or call.rating not in RATINGS:
        raise InputError(
            "a rating needs one of the signals that led to the handoff, and a number from 1 to 5.",
            where="signal",
            todo=f"Say it with --signal {' or '.join(led)} --rating 4.",
        )
    return handoff, life


def _contacted(call: Call, handoff: Handoff, life: Life, rules: Lifecycle) -> After:
    handoff, life = _claimed(call, handoff, life, rules)
    return _first_contact(handoff, call), life


def _reached(call: Call, handoff: Handoff, life: Life, rules: Lifecycle) -> After:
    handoff, life = _contacted(call, handoff, life, rules)
    return handoff, replace(life, reached_at=call.at)


def _won(call: Call, handoff: Handoff, life: Life, rules: Lifecycle) -> After:
    del rules
    return _first_contact(_closed(handoff, call), call), lives.ended(life, "won", call.at)


def _first_contact(handoff: Handoff, call: Call) -> Handoff:
    return handoff if handoff.contacted_at else replace(handoff, contacted_at=call.at)


def _lost(call: Call, handoff: Handoff, life: Life, rules: Lifecycle) -> After:
    del rules
    _said(reason_code(call.reason), "a loss needs a reason", "--reason no_budget")
    return _closed(handoff, call), lives.ended(life, "lost", call.at)


def _closed(handoff: Handoff, call: Call) -> Handoff:
    return replace(handoff, status="closed", owner=handoff.owner or call.by, closed_at=call.at)


def _said(text: str | None, missing: str, todo: str) -> str:
    if not text:
        raise InputError(f"{missing}.", todo=f"Say it with {todo}.")
    return text


_Effect = Callable[[Call, Handoff, Life, Lifecycle], After]
# What is said → what follows. `contacted` is a touch, which counts for the caps; only an answer means somebody was reached.
_EFFECTS: dict[str, _Effect] = {
    "claim": _claimed,
    "accept": _accepted,
    "reject": _rejected,
    "snooze": _snoozed,
    "reassign": _reassigned,
    "note": _noted,
    "contacted": _contacted,
    "replied": _reached,
    "meeting": _reached,
    "opportunity": _reached,
    "won": _won,
    "lost": _lost,
    "rate": _rated,
}
# Others may note something, rate what led to it or take over, but not speak for whoever has it.
_OWNERS_ONLY = frozenset(_EFFECTS) - {"note", "rate", "reassign"}
