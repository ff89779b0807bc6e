"""What salespeople say about handoffs: applied by the playbook's rules, kept in the ledger and in the audit trail."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from handraise.errors import ConflictError, InputError
from handraise.handoffs import lives
from handraise.handoffs.calls import applied, reason_code
from handraise.ledger import acting, calls
from handraise.ledger.audit import record, take_turn
from handraise.ledger.store import Ledger
from handraise.playbook.handoffs import Handoffs
from handraise.playbook.routing import Routing
from handraise.playbook.schema import Playbook
from handraise.records.acting import Call, Handoff, Life
from handraise.service.alerting import tell_change
from handraise.service.roster import in_force


@dataclass(frozen=True, kw_only=True)
class Told:
    """A handoff after something was said about it.

    Attributes:
        handoff: As it is now.
        state: Where its account stands now.
        calls: Everything that was said about it, oldest first.
    """

    handoff: Handoff
    state: str
    calls: tuple[Call, ...]


def say(
    ledger: Ledger,
    number: int,
    call: Call,
    rules: Handoffs,
    tell: Playbook | None = None,
    *,
    now: datetime | None = None,
) -> Told:
    """Apply a call to a handoff; people are known by every name that the roster has of them.

    The team is told as the playbook `tell` says; None = nobody is. A call may be about an earlier day than the one on
    which it is said: `now` is when the audit trail has it and the team is told, None = the call's own instant.

    Raises:
        NotFoundError: There is no such handoff.
        ConflictError: It has ended, is somebody else's, or was changed at the same moment.
        InputError: The call says too little.
    """
    with ledger.transaction() as connection:
        take_turn(connection)
        routing = in_force(connection, rules).routing
        handoff = calls.find_handoff(connection, number)
        handoff = replace(handoff, owner=routing.rep_called(handoff.owner) or handoff.owner)
        life = _life(acting.lives_of(connection, [handoff.account_id]), handoff)
        call = replace(_named(call, routing), person_id=call.person_id or handoff.person_id)
        call = replace(call, reason=reason_code(call.reason))
        after = applied(call, handoff, life, rules.lifecycle)
        ends = lives.sunset_at(after[1], rules.lifecycle)
        calls.keep_call(connection, call, (handoff, life), after, look_again=ends[0] if ends else None)
        said_at = now or call.at
        tell_change(connection, tell, handoff, now=said_at)
        details = {"kind": call.kind}
        record(
            connection, actor=call.by, action="handoff.call", object=f"handoff {number}", details=details, now=said_at
        )
    return told(ledger, number)


def undo(ledger: Ledger, number: int, rules: Handoffs, *, by: str, now: datetime, tell: Playbook | None = None) -> Told:
    """Take back what somebody said last about a handoff; the team is told as with `say`.

    Raises:
        NotFoundError: There is no such handoff, or nothing to take back.
        ConflictError: Somebody else said it, or the account has another handoff by now.
    """
    with ledger.transaction() as connection:
        take_turn(connection)
        handoff = calls.find_handoff(connection, number)
        by = in_force(connection, rules).routing.rep_called(by) or by
        undone = calls.undo_call(connection, handoff, by=by, now=now)
        tell_change(connection, tell, handoff, now=now)
        details = {"kind": undone.kind}
        record(connection, actor=by, action="handoff.undo", object=f"handoff {number}", details=details, now=now)
    return told(ledger, number)


def told(ledger: Ledger, number: int) -> Told:
    """A handoff, where its account stands, and what was said.

    Raises:
        NotFoundError: There is no such handoff.
    """
    with ledger.reading() as connection:
        handoff = calls.find_handoff(connection, number)
        life = _life(acting.lives_of(connection, [handoff.account_id]), handoff)
        return Told(handoff=handoff, state=life.state, calls=calls.calls_of(connection, number))


def _named(call: Call, routing: Routing) -> Call:
    """The call with people's ids in the place of their other names.

    Raises:
        ConflictError: Somebody who left is to have the handoff.
        InputError: The roster does not have whom it is given to.
    """
    by, to = routing.rep_called(call.by) or call.by, routing.rep_called(call.to) or call.to
    if routing.reps and by not in routing.reps and call.kind not in {"note", "rate"}:
        raise InputError(
            f"the roster does not have {by!r}.",
            where="by",
            todo=f"Say whose words they are: {routing.who_is_meant(by)}",
        )
    takes = to if call.kind == "reassign" else by
    if call.kind == "reassign" and to and routing.reps and to not in routing.reps:
        raise InputError(f"the roster does not have {to!r}.", where="to", todo=routing.who_is_meant(to))
    if takes in routing.reps and not routing.reps[takes].active and call.kind not in {"note", "rate"}:
        raise ConflictError(f"{takes} takes no handoffs any more.", todo="`handraise roster` lists who does.")
    return replace(call, by=by, to=to)


def _life(known: dict[str, Life], handoff: Handoff) -> Life:
    return known.get(handoff.account_id) or Life(state="qualified", since=handoff.created_at)
