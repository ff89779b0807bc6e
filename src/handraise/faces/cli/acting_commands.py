"""What the commands about acting do."""

from __future__ import annotations

import getpass
import json
import os
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, cast, get_args
from zoneinfo import ZoneInfo

import typer
from rich.text import Text

from handraise.errors import InputError
from handraise.faces.cli import show
from handraise.faces.cli.ask import ask
from handraise.faces.cli.days import right_now
from handraise.playbook.handoffs import Handoffs
from handraise.playbook.load import FILE_NAME, load_playbook
from handraise.records.acting import Call, CallKind, Decision
from handraise.service import questions
from handraise.service.calling import Told, say, told, undo
from handraise.service.inbox import InboxChoice, InboxItem
from handraise.service.ledgers import open_ledger
from handraise.service.roster import RepNow, roster_now
from handraise.service.wire import encode

_STYLE = {"high": "bold red", "medium": "yellow"}
_LANES = {"sales": "talk to", "find_buyer": "find the buyer", "top_down": "no usage yet", "self_serve": ""}
# Code of a decision → what it says.
_BECAUSE = {
    "hand_raise": "somebody asked, and is answered by a person",
    "qualified": "a product-qualified account with a buyer who may be written to",
    "buyer_missing": "a product-qualified account in which no user can buy: find the buyer, do not pitch the users",
    "lead_without_usage": "a lead of a company that does not use the product yet",
    "under_way": "somebody is at it already",
    "low_priority": "not urgent enough for a person",
    "self_serve": "not a product-qualified account",
    "segment_does_not_sell": "sales does not talk to companies of this size unless they ask",
    "cooling_down": "it was rejected, and is left alone for a while",
    "too_soon_again": "it was handed over a few days ago",
    "too_early": "whoever could be written to signed up less than a day ago",
    "person_cap": "whoever could be written to was written to often enough lately",
    "account_cap": "people there were written to often enough lately",
    "opted_out": "whoever could be written to does not want to be",
    "below_tier": "it stayed below its tier for two weeks",
    "nobody_reached": "nobody was reached for three weeks",
    "sla_lapsed": "nobody was contacted in time",
    "owner_left": "its owner takes no handoffs any more",
}
# Code of routing → what it says.
_ROUTED = {
    "crm_owner": "who has the account in the CRM",
    "previous_owner": "who had it before",
    "territory": "whose territory it is",
    "team": "whose turn it is",
    "person": "as the route says",
    "queue": "for whoever claims it",
    "nobody_free": "as nobody is free to take it",
}
_OUTCOMES = {
    "handoff": "handed over",
    "joined": "added to what is under way",
    "nurture": "automated",
    "hold": "not yet",
    "sunset": "ended",
    "passed_on": "passed on",
}


def inbox(folder: Path, choice: InboxChoice, *, lang: str | None, as_json: bool) -> None:
    """`handraise inbox`."""
    now = right_now()
    asked = replace(choice, limit=choice.limit + 1)
    more = ask(folder, questions.inbox, choice=asked, language=lang, now=now)
    found = more[: choice.limit]
    if as_json:
        show.print_json(json.loads(encode(found)))
        return
    if not found and choice != InboxChoice(limit=choice.limit):
        show.say("No handoff fits that.")
        return
    if not found:
        show.say("Nobody is asked to act. `handraise why-not ACCOUNT` says why an account is not here.")
        return
    inbox_table("Inbox", found, now)
    if len(more) > len(found):
        show.hint(f"There are more: `--limit {10 * choice.limit}` shows them.")


def inbox_table(title: str, items: list[InboxItem], now: datetime) -> None:
    """Handoffs, each with its three strongest reasons."""
    show.table(title, *inbox_rows(items, now))


def inbox_rows(items: list[InboxItem], now: datetime) -> tuple[list[tuple[str, str]], list[list[Any]]]:
    """Columns and cells of handoffs; whose they are is told where they are somebody's."""
    owned = any(one.handoff.owner or one.handoff.queue for one in items)
    rows = [
        [
            one.handoff.id,
            Text(one.handoff.priority, style=_STYLE.get(one.handoff.priority, "")),
            show.named(one.account_name, one.handoff.account_id),
            whom(one),
            *([_whose(one)] if owned else []),
            _due(one, now),
            "\n".join(one.because[:3]),
        ]
        for one in items
    ]
    named = ("priority", "account", "whom", *(("owner",) if owned else ()), "due", "because")
    return [("no.", "right"), *((name, "left") for name in named)], rows


def _whose(one: InboxItem) -> Text:
    return Text(one.handoff.owner) if one.handoff.owner else Text(one.handoff.queue or "", style="dim")


def _due(one: InboxItem, now: datetime) -> Text:
    at = one.handoff.due_at
    if one.handoff.contacted_at:
        return Text("contacted")
    if at is None:
        return Text(f"{_since(one.handoff.created_at, now)} old")
    if at < now:
        return Text(f"{_since(at, now)} late", style="red")
    return Text(f"{at:%a %H:%M}Z" if at - now < timedelta(days=6) else f"{at:%Y-%m-%d}")


def _since(at: datetime, now: datetime) -> str:
    """How long ago, in the largest unit that says something."""
    minutes = max(0, int((now - at).total_seconds() // 60))
    for size, unit in ((60 * 24, "d"), (60, "h")):
        if minutes >= size:
            return f"{minutes // size} {unit}"
    return f"{minutes} min"


def whom(one: InboxItem) -> str:
    """Whom to talk to, or what else is to be done."""
    lane = _LANES[one.handoff.lane]
    if not one.handoff.person_id:
        return lane
    name = one.person_name or one.handoff.person_id
    return f"{name}, {one.person_title}" if one.person_title else name


def why_not(folder: Path, account: str, *, limit: int, lang: str | None, as_json: bool) -> None:
    """`handraise why-not`."""
    found = ask(folder, questions.why_not, account_id=account, limit=limit, language=lang, now=right_now())
    if as_json:
        show.print_json(json.loads(encode(found)))
        return
    if found.handoff is not None:
        show.say(f"Handoff {found.handoff} of {account} is under way.")
    else:
        stands = f" It is {found.life.state} since {found.life.since:%Y-%m-%d}." if found.life else ""
        show.say(f"Nobody is asked to act on {account}.{stands}")
    if not found.decisions:
        show.say("No trigger has fired for it since decisions began. `handraise explain` shows what it has points for.")
        return
    show.say("")
    for made, reasons in zip(found.decisions, found.sentences, strict=True):
        show.say(f"{made.at:%Y-%m-%d %H:%M}  {_OUTCOMES[made.outcome]}: {_why(made)}.")
        if reasons:
            show.say(f"                  {reasons}")


def _why(made: Decision) -> str:
    said = _BECAUSE.get(made.because, made.because)
    if made.routed:
        said += f"; {made.owner or made.queue or 'nobody'}'s, {_ROUTED[made.routed]}"
    return f"{said}; looked at again on {made.look_again:%Y-%m-%d}" if made.look_again else said


def roster(folder: Path, *, as_json: bool) -> None:
    """`handraise roster`."""
    rules, now = load_playbook(folder / FILE_NAME).playbook.handoffs, right_now()
    with open_ledger(folder, os.environ) as ledger, ledger.reading() as connection:
        found = roster_now(connection, rules, now)
    if as_json:
        show.print_json(json.loads(encode({"reps": found.reps, "queues": found.queues, "stale": found.stale})))
        return
    if found.reps:
        rows = [
            [one.rep, one.name, ", ".join(one.teams), _presence(one), one.under_way, one.capacity] for one in found.reps
        ]
        columns = [(name, "left") for name in ("rep", "name", "teams", "now")]
        show.table("Who takes handoffs", [*columns, ("under way", "right"), ("at most", "right")], rows)
    else:
        show.say("Nobody is on the roster: a handoff is the CRM owner's, else whoever's claims it.")
        show.say("`handoffs.routing` in the playbook says who takes them, or a program does (`PUT /api/v1/roster/…`).")
    for queue, waiting in sorted(found.queues.items()):
        show.say(f"{waiting} wait in the queue {queue} for somebody to claim them.")
    for one in found.stale:
        show.say(f"What a program told about {one.name} of the {one.kind} fits no more and does not hold: {one.reason}")


def _presence(one: RepNow) -> str:
    if not one.active:
        return "takes nothing any more"
    if one.away:
        return "away"
    return "at work" if one.at_work else f"back {one.back_at:%a %H:%M}Z" if one.back_at else "never at work"


def handoff(
    folder: Path, number: int, said: str | None, by: str | None, options: dict[str, Any], *, as_json: bool
) -> None:
    """`handraise handoff`."""
    now, who = right_now(), by or getpass.getuser()
    if said is not None and said not in {*get_args(CallKind), "undo"}:
        raise typer.BadParameter(f"choose {', '.join(get_args(CallKind))} or undo", param_hint="SAID")
    playbook = load_playbook(folder / FILE_NAME).playbook
    with open_ledger(folder, os.environ) as ledger:
        if said is None:
            found = told(ledger, number)
        elif said == "undo":
            found = undo(ledger, number, playbook.handoffs, by=who, now=now, tell=playbook)
        else:
            call = Call(
                kind=cast(CallKind, said),
                by=who,
                at=now,
                **{**options, "until": _until(options["until"], playbook.handoffs, who)},
            )
            found = say(ledger, number, call, playbook.handoffs, playbook)
    if as_json:
        show.print_json(json.loads(encode(found)))
        return
    _show_handoff(folder, found)


def _show_handoff(folder: Path, found: Told) -> None:
    one = found.handoff
    due = f", due {one.due_at:%Y-%m-%d %H:%M}Z" if one.due_at and one.closed_at is None else ""
    item = ask(folder, questions.handoff_item, number=one.id, language=None, now=right_now())
    company = f"{item.account_name} ({one.account_id})" if item.account_name else one.account_id
    show.say(f"Handoff {one.id} of {company}: {one.priority}, {one.status}, {one.owner or 'nobody'}'s{due}.")
    show.say(
        f"{_LANES[one.lane] if one.person_id is None else 'Talk to'} {whom(item) if one.person_id else ''}".strip()
    )
    for because in item.because:
        show.say(f"  - {because}")
    show.say(f"The account is {found.state}.")
    for call in found.calls:
        show.say(f"{call.at:%Y-%m-%d %H:%M}  {call.by}: {_call(call)}")


def _call(call: Call) -> str:
    parts = [
        call.reason,
        call.channel,
        call.to and f"to {call.to}",
        call.until and f"until {call.until:%Y-%m-%d %H:%M}Z",
    ]
    parts += [f"{call.amount:,.2f}" if call.amount is not None else None, call.note]
    parts += [f"{call.signal}: {call.rating} of 5"] if call.signal else []
    said = ", ".join([call.kind, *(part for part in parts if part)])
    return f"{said} (taken back)" if call.undone_at else said


def _until(text: str | None, rules: Handoffs, who: str) -> datetime | None:
    """An instant as 2026-12-01T09:00Z, or a day: when its working hours begin where somebody works.

    Raises:
        InputError: It is neither.
    """
    if text is None:
        return None
    with suppress(ValueError):
        at = datetime.fromisoformat(text)
        if "T" in text.upper() and at.tzinfo is not None:
            return at.astimezone(UTC)
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise InputError(
            f"{text!r} is neither a day nor an instant.", where="--until", todo="Write 2026-12-01 or 2026-12-01T09:00Z."
        ) from None
    hours = rules.routing.hours_of(rules.routing.rep_called(who), rules.hours)
    return datetime.combine(day, hours.start, ZoneInfo(hours.timezone)).astimezone(UTC)
