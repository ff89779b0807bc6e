"""Start with a spreadsheet: the inbox goes out to one person as a file, and comes back filled in, as outcomes.

Before anybody connects a CRM, one account executive can work from a sheet for a few weeks. Reading the same sheet twice
says nothing twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any, cast

from handraise.alerts.mail import Sheet
from handraise.errors import HandraiseError, InputError, NotFoundError
from handraise.handoffs.calls import RATINGS, reason_code
from handraise.ledger import calls
from handraise.ledger.store import Ledger
from handraise.playbook.schema import Playbook
from handraise.playbook.section import Language
from handraise.records.acting import Call, CallKind, Handoff
from handraise.service.amounts import amount_in
from handraise.service.calling import say
from handraise.service.inbox import InboxItem
from handraise.service.sheets import Cell, Column, cells_by, read_sheet

# What is shown, and what is to be filled in: own name → English, Chinese.
_SHOWN: dict[str, tuple[str, str]] = {
    "number": ("no.", "编号"),
    "priority": ("priority", "优先级"),
    "account": ("account", "账户"),
    "account_id": ("account_id", "账户 ID"),
    "whom": ("whom", "联系人"),
    "title": ("title", "职位"),
    "due": ("due (UTC)", "截止时间 (UTC)"),
    "because": ("why", "原因"),
}
_FILLED: dict[str, tuple[str, str]] = {
    "contacted": ("contacted on", "联系日期"),
    "replied": ("answered on", "回复日期"),
    "meeting": ("meeting on", "会面日期"),
    "opportunity": ("opportunity worth", "商机金额"),
    "outcome": ("outcome", "结果"),
    "reason": ("reason", "理由"),
    "amount": ("won amount", "成交金额"),
    "rating": ("useful? 1-5", "是否有用 1-5"),
    "note": ("note", "备注"),
}
_OUTCOMES: dict[str, tuple[str, str]] = {
    "accept": ("accepted", "接受"),
    "reject": ("rejected", "拒绝"),
    "won": ("won", "赢单"),
    "lost": ("lost", "输单"),
}
_WIDTHS = {"number": 6, "account": 26, "whom": 22, "title": 22, "due": 17, "because": 50, "note": 40}
_MOST_WORDS = 2000
FILE = "handraise-inbox.xlsx"
# In this order things happen.
_STEPS: tuple[CallKind, ...] = ("contacted", "replied", "meeting")


@dataclass(frozen=True, kw_only=True)
class Taken:
    """What became of one row of a filled sheet.

    Attributes:
        line: Of the file.
        handoff: Number; None = the row does not say.
        said: What was new, in order.
        refused: What was not understood, not allowed, or said otherwise before; empty = nothing.
    """

    line: int
    handoff: int | None
    said: tuple[str, ...]
    refused: str = ""


def columns_of(language: Language) -> list[Column]:
    """The columns of a sheet."""
    at = 0 if language == "en" else 1
    outcomes = tuple(names[at] for names in _OUTCOMES.values())
    choices = {"outcome": outcomes, "rating": tuple(map(str, RATINGS))}
    shown = [Column(heading=names[at], width=_WIDTHS.get(own, 12)) for own, names in _SHOWN.items()]
    filled = [
        Column(heading=names[at], width=_WIDTHS.get(own, 14), choices=choices.get(own, ()), to_fill=True)
        for own, names in _FILLED.items()
    ]
    return [*shown, *filled]


def rows_of(items: Iterable[InboxItem]) -> list[list[Cell]]:
    """A row for each handoff, with nothing filled in."""
    return [
        [
            one.handoff.id,
            one.handoff.priority,
            one.account_name or "",
            one.handoff.account_id,
            one.person_name or one.handoff.person_id or "",
            one.person_title or "",
            f"{one.handoff.due_at.astimezone(UTC):%Y-%m-%d %H:%M}" if one.handoff.due_at else "",
            "; ".join(one.because),
            *[None] * len(_FILLED),
        ]
        for one in items
    ]


def as_mail(content: bytes, handoffs: int, *, message_id: str, now: datetime) -> Sheet:
    """A sheet on its way to somebody's mailbox."""
    text = (
        f"{handoffs} handoffs, each with whom to talk to and why. Please fill in the yellow columns as things happen, and send "
        "the file back; you can send the same file again whenever there is more."
    )
    subject = f"Your inbox of {now:%Y-%m-%d}: {handoffs} handoffs"
    return Sheet(id=message_id, at=now, subject=subject, text=text, file_name=FILE, content=content)


def take_in(
    ledger: Ledger,
    file: Path,
    playbook: Playbook,
    *,
    by: str,
    now: datetime,
    progress: Callable[[float], None] | None = None,
) -> list[Taken]:
    """Say what a filled sheet says; a row that cannot be taken is told and keeps no other from being taken.

    Args:
        ledger: The project's.
        file: The sheet.
        playbook: Its rules, and who of the team is told.
        by: Whose words they are.
        now: Nothing can have happened later.
        progress: Called with the share that is done.

    Raises:
        InputError: The file cannot be read, or is no sheet of ours.
    """
    rows = read_sheet(file)
    if rows and not any(cells_by({"n": _SHOWN["number"]}, row)["n"] is not None for _, row in rows):
        raise InputError(
            "no column says which handoff a row is about.",
            where=str(file),
            todo=f"Keep the column {_SHOWN['number'][0]!r}.",
        )
    done = []
    for place, (line, row) in enumerate(rows, start=1):
        done.append(_take_row(ledger, line, cells_by(_SHOWN | _FILLED, row), playbook, by=by, now=now))
        if progress:
            progress(place / len(rows))
    return done


def _take_row(
    ledger: Ledger, line: int, cells: dict[str, Cell], playbook: Playbook, *, by: str, now: datetime
) -> Taken:
    number, said, changed = cells["number"], [], []
    if not any(cells[own] is not None for own in _FILLED):
        return Taken(line=line, handoff=number if isinstance(number, int) else None, said=())
    try:
        wanted = _whole_number(number, "no.")
        with ledger.reading() as connection:
            handoff = calls.find_handoff(connection, wanted)
            known = [one for one in calls.calls_of(connection, wanted) if one.undone_at is None]
        _check_account(cells["account_id"], handoff)
        for call in _calls(cells, handoff, by, now, playbook.handoffs.pricing.currency):
            earlier = [one for one in known if one.kind == call.kind]
            if not _is_known(call, earlier):
                say(ledger, wanted, call, playbook.handoffs, playbook, now=now)
                said.append(call.kind)
            elif not any(_agrees(call, one) for one in earlier):
                changed.append(_corrected(call, earlier[-1], wanted))
    except NotFoundError as error:
        return Taken(line=line, handoff=None, said=tuple(said), refused=error.what)
    except HandraiseError as error:
        refused = " ".join([*changed, str(error)])
        return Taken(line=line, handoff=_number_or_none(number), said=tuple(said), refused=refused)
    return Taken(line=line, handoff=wanted, said=tuple(said), refused=" ".join(changed))


def _is_known(call: Call, earlier: Sequence[Call]) -> bool:
    """Of notes and ratings the same words are the same; of everything else one of a kind is enough."""
    if call.kind == "note":
        return any(one.note == call.note for one in earlier)
    if call.kind == "rate":
        return any((one.signal, one.rating) == (call.signal, call.rating) for one in earlier)
    return bool(earlier)


def _agrees(call: Call, earlier: Call) -> bool:
    """Whether a sheet says again what was said; what it leaves out, it does not say otherwise."""
    if call.kind in _STEPS:
        return earlier.at.astimezone(UTC).date() == call.at.date()
    same_reason = call.reason is None or call.reason == reason_code(earlier.reason)
    return same_reason and call.amount in {None, earlier.amount}


def _corrected(call: Call, earlier: Call, number: int) -> str:
    """What is said otherwise than before, and what to do: a sheet that lay around may not overwrite what was said since."""
    if call.kind in _STEPS:
        before, after = f"{earlier.at.astimezone(UTC):%Y-%m-%d}", f"{call.at:%Y-%m-%d}"
    elif call.amount in {None, earlier.amount}:
        before, after = earlier.reason or "no reason", call.reason or ""
    else:
        before, after = "no amount" if earlier.amount is None else f"{earlier.amount:,.10g}", f"{call.amount:,.10g}"
    if call.kind == "opportunity":
        todo = f"`handraise handoff {number} opportunity --amount {call.amount:.15g}` says it anew."
    else:
        todo = f"If the sheet is right, `handraise handoff {number} undo` takes back what was said last; then take it in again."
    return str(InputError(f"{call.kind} was said before with {before}, not with {after}.", todo=todo))


def _check_account(cell: Cell, handoff: Handoff) -> None:
    """Refuse a row whose number is another row's: somebody sorted one column alone."""
    said, meant = "" if cell is None else str(cell).strip(), handoff.account_id.strip()
    if said in {"", meant} or _same_number(said, meant):
        return
    raise InputError(
        f"handoff {handoff.id} is about account {handoff.account_id!r}, and this row about {said!r}.",
        where=_SHOWN["account_id"][0],
        todo="Was a column sorted alone? Sort whole rows, or export the sheet anew.",
    )


def _same_number(one: str, other: str) -> bool:
    """Programs make 123 of an id 00123."""
    try:
        return float(one) == float(other)
    except ValueError:
        return False


def _calls(cells: dict[str, Cell], handoff: Handoff, by: str, now: datetime, currency: str | None) -> list[Call]:
    """What a row says, in the order in which things happen."""
    at = now
    made: list[Call] = []

    def add(kind: CallKind, when: datetime = now, **more: Any) -> None:
        made.append(Call(kind=kind, by=by, at=when, **more))

    outcome = _outcome(cells["outcome"])
    if cells["note"] is not None:
        add("note", note=_words(cells["note"], _FILLED["note"][0]))
    if outcome == "accept":
        add("accept")
    for step in _STEPS:
        if cells[step] is not None:
            at = _day(cells[step], _FILLED[step][0], handoff, now)
            add(step, at, channel="spreadsheet" if step == "contacted" else None)
    if cells["opportunity"] is not None:
        add("opportunity", at, amount=amount_in(cells["opportunity"], _FILLED["opportunity"][0], currency))
    if cells["rating"] is not None:
        rating = _whole_number(cells["rating"], _FILLED["rating"][0])
        for signal in sorted({one.trigger for one in handoff.reasons}):  # a sheet asks once for all of them
            add("rate", signal=signal, rating=rating)
    if outcome in {"reject", "lost", "won"}:
        amount = None if cells["amount"] is None else amount_in(cells["amount"], _FILLED["amount"][0], currency)
        reason = None if cells["reason"] is None else reason_code(_words(cells["reason"], _FILLED["reason"][0]))
        add(cast(CallKind, outcome), reason=reason, amount=amount if outcome == "won" else None)
    return made


def _words(cell: Cell, where: str) -> str:
    """As much as the API takes too."""
    text = str(cell).strip()
    if len(text) > _MOST_WORDS or "\0" in text:
        raise InputError(
            f"a text has {_MOST_WORDS:,} characters at most, and none of them is NUL; this one has {len(text):,}.",
            where=where,
            todo="Shorten it.",
        )
    return text


def _outcome(cell: Cell) -> str | None:
    if cell is None:
        return None
    text = str(cell).strip().casefold()
    for kind, names in _OUTCOMES.items():
        if text in {kind, *(name.casefold() for name in names)}:
            return kind
    known = ", ".join(names[0] for names in _OUTCOMES.values())
    raise InputError(f"{cell!r} is no outcome.", where=_FILLED["outcome"][0], todo=f"Choose {known}.")


def _day(cell: Cell, where: str, handoff: Handoff, now: datetime) -> datetime:
    """The beginning of a day, or when the handoff was made if that is later."""
    if isinstance(cell, date):
        day = cell
    else:
        try:
            day = date.fromisoformat(str(cell).replace("/", "-").replace(".", "-"))
        except ValueError:
            raise InputError(f"{cell!r} is no day.", where=where, todo="Write it as 2026-12-01.") from None
    if day > now.date():
        raise InputError(f"{day} is still to come.", where=where)
    return max(datetime.combine(day, time(), UTC), handoff.created_at)


def _whole_number(cell: Cell, where: str) -> int:
    found = _number_or_none(cell)
    if found is None:
        raise InputError(f"{'nothing' if cell is None else repr(cell)} is no number.", where=where)
    return found


def _number_or_none(cell: Cell) -> int | None:
    text = str(cell).strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 9 else None  # noqa: PLR2004 - fits the ledger
