"""What the commands about serving do."""

from __future__ import annotations

import os
import secrets
from datetime import timedelta
from pathlib import Path
from typing import Any

from handraise.errors import NotFoundError
from handraise.events.call_intake import Counts
from handraise.faces.cli import show
from handraise.faces.cli.ask import ask
from handraise.faces.cli.days import right_now
from handraise.faces.cli.who import actor
from handraise.ledger import api_keys as programs
from handraise.ledger import keys
from handraise.service import questions
from handraise.service.ledgers import new_webhook, new_write_key, open_ledger

_COUNTS = ("received", "accepted", "duplicate", "quarantined", "refused")


def sources(folder: Path, *, as_json: bool) -> None:
    """`handraise sources`."""
    with open_ledger(folder, os.environ) as ledger, ledger.reading() as connection:
        known, made = keys.list_sources(connection), keys.list_write_keys(connection)
    counts = ask(folder, questions.ingest_counts)
    names = sorted({source.id for source in known} | counts.keys())
    if as_json:
        show.print_json(
            [
                {
                    "source": name,
                    **vars(counts.get(name, Counts())),
                    "keys": [_key(k) for k in made if k.source_id == name],
                }
                for name in names
            ]
        )
        return
    if not names:
        show.say("There is no source yet. `handraise sources key NAME` makes one, and a write key for it.")
        return
    rows = [[name, *(f"{getattr(counts.get(name, Counts()), one):,}" for one in _COUNTS)] for name in names]
    show.table("What became of what was sent", [("source", "left"), *((one, "right") for one in _COUNTS)], rows)
    shown = [
        [k.id, k.source_id, f"{k.prefix}…", f"{k.created_at:%Y-%m-%d}", "revoked" if k.revoked_at else ""] for k in made
    ]
    show.say("")
    show.table("Write keys", [("key", "right"), *((c, "left") for c in ("source", "begins", "made", ""))], shown)


def _key(key: keys.WriteKey) -> dict[str, Any]:
    return {"key": key.id, "begins": key.prefix, "made": key.created_at, "revoked": key.revoked_at}


def sources_key(folder: Path, source: str, *, as_json: bool) -> None:
    """`handraise sources key`."""
    with open_ledger(folder, os.environ) as ledger:
        made = new_write_key(ledger, source, actor=actor(), now=right_now(), random=secrets.token_bytes)
    if as_json:
        show.print_json({"source": source, "key": made.id, "write_key": made.plain})
        return
    show.say(made.plain)
    show.hint(
        f"Write key {made.id} of the source {source!r}. It is not shown again: put it where your tracking library reads it."
    )


def sources_webhook(folder: Path, source: str, *, as_json: bool) -> None:
    """`handraise sources webhook`."""
    with open_ledger(folder, os.environ) as ledger:
        secret = new_webhook(ledger, source, actor=actor(), now=right_now(), random=secrets.token_bytes)
    if as_json:
        show.print_json({"source": source, "path": f"/webhooks/{source}", "secret": secret})
        return
    show.say(secret)
    show.hint(
        f"Sign with it what you send to /webhooks/{source}. It is not shown again, and one made before works no more."
    )


def sources_revoke(folder: Path, key: int) -> None:
    """`handraise sources revoke`."""
    with open_ledger(folder, os.environ) as ledger, ledger.transaction() as connection:
        if not keys.revoke_write_key(connection, key, actor=actor(), now=right_now()):
            raise _no_key(key, "sources")
    show.say(f"Write key {key} lets nothing in any more.")


def api_keys(folder: Path, *, as_json: bool) -> None:
    """`handraise api-keys`."""
    with open_ledger(folder, os.environ) as ledger, ledger.reading() as connection:
        made = programs.list_api_keys(connection)
    if as_json:
        show.print_json(list(made))
        return
    if not made:
        show.say("There is no key yet. `handraise api-keys add NAME` makes one.")
        return
    rows = [[k.id, k.name, f"{k.prefix}…", ", ".join(k.scopes), _state(k)] for k in made]
    show.table(
        "Keys of the REST API", [("key", "right"), *((c, "left") for c in ("name", "begins", "scopes", ""))], rows
    )


def _state(key: programs.ApiKey) -> str:
    if key.revoked_at:
        return "revoked"
    return f"until {key.expires_at:%Y-%m-%d %H:%M}Z" if key.expires_at else ""


def api_keys_add(folder: Path, name: str, scopes: list[str], days: int | None, *, as_json: bool) -> None:
    """`handraise api-keys add`."""
    now = right_now()
    wanted = programs.ApiKeyRequest(name=name, scopes=scopes, expires_at=now + timedelta(days=days) if days else None)
    with open_ledger(folder, os.environ) as ledger, ledger.transaction() as connection:
        made = programs.create_api_key(connection, wanted, actor=actor(), now=now, random=secrets.token_bytes)
    if as_json:
        show.print_json({"key": made.id, "api_key": made.plain, "scopes": sorted(set(scopes))})
        return
    show.say(made.plain)
    show.hint(f"Key {made.id} for {name!r}, may {', '.join(sorted(set(scopes)))}. It is not shown again.")


def api_keys_revoke(folder: Path, key: int) -> None:
    """`handraise api-keys revoke`."""
    with open_ledger(folder, os.environ) as ledger, ledger.transaction() as connection:
        if not programs.revoke_api_key(connection, key, actor=actor(), now=right_now()):
            raise _no_key(key, "api-keys")
    show.say(f"Key {key} works no more.")


def _no_key(key: int, command: str) -> NotFoundError:
    return NotFoundError(f"there is no key {key} that works.", todo=f"`handraise {command}` lists them.")
