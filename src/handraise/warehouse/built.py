"""Steps that were built once: kept in the process and in the data file, until the code that builds them changes."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pyarrow as pa

import handraise
from handraise.warehouse.engines.duckdb import DuckDBEngine
from handraise.warehouse.engines.protocol import Engine

_TABLE = "built_calls"
_COLUMNS = pa.schema([("key", pa.string()), ("place", pa.int64()), ("step", pa.string())])
# Of several processes and playbooks; each takes some hundred kilobytes.
_MOST_KEYS = 64
_IN_PROCESS: dict[str, tuple[BuiltStep, ...]] = {}


@dataclass(frozen=True, kw_only=True, slots=True)
class BuiltStep:
    """One statement of a recorded run.

    Attributes:
        name: The step's name, as `Step` has it.
        does: The engine's method.
        given: Its arguments: texts, lists of texts, and truths.
    """

    name: str
    does: str
    given: tuple[Any, ...]

    @property
    def sql(self) -> str:
        """What to quote when it fails."""
        return next((given for given in self.given[1:] if isinstance(given, str)), f"{self.does} {self.given[0]}")

    @property
    def as_text(self) -> str:
        """For the data file."""
        return json.dumps([self.name, self.does, self.given])

    @classmethod
    def of_text(cls, text: str) -> BuiltStep:
        """From the data file."""
        name, does, given = json.loads(text)
        return cls(name=name, does=does, given=tuple(given))


class BuiltSteps:
    """The steps behind a key, found again by every later process on the same DuckDB file.

    Other engines take longer than building does, so that for them this process alone remembers.
    """

    def __init__(self, engine: Engine) -> None:
        self._connection = engine.connection if isinstance(engine, DuckDBEngine) else None
        self._engine = engine.name

    def find(self, key: str) -> tuple[BuiltStep, ...]:
        """The steps of a key; none when it has not been built by this code."""
        full = _full(f"{self._engine} {key}")
        if full not in _IN_PROCESS and self._connection and self._has_table():
            sql = f"SELECT step FROM {_TABLE} WHERE key = '{full}' ORDER BY place"  # noqa: S608
            rows = self._connection.execute(sql).fetchall()
            _IN_PROCESS[full] = tuple(BuiltStep.of_text(text) for (text,) in rows)
        return _IN_PROCESS.get(full, ())

    def keep(self, key: str, steps: tuple[BuiltStep, ...], *, in_file: bool) -> None:
        """Remember the steps of a key, here and, if it may be written, in the file."""
        full = _full(f"{self._engine} {key}")
        _IN_PROCESS[full] = steps
        if not self._connection or not in_file:
            return
        columns = [
            pa.array([full] * len(steps), pa.string()),
            pa.array(range(len(steps)), pa.int64()),
            pa.array([step.as_text for step in steps], pa.string()),
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
        if not self._connection:
            return False
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
