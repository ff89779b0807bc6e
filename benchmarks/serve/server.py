"""A server process on a project of its own: started as users start it, killed, stopped, and looked at from outside."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from handraise.errors import HandraiseError
from handraise.events.call_intake import Counts
from handraise.faces.cli.ask import ask
from handraise.service import questions
from handraise.service.folder import DATA_FOLDER, create_project

_MAIN = "from handraise.faces.cli.app import main; main()"
_AT = re.compile(r"at http://127\.0\.0\.1:(\d+)")
HOST = "127.0.0.1"
_SMALLEST_RECORD = 64  # a segment begins with less than that


def handraise(*arguments: object, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Run a command as users do, in a process of its own."""
    done = subprocess.run(  # noqa: S603 - fixed arguments
        [sys.executable, "-c", _MAIN, *map(str, arguments)], capture_output=True, text=True, check=False
    )
    if check and done.returncode:
        message = f"handraise {' '.join(map(str, arguments))} failed:\n{done.stdout}{done.stderr}"
        raise RuntimeError(message)
    return done


def new_project(folder: Path) -> str:
    """Make a project with one source; returns its write key."""
    create_project(folder)
    return str(json.loads(handraise("sources", "key", "web", "--project", folder, "--json").stdout)["write_key"])


class Server:
    """A server process; several can follow each other on one folder.

    Args:
        folder: The project's.
        program: What to run instead of `handraise serve`, with the project and the port as its options.
        before: Words in front of the command, such as a tracer.
        environment: More variables.
    """

    def __init__(
        self,
        folder: Path,
        *,
        program: Sequence[str] = ("-c", _MAIN, "serve"),
        before: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.folder, self.program, self.before = folder, tuple(program), tuple(before)
        self.environment = dict(environment or {})
        self.output = folder.with_name(f"{folder.name}.out")
        self.port = 0
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def process(self) -> subprocess.Popen[bytes]:
        """The process, which must have been started."""
        if self._process is None:
            message = "the server was not started"
            raise RuntimeError(message)
        return self._process

    @property
    def pid(self) -> int:
        """The server's own process, also when a tracer stands in front of it."""
        if not self.before:
            return self.process.pid
        owner = json.loads((self.folder / DATA_FOLDER / "server.json").read_text(encoding="utf-8"))
        return int(owner["pid"])

    def start(self, within: float = 60, *, port: int = 0) -> float:
        """Start it; returns the seconds until /health answered.

        Args:
            within: Seconds that it may take.
            port: 0 = any that is free.

        Raises:
            RuntimeError: It ended, or does not answer in time.
        """
        started = time.monotonic()
        self.output.write_bytes(b"")
        command = [*self.before, sys.executable, *self.program, "--project", str(self.folder), "--port", str(port)]
        with self.output.open("ab") as output:
            self._process = subprocess.Popen(  # noqa: S603 - fixed arguments
                command, stdout=output, stderr=output, stdin=subprocess.DEVNULL, env={**os.environ, **self.environment}
            )
        while time.monotonic() - started < within:
            if self._process.poll() is not None:
                break
            found = _AT.search(self.said())
            if found:
                self.port = int(found[1])
                if self.status("/health") == 200:  # noqa: PLR2004
                    return time.monotonic() - started
            time.sleep(0.01)
        message = f"the server did not start:\n{self.said()}"
        self.kill()
        raise RuntimeError(message)

    def said(self) -> str:
        """What it printed since its last start."""
        return self.output.read_text(encoding="utf-8", errors="replace")

    def kill(self) -> None:
        """End it at once, as the machine would."""
        if self._process and self._process.poll() is None:
            with contextlib.suppress(OSError, ValueError):
                os.kill(self.pid, signal.SIGKILL)
            if self.before:
                self._process.kill()
        self.process.wait()

    def stop(self, within: float = 30) -> int:
        """Ask it to stop; returns its exit status.

        Raises:
            TimeoutExpired: It does not; it is killed.
        """
        os.kill(self.pid, signal.SIGTERM)
        try:
            return self.process.wait(within)
        except subprocess.TimeoutExpired:
            self.kill()
            raise

    def is_alive(self) -> bool:
        """Whether the process runs."""
        return self.process.poll() is None

    def get(self, path: str, *, timeout: float = 30) -> tuple[int, bytes]:
        """Status and content of a page."""
        connection = http.client.HTTPConnection(HOST, self.port, timeout=timeout)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def status(self, path: str) -> int:
        """Status of a page; 0 where nothing answers."""
        try:
            return self.get(path)[0]
        except OSError:
            return 0

    def counts(self) -> dict[str, Counts]:
        """What became of what was sent, by source, as commands see it."""
        for _ in range(100):
            with contextlib.suppress(HandraiseError):
                return ask(self.folder, questions.ingest_counts)
            time.sleep(0.1)
        return ask(self.folder, questions.ingest_counts)

    def settled(self, source: str = "web", *, stored: int = 0, refused: int = 0, within: float = 120) -> Counts:
        """The counts of a source once everything that is in the log has been taken in.

        Args:
            source: Whose.
            stored: So many different events at least have to be accepted.
            refused: So many have to be counted as refused.
            within: Seconds; then the counts are returned as they are.
        """
        ends, before = time.monotonic() + within, None
        while True:
            counts = self.counts().get(source, Counts())
            enough = counts.accepted >= stored and counts.refused >= refused and self.behind() < _SMALLEST_RECORD
            if time.monotonic() > ends or (enough and counts == before):
                return counts
            before = counts
            time.sleep(0.7)

    def behind(self) -> int:
        """Bytes of the log that are still to be taken in."""
        return int(json.loads(self.get("/health")[1]).get("behind", 0))

    def memory(self) -> int:
        """Bytes that it has now."""
        return self._status_line("VmRSS")

    def peak_memory(self) -> int:
        """Most bytes that it had since its start, or since `forget_peak`."""
        return self._status_line("VmHWM")

    def forget_peak(self) -> None:
        """Let `peak_memory` begin anew."""
        Path(f"/proc/{self.pid}/clear_refs").write_text("5", encoding="ascii")

    def open_files(self) -> int:
        """How many descriptors it has."""
        return len(list(Path(f"/proc/{self.pid}/fd").iterdir()))

    def cpu_seconds(self) -> float:
        """CPU time that it has used."""
        return cpu_seconds(self.pid)

    def _status_line(self, name: str) -> int:
        status = Path(f"/proc/{self.pid}/status").read_text(encoding="utf-8")
        (line,) = (line for line in status.splitlines() if line.startswith(f"{name}:"))
        return int(line.split()[1]) * 1024


def cpu_seconds(pid: int) -> float:
    """CPU time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextlib.contextmanager
def serving(server: Server) -> Iterator[Server]:
    """The server, started, and killed at the end if it still runs then."""
    server.start()
    try:
        yield server
    finally:
        server.kill()


def stored_ids(folder: Path) -> dict[str, int]:
    """Event id → how often it is stored, of a project that nobody serves."""
    import duckdb

    with duckdb.connect(str(folder / DATA_FOLDER / "warehouse.duckdb"), read_only=True) as connection:
        rows: list[tuple[Any, ...]] = connection.execute("SELECT event_id, count(*) FROM events GROUP BY 1").fetchall()
    return {str(name): int(count) for name, count in rows}
