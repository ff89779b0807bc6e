"""Where a project's ledger is, and what faces do with it in one step."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path

from handraise.ledger import keys, suppression, webhooks
from handraise.ledger.store import FILE_NAME, Ledger
from handraise.service.folder import DATA_FOLDER, check_is_project, make_data_folder

ADDRESS = "HANDRAISE_LEDGER"


@contextlib.contextmanager
def open_ledger(folder: Path, environment: Mapping[str, str]) -> Iterator[Ledger]:
    """A project's ledger: the database that `HANDRAISE_LEDGER` names, else a file beside its data.

    Raises:
        ProjectError: The folder is not a project.
        LedgerError: The ledger cannot be opened.
    """
    check_is_project(folder)
    make_data_folder(folder / DATA_FOLDER)
    address = environment.get(ADDRESS, "")
    ledger = Ledger.open(address or folder / DATA_FOLDER / FILE_NAME)
    try:
        yield ledger
    finally:
        ledger.close()


def valid_keys(ledger: Ledger) -> dict[str, str]:
    """Hash → source of every write key that may be used."""
    with ledger.reading() as connection:
        return keys.valid_write_keys(connection)


def keys_version(ledger: Ledger) -> int:
    """Changes whenever a key or a source does."""
    with ledger.reading() as connection:
        return keys.keys_version(connection)


def new_write_key(
    ledger: Ledger, source_id: str, *, actor: str, now: datetime, random: Callable[[int], bytes]
) -> keys.NewKey:
    """A key for a source, which is made if it is not there; the only time that the key is shown.

    Raises:
        LedgerError: The source is disabled, or its name cannot be one.
    """
    with ledger.transaction() as connection:
        keys.ensure_source(connection, source_id, actor=actor, now=now)
        return keys.create_write_key(connection, source_id, actor=actor, now=now, random=random)


def erased_of(ledger: Ledger, ids: set[str]) -> set[str]:
    """Those of some ids and addresses whose people were erased; costs nothing while nobody was."""
    if not ids:
        return set()
    with ledger.reading() as connection:
        if not suppression.count_suppressed(connection)["erasure"]:
            return set()
        return suppression.is_suppressed(connection, ids)


def suppress(
    ledger: Ledger,
    ids: Iterable[str],
    reason: str,
    *,
    actor: str,
    now: datetime,
    random: Callable[[int], bytes],
) -> int:
    """Ask nobody to write to these people any more; returns how many it was new for.

    Raises:
        LedgerError: There is no such reason.
    """
    with ledger.transaction() as connection:
        return suppression.suppress(connection, ids, reason=reason, actor=actor, now=now, random=random)


def allow_again(ledger: Ledger, ids: Iterable[str], reason: str, *, actor: str, now: datetime) -> int:
    """Take back a suppression for one reason; returns for how many there was one.

    Raises:
        LedgerError: An erasure cannot be taken back.
    """
    with ledger.transaction() as connection:
        return suppression.allow_again(connection, ids, reason=reason, actor=actor, now=now)


def secret_of(ledger: Ledger, source_id: str) -> bytes | None:
    """What a source signs its webhooks with; None = it sends none."""
    with ledger.reading() as connection:
        return webhooks.webhook_secret(connection, source_id)


def new_webhook(ledger: Ledger, source_id: str, *, actor: str, now: datetime, random: Callable[[int], bytes]) -> str:
    """The secret of a source's webhooks, the only time that it is shown; one that it had before works no longer."""
    with ledger.transaction() as connection:
        return webhooks.create_webhook(connection, source_id, actor=actor, now=now, random=random)
