"""Sources and keys: who is let in, and how a cache learns that this changed."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import text

from handraise.errors import LedgerError
from handraise.ledger.api_keys import (
    ApiKey,
    ApiKeyRequest,
    api_key_of,
    create_api_key,
    list_api_keys,
    note_api_key_use,
    revoke_api_key,
)
from handraise.ledger.audit import list_audit, verify
from handraise.ledger.keys import (
    Source,
    WriteKey,
    create_source,
    create_write_key,
    disable_source,
    key_hash,
    keys_version,
    list_sources,
    list_write_keys,
    revoke_write_key,
    source_of_key,
    valid_write_keys,
)
from handraise.ledger.store import Ledger
from ledger.clock import NOW, chance, later


@pytest.fixture
def web(ledger: Ledger) -> str:
    """The key of a source `web`."""
    with ledger.transaction() as connection:
        create_source(connection, source_id="web", name="Web", actor="cli", now=NOW)
        return create_write_key(connection, "web", actor="cli", now=NOW, random=chance()).plain


def test_sources_are_listed_as_they_were_made(ledger: Ledger) -> None:
    with ledger.transaction() as connection:
        made = [create_source(connection, source_id=one, name="N", actor="cli", now=NOW) for one in ("web", "app-2")]
        assert made[0] == Source(id="web", name="N", created_at=NOW, disabled_at=None)
        assert list_sources(connection) == (made[1], made[0])


@pytest.mark.parametrize("source_id", ["", "Web", "a b", "-a", "a/b", "é", "a" * 64])
def test_an_id_of_a_source_that_is_no_slug_is_refused(ledger: Ledger, source_id: str) -> None:
    with pytest.raises(LedgerError, match="cannot be the id"), ledger.transaction() as connection:
        create_source(connection, source_id=source_id, name="N", actor="cli", now=NOW)


def test_an_id_of_a_source_is_taken_once(ledger: Ledger, web: str) -> None:
    with pytest.raises(LedgerError, match="already"), ledger.transaction() as connection:
        create_source(connection, source_id="web", name="Other", actor="cli", now=NOW)
    with ledger.reading() as connection:
        assert source_of_key(connection, web) == "web"


def test_a_write_key_is_shown_once_and_kept_as_a_hash(ledger: Ledger) -> None:
    with ledger.transaction() as connection:
        create_source(connection, source_id="web", name="Web", actor="cli", now=NOW)
        new = create_write_key(connection, "web", actor="cli", now=NOW, random=chance())
        assert re.fullmatch(r"hrw_[A-Za-z0-9_-]{32}", new.plain)
        assert new.plain not in repr(new)
        [key] = list_write_keys(connection, "web")
        assert key == WriteKey(id=new.id, source_id="web", prefix=new.plain[:8], created_at=NOW, revoked_at=None)
        assert valid_write_keys(connection) == {key_hash(new.plain): "web"}
        stored = str(connection.execute(text("SELECT * FROM write_keys")).all())
        assert new.plain[8:] not in stored


def test_each_key_is_another(ledger: Ledger, web: str) -> None:
    random = chance("other")
    with ledger.transaction() as connection:
        keys = {create_write_key(connection, "web", actor="cli", now=NOW, random=random).plain for _ in range(20)}
        assert len(keys | {web}) == 21
        assert len(valid_write_keys(connection)) == len(list_write_keys(connection)) == 21


@pytest.mark.parametrize("shown", ["", "hrw_", "hrw_x", "\0", "\ud800", "' OR 1=1 --"])
def test_an_unknown_key_lets_nothing_in(ledger: Ledger, web: str, shown: str) -> None:
    with ledger.reading() as connection:
        assert source_of_key(connection, web) == "web"
        assert source_of_key(connection, web.upper()) is None
        assert source_of_key(connection, shown) is None
        assert api_key_of(connection, shown, NOW) is None


def test_a_revoked_key_lets_nothing_in(ledger: Ledger, web: str) -> None:
    with ledger.transaction() as connection:
        [key] = list_write_keys(connection)
        assert revoke_write_key(connection, key.id, actor="cli", now=later(hours=1))
        assert source_of_key(connection, web) is None
        assert valid_write_keys(connection) == {}
        assert list_write_keys(connection)[0].revoked_at == later(hours=1)
        assert not revoke_write_key(connection, key.id, actor="cli", now=later(hours=2))
        assert list_write_keys(connection)[0].revoked_at == later(hours=1)


def test_keys_of_a_disabled_source_let_nothing_in(ledger: Ledger, web: str) -> None:
    with ledger.transaction() as connection:
        assert disable_source(connection, "web", actor="cli", now=later(hours=1))
        assert not disable_source(connection, "web", actor="cli", now=later(hours=2))
        assert list_sources(connection)[0].disabled_at == later(hours=1)
        assert (source_of_key(connection, web), valid_write_keys(connection)) == (None, {})
    with pytest.raises(LedgerError, match="disabled"), ledger.transaction() as connection:
        create_write_key(connection, "web", actor="cli", now=NOW, random=chance("other"))


def test_a_source_that_is_not_there_has_no_keys(ledger: Ledger) -> None:
    with pytest.raises(LedgerError, match="no source 'web'"), ledger.transaction() as connection:
        create_write_key(connection, "web", actor="cli", now=NOW, random=chance())
    with pytest.raises(LedgerError, match="no source 'web'"), ledger.transaction() as connection:
        disable_source(connection, "web", actor="cli", now=NOW)


def test_every_change_to_keys_raises_the_version_that_a_cache_looks_at(ledger: Ledger) -> None:
    seen = []

    def look() -> None:
        with ledger.reading() as connection:
            seen.append(keys_version(connection))

    look()
    with ledger.transaction() as connection:
        create_source(connection, source_id="web", name="Web", actor="cli", now=NOW)
    look()
    with ledger.transaction() as connection:
        write_key = create_write_key(connection, "web", actor="cli", now=NOW, random=chance())
    look()
    with ledger.transaction() as connection:
        revoke_write_key(connection, write_key.id, actor="cli", now=NOW)
    look()
    with ledger.transaction() as connection:
        disable_source(connection, "web", actor="cli", now=NOW)
    look()
    with ledger.transaction() as connection:
        wanted = ApiKeyRequest(name="N", scopes=["read"])
        api_key = create_api_key(connection, wanted, actor="cli", now=NOW, random=chance())
    look()
    with ledger.transaction() as connection:
        revoke_api_key(connection, api_key.id, actor="cli", now=NOW)
    look()
    assert seen == [0, 1, 2, 3, 4, 5, 6]
    with ledger.transaction() as connection:
        revoke_api_key(connection, api_key.id, actor="cli", now=NOW)
    look()
    assert seen[-1] == 6


def test_a_key_of_the_api_says_what_it_may_do(ledger: Ledger) -> None:
    wanted = ApiKeyRequest(name="BI", scopes=["write", "read", "read"], expires_at=later(days=30))
    with ledger.transaction() as connection:
        new = create_api_key(connection, wanted, actor="cli", now=NOW, random=chance())
        assert re.fullmatch(r"hra_[A-Za-z0-9_-]{32}", new.plain)
        expected = ApiKey(
            id=new.id,
            name="BI",
            prefix=new.plain[:8],
            scopes=("read", "write"),
            created_at=NOW,
            expires_at=later(days=30),
            revoked_at=None,
            last_used_at=None,
        )
        assert api_key_of(connection, new.plain, NOW) == expected
        assert list_api_keys(connection) == (expected,)


def test_a_key_of_the_api_works_until_it_expires(ledger: Ledger) -> None:
    wanted = ApiKeyRequest(name="BI", scopes=["read"], expires_at=later(days=30))
    with ledger.transaction() as connection:
        plain = create_api_key(connection, wanted, actor="cli", now=NOW, random=chance()).plain
        last = later(days=30) - timedelta(microseconds=1)
        assert api_key_of(connection, plain, last)
        assert api_key_of(connection, plain, later(days=30)) is None


def test_a_revoked_key_of_the_api_works_no_longer(ledger: Ledger) -> None:
    with ledger.transaction() as connection:
        wanted = ApiKeyRequest(name="BI", scopes=["admin"])
        new = create_api_key(connection, wanted, actor="cli", now=NOW, random=chance())
        assert revoke_api_key(connection, new.id, actor="cli", now=later(hours=1))
        assert api_key_of(connection, new.plain, NOW) is None
        assert list_api_keys(connection)[0].revoked_at == later(hours=1)


@pytest.mark.parametrize(
    "wanted",
    [
        ApiKeyRequest(name="N", scopes=[]),
        ApiKeyRequest(name="N", scopes=["read", "everything"]),
        ApiKeyRequest(name="N", scopes=["read"], expires_at=NOW),
    ],
)
def test_a_key_without_a_scope_that_exists_or_without_time_left_is_refused(
    ledger: Ledger, wanted: ApiKeyRequest
) -> None:
    with pytest.raises(LedgerError), ledger.transaction() as connection:
        create_api_key(connection, wanted, actor="cli", now=NOW, random=chance())


def test_the_use_of_a_key_is_noted_once_an_hour(ledger: Ledger) -> None:
    with ledger.transaction() as connection:
        new = create_api_key(
            connection, ApiKeyRequest(name="N", scopes=["read"]), actor="cli", now=NOW, random=chance()
        )
        minutes = [0, 1, 59, 60, 61]
        noted = [note_api_key_use(connection, new.id, now=later(minutes=minute)) for minute in minutes]
        assert noted == [True, False, False, True, False]
        assert list_api_keys(connection)[0].last_used_at == later(minutes=60)


def test_changes_to_sources_and_keys_are_in_the_audit_trail_without_the_keys(ledger: Ledger, web: str) -> None:
    with ledger.transaction() as connection:
        revoke_write_key(connection, list_write_keys(connection)[0].id, actor="user 3", now=later(hours=1))
        disable_source(connection, "web", actor="cli", now=NOW)
        wanted = ApiKeyRequest(name="ada@example.com", scopes=["read"])
        api_key = create_api_key(connection, wanted, actor="cli", now=NOW, random=chance())
        revoke_api_key(connection, api_key.id, actor="cli", now=NOW)
        rows = list_audit(connection)
    told = [(row.action, row.object, row.actor) for row in reversed(rows)]
    assert told == [
        ("source.create", "source web", "cli"),
        ("write_key.create", "write_key 1", "cli"),
        ("write_key.revoke", "write_key 1", "user 3"),
        ("source.disable", "source web", "cli"),
        ("api_key.create", "api_key 1", "cli"),
        ("api_key.revoke", "api_key 1", "cli"),
    ]
    assert web not in str(rows)
    assert api_key.plain not in str(rows)
    assert verify(ledger).rows == 6
