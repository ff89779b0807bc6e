"""What the commands about alerts do."""

from __future__ import annotations

import json
import os
import secrets
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.text import Text

from handraise.alerts.protocol import Reach
from handraise.faces.cli import show
from handraise.faces.cli.ask import is_served
from handraise.faces.cli.days import right_now
from handraise.faces.cli.who import actor
from handraise.ledger.outbox import Entry, Holder
from handraise.playbook.load import FILE_NAME, load_playbook
from handraise.playbook.schema import Playbook
from handraise.playbook.section import Language
from handraise.records.alerting import AlertItem
from handraise.service import alert_desk
from handraise.service.alert_desk import DestinationShown
from handraise.service.alerting import alert_items
from handraise.service.delivering import Deliverer, World
from handraise.service.ledgers import open_ledger
from handraise.service.project import open_project
from handraise.service.wire import encode

_STYLE = {"paused": "bold red", "lacking": "bold red", "gone": "yellow", "resting": "yellow"}
_COUNTS = ("waiting", "sent", "dead", "unsure")
_HOW = "Add one under `alerts` in handraise.yaml; docs/alerts.md shows how."


def _playbook(folder: Path) -> Playbook:
    return load_playbook(folder / FILE_NAME).playbook


def _reach() -> Reach:
    return Reach(environment=os.environ)


def alerts(folder: Path, *, as_json: bool) -> None:
    """`handraise alerts`."""
    with open_ledger(folder, os.environ) as ledger:
        found = alert_desk.destinations(ledger, _playbook(folder), _reach(), right_now())
    if as_json:
        show.print_json(json.loads(encode(found)))
        return
    if not found:
        show.say(f"The team is told nothing yet. {_HOW}")
        return
    rows = [
        [
            one.name,
            one.kind or "",
            Text(one.state, style=_STYLE.get(one.state, "")),
            *(getattr(one.standing, name) for name in _COUNTS),
            _why(one),
        ]
        for one in found
    ]
    columns = [(c, "left") for c in ("destination", "kind", "state")]
    columns += [*((c, "right") for c in _COUNTS), ("", "left")]
    show.table("Alerts", columns, rows)


def _why(one: DestinationShown) -> str:
    if one.missing:
        return f"{', '.join(one.missing)} is not set here"
    if one.state == "paused":
        return f"{one.standing.paused_because} `handraise alerts resume {one.name}` goes on."
    if one.state == "resting" and one.standing.not_before:
        return f"until {one.standing.not_before:%Y-%m-%d %H:%M:%S}Z"
    return "the playbook does not have it any more" if one.state == "gone" else ""


def test(folder: Path, name: str, *, as_json: bool) -> bool:
    """`handraise alerts test`; whether it was taken."""
    message = f"msg_test_{secrets.token_hex(12)}"
    outcome = alert_desk.send_test(_playbook(folder), name, _reach(), message_id=message, now=right_now())
    if as_json:
        show.print_json(outcome)
    elif outcome.kind == "sent":
        show.say(f"{name} took the test message. {outcome.said}".rstrip())
    else:
        show.say(f"{name} did not take the test message ({outcome.kind}): {outcome.said}")
    return outcome.kind == "sent"


def send(folder: Path, *, as_json: bool) -> None:
    """`handraise alerts send`."""
    if is_served(folder):
        if as_json:
            show.print_json({})
        show.hint("The server of this project sends them by itself. `handraise alerts` shows how far it is.")
        return
    with open_project(folder, environment=os.environ) as project, open_ledger(folder, os.environ) as ledger:
        asking = (
            threading.Lock()
        )  # destinations are sent to beside each other, and an open project answers one at a time

        def look_up(objects: Sequence[str], language: Language) -> Mapping[str, AlertItem]:
            with asking:
                return alert_items(project, ledger, objects, language, right_now())

        world = World(
            playbook=lambda: project.loaded.playbook,
            look_up=look_up,
            reach=_reach(),
            now=right_now,
            chance=secrets.SystemRandom().random,
            holder=Holder(name=f"command {os.getpid()} {secrets.token_hex(4)}"),
            failed=lambda destination, outcome: show.hint(f"{destination}: {outcome.kind}, {outcome.said}"),
        )
        counts = Deliverer(ledger, world).run_until_done().counts
    if as_json:
        show.print_json(dict(counts))
        return
    rest = {kind: count for kind, count in counts.items() if kind != "sent"}
    show.say(f"Sent {counts['sent']:,} messages.")
    if rest:
        show.say(f"Not sent: {', '.join(f'{count:,} {kind}' for kind, count in sorted(rest.items()))}.")


def dead(folder: Path, *, limit: int, as_json: bool) -> None:
    """`handraise alerts dead`."""
    with open_ledger(folder, os.environ) as ledger:
        found = alert_desk.undelivered(ledger, limit=limit)
    if as_json:
        show.print_json(json.loads(encode(found)))
        return
    if not found:
        show.say("Every message arrived, or still waits.")
        return
    columns = [("id", "right"), *((c, "left") for c in ("destination", "about", "state", "tried", "because"))]
    show.table("Messages that did not arrive", columns, [_row(one) for one in found])


def _row(one: Entry) -> list[object]:
    state = "may have arrived" if one.status == "unsure" else "will not be taken"
    tried = f"{one.attempts}×, last {one.tried_at:%Y-%m-%d %H:%M}Z" if one.tried_at else ""
    return [one.id, one.destination, one.object, state, tried, one.error]


def replay(folder: Path, numbers: Sequence[int] | None) -> None:
    """`handraise alerts replay`."""
    with open_ledger(folder, os.environ) as ledger:
        sent = alert_desk.replay(ledger, numbers, actor=actor(), now=right_now())
    show.say(f"{sent:,} messages wait to be sent again.")


def resume(folder: Path, name: str) -> None:
    """`handraise alerts resume`."""
    with open_ledger(folder, os.environ) as ledger:
        alert_desk.resume(ledger, _playbook(folder), name, actor=actor(), now=right_now())
    show.say(f"{name} is sent to again.")
