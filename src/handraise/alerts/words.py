"""What messages say, in English and Chinese. Names come from strangers: they are brought to one short line of plain signs."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from handraise.records.alerting import AlertItem, AlertLanguage, AlertMessage

MOST_SHOWN = 5
_LONGEST = 120
_KINDS = {
    "created": {"en": "New handoff", "zh": "新的交接"},
    "joined": {"en": "Further reasons", "zh": "新增理由"},
    "assigned": {"en": "Assigned", "zh": "已分配"},
    "ended": {"en": "Ended", "zh": "已结束"},
    "reopened": {"en": "Open again", "zh": "重新打开"},
    "nurture": {"en": "Automated", "zh": "自动培育"},
}
_PRIORITIES = {
    "high": {"en": "high", "zh": "高优先级"},
    "medium": {"en": "medium", "zh": "中优先级"},
    "low": {"en": "low", "zh": "低优先级"},
}
_LANES = {
    "sales": {"en": "talk to", "zh": "联系"},
    "find_buyer": {"en": "find the buyer; users are not pitched", "zh": "寻找采购方；不向用户推销"},
    "top_down": {"en": "a lead without usage yet", "zh": "尚未使用产品的线索"},
    "self_serve": {"en": "nothing to do", "zh": "无需处理"},
}
_SAID = {
    "due": {"en": "due", "zh": "截止"},
    "owner": {"en": "owner", "zh": "负责人"},
    "queue": {"en": "queue", "zh": "队列"},
    "nobody": {"en": "nobody yet", "zh": "暂无"},
    "answer": {"en": "answer with", "zh": "回复命令"},
    "test": {
        "en": "A test from handraise: alerts arrive here.",
        "zh": "来自 handraise 的测试：提醒可以送达此处。",
    },
    "digest": {"en": "{count} handoffs", "zh": "{count} 条交接"},
    "more": {"en": "and {count} more reasons", "zh": "另有 {count} 条理由"},
}
_TYPED = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.@+-]{0,127}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """One line below the title.

    Attributes:
        label: Before a colon; empty = a reason, which has none.
        said: The text.
        is_command: It is ours, to be typed as it stands; of everything else, parts come from strangers.
    """

    label: str = ""
    said: str
    is_command: bool = False


def plain(text: str) -> str:
    """A name as one line without signs that act or hide: controls, line ends, marks that turn the order of letters."""
    spaced = "".join(" " if sign.isspace() else sign for sign in unicodedata.normalize("NFC", text))
    kept = "".join(sign for sign in spaced if unicodedata.category(sign)[0] != "C")
    whole = " ".join(kept.split())
    return whole if len(whole) <= _LONGEST else whole[: _LONGEST - 1] + "…"


def headline(message: AlertMessage) -> str:
    """What the message is about, in one line."""
    if not message.items:
        return _SAID["test"][message.language]
    if len(message.items) > 1:
        return _SAID["digest"][message.language].format(count=len(message.items))
    return title(message.items[0], message.language)


def title(item: AlertItem, language: AlertLanguage) -> str:
    """What happened to which account."""
    happened = _KINDS[happened_to(item)][language]
    urgency = _PRIORITIES[item.priority][language]
    mark = "" if item.object.startswith("decision") else f" {item.number}"
    stop = "：" if language == "zh" else ": "
    open_, close = ("（", "）") if language == "zh" else (" (", ")")
    return f"{happened}{mark}{stop}{plain(item.account_name or item.account_id)}{open_}{urgency}{close}"


def happened_to(item: AlertItem) -> str:
    """The one thing to say where several happened: what is new is new, unless it has ended or come back since."""
    last = item.kinds[-1] if item.kinds else "created"
    return "created" if "created" in item.kinds and last in {"joined", "assigned"} else last


def lines(item: AlertItem, message: AlertMessage) -> Iterator[Line]:
    """What stands below the title."""
    language = message.language
    lane = _LANES[item.lane][language]
    if item.closed_at is None:
        whom = [plain(part) for part in (item.person_name or item.person_id, item.person_title) if part]
        yield Line(said=f"{lane} {', '.join(whom)}" if item.lane == "sales" and whom else lane)
    reasons = item.because[:MOST_SHOWN]
    yield from (Line(said=f"• {plain(one)}") for one in reasons)
    if len(item.because) > len(reasons):
        yield Line(said=f"• {_SAID['more'][language].format(count=len(item.because) - len(reasons))}")
    if item.object.startswith("decision"):
        return
    yield Line(label=_SAID["owner"][language], said=plain(item.owner) if item.owner else _SAID["nobody"][language])
    if item.queue and not item.owner:
        yield Line(label=_SAID["queue"][language], said=plain(item.queue))
    if item.due_at and item.closed_at is None:
        yield Line(label=_SAID["due"][language], said=local_time(item.due_at, message.timezone))
    if item.closed_at is None:
        said = "accept" if item.owner else "claim"
        command = f"handraise handoff {item.number} {said} --by {_typed(item.owner)}"
        yield Line(label=_SAID["answer"][language], said=command, is_command=True)


def _typed(owner: str | None) -> str:
    """Whose words they are, as one types it; a name with anything else in it is left to the reader."""
    return owner if owner and _TYPED.fullmatch(owner) else "NAME"


def local_time(at: datetime, zone: str) -> str:
    """An instant on the clock of the destination."""
    return f"{at.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M} {zone}"


def text_of(message: AlertMessage) -> str:
    """The whole message as plain text."""
    if not message.items:
        return headline(message)
    return "\n\n".join(_text(item, message) for item in message.items)


def _text(item: AlertItem, message: AlertMessage) -> str:
    below = (f"  {one.label}: {one.said}" if one.label else f"  {one.said}" for one in lines(item, message))
    return "\n".join([title(item, message.language), *below])
