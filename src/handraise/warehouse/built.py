"""SQL that was built once: kept in the process and in the data file, until the code that builds it changes."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path

import duckdb
import pyarrow as pa

import handraise

_TABLE = "built_steps"
_COLUMNS = pa.schema(
    [("key", pa.string()), ("place", pa.int64()), ("name", pa.string()), ("sql", pa.string()), ("is_view", pa.bool_())]
)
# Of several processes and playbooks; each takes some hundred kilobytes.
_MOST_KEYS = 64
_IN_PROCESS: dict[str, tuple[BuiltStep, ...]] = {}


@dataclass(frozen=True, kw_only=True, slots=True)
class BuiltStep:
    """One statement of a recorded run.

    Attributes:
        name: The step's name, as `Step` has it.
        sql: What the engine is told.
        is_view: Whether it makes a view of that name.
    """

    name: str
    sql: str
    is_view: bool


class BuiltSteps:
    """The statements behind a key, found again by every later process on the same data file."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection

    def find(self, key: str) -> tuple[BuiltStep, ...]:
        """The steps of a key; none when it has not been built by this code."""
        full = _full(key)
        if full not in _IN_PROCESS and self._has_table():
            sql = f"SELECT name, sql, is_view FROM {_TABLE} WHERE key = '{full}' ORDER BY place"  # noqa: S608
            rows = self._connection.execute(sql).fetchall()
            _IN_PROCESS[full] = tuple(BuiltStep(name=n, sql=s, is_view=v) for n, s, v in rows)
        return _IN_PROCESS.get(full, ())

    def keep(self, key: str, steps: tuple[BuiltStep, ...], *, in_file: bool) -> None:
        """Remember the steps of a key, here and, if it may be written, in the file."""
        full = _full(key)
        _IN_PROCESS[full] = steps
        if not in_file:
            return
        columns = [
            pa.array([full] * len(steps), pa.string()),
            pa.array(range(len(steps)), pa.int64()),
            pa.array([step.name for step in steps], pa.string()),
            pa.array([step.sql for step in steps], pa.string()),
            pa.array([step.is_view for step in steps], pa.bool_()),
        ]
        self._connection.register("built_now", pa.table(columns, schema=_COLUMNS))
        if not self._has_table():
            self._connection.execute(f"CREATE TABLE {_TABLE} AS FROM built_now LIMIT 0")
        (keys,) = self._connection.execute(f"SELECT count(DISTINCT key) FROM {_TABLE}").fetchall()[0]  # noqa: S608
        gone = "true" if keys >= _MOST_KEYS else f"key = '{full}' OR NOT starts_with(key, '{_code()}')"
        self._connection.execute(f"DELETE FROM {_TABLE} WHERE {gone}")  # noqa: S608
        self._connection.execute(f"INSERT INTO {_TABLE} FROM built_now")
        self._connection.unregister("built_now")

    def _has_table(self) -> bool:
        sql = f"SELECT count(*) FROM duckdb_tables() WHERE table_name = '{_TABLE}'"  # noqa: S608
        return bool(self._connection.execute(sql).fetchall()[0][0])


def _full(key: str) -> str:
    return f"{_code()} {hashlib.sha256(key.encode()).hexdigest()}"


@cache
def _code() -> str:
    """Changes with any file of this package, and with the libraries that turn expressions into SQL."""
    folder = Path(handraise.__file__).parent
    files = [(str(file.relative_to(folder)), file.stat()) for file in sorted(folder.rglob("*.py"))]
    parts = [f"{name} {found.st_mtime_ns} {found.st_size}" for name, found in files]
    parts += [f"{library} {version(library)}" for library in ("ibis-framework", "sqlglot", "duckdb")]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]
