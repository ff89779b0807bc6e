"""The outbox against a receiver that fails: python -m benchmarks.outbox [--changes N] [--kills N].

A process that changes handoffs, one that delivers and is killed again and again, and a real HTTP receiver of which four answers
in ten are faults. Time runs faster, for all three alike, so that waits of hours pass in seconds. At the end, what the receiver
holds is compared with the ledger.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from sqlalchemy import update
from standardwebhooks.webhooks import Webhook as Signer

from handraise.alerts.protocol import Reach
from handraise.ledger import acting, outbox
from handraise.ledger.outbox import Holder
from handraise.ledger.schema import handoffs
from handraise.ledger.store import Ledger
from handraise.net.limits import Limits
from handraise.playbook.load import parse_playbook
from handraise.playbook.schema import Playbook
from handraise.records.acting import Decision, Reason
from handraise.records.alerting import AlertItem
from handraise.service.alerting import tell_change
from handraise.service.delivering import Deliverer, World

SPEED = 600.0  # seconds that pass in one, unless said otherwise
SECRET = "whsec_c2VjcmV0IG9mIGEgYmVuY2htYXJr"  # noqa: S105 - of no real receiver
_DEADLINE = 0.6  # real seconds of one request
_IN_TIME = 0.2  # what was answered within so many real seconds has been heard
_LEASE = 3.0  # real seconds
_SHARE = 0.4
_MOST_FAULTS = 6  # of one message; ten in a row would rightly make it a dead letter
_POISON = 0.02
_PAUSE = 0.04  # real seconds between two transactions of changes
_FAULTS = ("500", "reset before", "reset after", "slow", "429", "503", "401")
_BEGAN = datetime(2026, 11, 2, 9, tzinfo=UTC)


def clock(started: float, speed: float) -> Callable[[], datetime]:
    """A clock that began at an instant of the monotonic clock and runs fast; the same in every process."""
    return lambda: _BEGAN + timedelta(seconds=(time.monotonic() - started) * speed)


def playbook_for(port: int) -> Playbook:
    """The template with one destination."""
    text = f"""
version: 1
alerts:
  destinations:
    crm:
      kind: webhook
      url: http://127.0.0.1:{port}/hook
      secret_env: SECRET
      allow_private: ["127.0.0.1"]
"""
    return parse_playbook(text, name="benchmark", path=None).playbook


@dataclass(kw_only=True)
class Receiver:
    """What it holds, and what it saw.

    Attributes:
        now: The clock.
        chance: Of its faults.
        poison: Accounts whose messages are never taken.
        held: Handoff → sequence and owner of what was taken last.
        taken: Message id → handoff and sequence.
        problems: What must not happen, counted by name.
        answers: Kind of answer → how many.
        faults: Message id → how many faults it met.
        closed_until: Before this instant nobody may ask.
        refuses: Every key is refused, until somebody mends it.
    """

    now: Callable[[], datetime]
    chance: random.Random
    poison: frozenset[str]
    held: dict[int, tuple[int, str | None]] = field(default_factory=dict)
    taken: dict[str, tuple[int, int]] = field(default_factory=dict)
    problems: Counter[str] = field(default_factory=Counter)
    answers: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    closed_until: datetime | None = None
    refuses: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, headers: Mapping[str, str], body: bytes) -> str:
        """Which answer a request gets; what it takes, it takes here."""
        with self.lock:
            if self.closed_until and self.now() < self.closed_until:
                self.problems["asked before Retry-After"] += 1
            # The library compares with the real time, which is another one here: the signature is made again instead.
            at = datetime.fromtimestamp(int(headers["webhook-timestamp"]), UTC)
            if headers["webhook-signature"] != Signer(SECRET).sign(headers["webhook-id"], at, body.decode()):
                self.problems["wrong signature"] += 1
            kind = self._choose(headers["webhook-id"], json.loads(body)["data"])
            self.answers[kind] += 1
            return kind

    def unheard(self) -> None:
        """An answer left so late that whoever asked may have given up: nobody can keep to what it said."""
        with self.lock:
            self.closed_until = None

    def _choose(self, message: str, data: Any) -> str:
        if self.refuses:
            return "401"
        faulty = self.chance.random() < _SHARE and self.faults[message] < _MOST_FAULTS
        kind = self.chance.choice(_FAULTS) if faulty else "200"
        self.faults[message] += kind in {"500", "reset before", "reset after", "slow"}
        if kind == "401":
            self.refuses = True
        elif kind in {"429", "503"}:
            self.closed_until = self.now() + timedelta(seconds=60)
        elif data["account_id"] in self.poison and kind in {"200", "slow", "reset after"}:
            return "422"
        elif kind in {"200", "slow", "reset after"}:
            self._take(message, data)
        return kind

    def _take(self, message: str, data: Any) -> None:
        """As docs/alerts.md tells receivers: a message once, and of a handoff nothing that is older than what is held."""
        number, sequence = int(data["number"]), int(data["sequence"])
        if message in self.taken:
            if self.taken[message] != (number, sequence):
                self.problems["one id for two messages"] += 1
            return
        if (number, sequence) in self.taken.values():
            self.problems["two ids for one message"] += 1
        if sequence <= self.held.get(number, (0, None))[0]:
            self.problems["out of order"] += 1
        self.taken[message] = (number, sequence)
        self.held[number] = (sequence, data["owner"])


@contextlib.contextmanager
def receiving(receiver: Receiver) -> Iterator[int]:
    """Answer at a port of loopback."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            came = time.monotonic()
            body = self.rfile.read(int(self.headers["content-length"]))
            if len(body) < int(self.headers["content-length"]):
                return  # whoever sent it was killed in the middle, so it is no request
            kind = receiver.answer({name.lower(): value for name, value in self.headers.items()}, body)
            if kind.startswith("reset"):
                linger = b"\x01\x00\x00\x00\x00\x00\x00\x00"  # closing sends a reset
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                self.close_connection = True
                self.connection.close()
                return
            if kind == "slow":
                time.sleep(_DEADLINE * 2)
            with contextlib.suppress(OSError):  # whoever asked may be gone
                self.send_response(200 if kind == "slow" else int(kind))
                if kind in {"429", "503"}:
                    self.send_header("Retry-After", "60")
                self.send_header("Content-Length", "0")
                self.end_headers()
            if kind in {"429", "503"} and time.monotonic() - came > _IN_TIME:
                receiver.unheard()

        def log_message(self, *_: object) -> None:
            pass

        def finish(self) -> None:
            with contextlib.suppress(OSError, ValueError):
                super().finish()

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 64

        def handle_error(self, *_: object) -> None:
            pass  # resets and kills are meant

    with Server(("127.0.0.1", 0), Handler) as http:
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield http.server_address[1]
        finally:
            http.shutdown()
            thread.join()


def deliver(folder: Path, port: int, started: float, speed: float) -> None:
    """The process that is killed: delivers until then."""
    now, playbook = clock(started, speed), playbook_for(port)
    ledger = Ledger.open(folder / "ledger.sqlite")

    def look_up(objects: Sequence[str], _: object) -> dict[str, AlertItem]:
        with ledger.reading() as connection:
            found = acting.handoffs_numbered(connection, [int(one.split()[1]) for one in objects])
        return {
            f"handoff {one.id}": AlertItem(
                object=f"handoff {one.id}",
                number=one.id,
                account_id=one.account_id,
                lane=one.lane,
                priority=one.priority,
                status=one.status,
                owner=one.owner,
                version=one.version,
            )
            for one in found
        }

    world = World(
        playbook=lambda: playbook,
        look_up=look_up,
        reach=Reach(environment={"SECRET": SECRET}, limits=Limits(seconds=_DEADLINE)),
        now=now,
        chance=random.Random(started).random,  # noqa: S311 - not a secret
        holder=Holder(name=f"benchmark {os.getpid()} {secrets.token_hex(4)}", seconds=_LEASE * speed),
        failed=lambda *_: None,
    )
    deliverer = Deliverer(ledger, world, look_every=0.02)
    signal.signal(signal.SIGTERM, lambda *_: deliverer.stop())
    deliverer.run()
    ledger.close()


def _open_handoffs(ledger: Ledger, count: int) -> None:
    with ledger.transaction() as connection:
        for number in range(count):
            acting.add_decision(
                connection,
                Decision(
                    at=_BEGAN,
                    as_of=date(2026, 11, 2),
                    account_id=f"acc-{number}",
                    person_id=None,
                    outcome="handoff",
                    lane="sales",
                    priority="medium",
                    because="qualified",
                    reasons=(Reason(trigger="qualified", person_id="", value=None, fired_at=_BEGAN),),
                    playbook="benchmark",
                ),
            )


def _change(ledger: Ledger, playbook: Playbook, numbers: Sequence[int], owner: str, now: datetime) -> None:
    """Give some handoffs to somebody else, and put that into the outbox, in one transaction."""
    with ledger.transaction() as connection:
        for before in acting.handoffs_numbered(connection, sorted(numbers)):
            raised = {"owner": owner, "version": before.version + 1}
            connection.execute(update(handoffs).where(handoffs.c.id == before.id).values(raised))
            tell_change(connection, playbook, before, now=now)


@dataclass(frozen=True, kw_only=True)
class Result:
    """What a run showed.

    Attributes:
        changes: Put into the outbox.
        messages: That carried them.
        requests: That the receiver saw.
        faults: Of these, how many were answered with a fault.
        kills: Of the delivering process.
        poison: Messages that are never taken, all of them dead letters.
        wrong: What must not be, in words; empty = nothing.
        seconds: It took.
    """

    changes: int
    messages: int
    requests: int
    faults: int
    kills: int
    poison: int
    wrong: tuple[str, ...]
    seconds: float


def run(
    folder: Path, *, changes: int, kills: int, seed: int = 1, speed: float = SPEED, patience: float = 3600.0
) -> Result:
    """One run, in a folder that is empty."""
    started, chance = time.monotonic(), random.Random(seed)  # noqa: S311 - not a secret
    now, count = clock(started, speed), max(10, changes // 2)
    poison = frozenset(f"acc-{number}" for number in range(count) if chance.random() < _POISON or number == 0)
    receiver = Receiver(now=now, chance=random.Random(seed + 1), poison=poison)  # noqa: S311 - not a secret
    ledger = Ledger.open(folder / "ledger.sqlite")
    with contextlib.closing(ledger), receiving(receiver) as port:
        playbook = playbook_for(port)
        _open_handoffs(ledger, count)
        with _deliverers(folder, port, f"{started!r} {speed!r}") as killing:
            done, killed = 0, 0
            while done < changes:
                size = min(5, changes - done)
                _change(ledger, playbook, chance.sample(range(1, count + 1), size), f"rep {done}", now())
                done += size
                time.sleep(_PAUSE)
                if killed < kills * done // changes:
                    killing()
                    killed += 1
                _mend(ledger, receiver)
            while _waiting(ledger):
                if time.monotonic() - started > patience:
                    break
                if killed < kills:
                    killing()
                    killed += 1
                _mend(ledger, receiver)
                time.sleep(0.1)
        return _judge(ledger, receiver, changes=done, kills=killed, seconds=time.monotonic() - started)


@contextlib.contextmanager
def _deliverers(folder: Path, port: int, time_said: str) -> Iterator[Callable[[], None]]:
    """One process after another; what is given kills the present one and starts the next."""

    def begin() -> subprocess.Popen[bytes]:
        return subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, "-m", "benchmarks.outbox", "--deliver", str(folder), str(port), *time_said.split()]
        )

    present = [begin()]

    def kill() -> None:
        time.sleep(random.uniform(0.6, 1.6))  # noqa: S311 - that it has begun, and is somewhere in its work
        present[0].send_signal(signal.SIGKILL)
        present[0].wait()
        present[0] = begin()

    try:
        yield kill
    finally:
        present[0].terminate()
        present[0].wait()


def _mend(ledger: Ledger, receiver: Receiver) -> None:
    """What a person does about a paused destination: mend the key, and resume."""
    if receiver.refuses:
        with ledger.transaction() as connection:
            if outbox.resume(connection, "crm"):
                receiver.refuses = False


def _waiting(ledger: Ledger) -> int:
    with ledger.reading() as connection:
        return sum(one.waiting for one in outbox.standings(connection).values())


def _judge(ledger: Ledger, receiver: Receiver, *, changes: int, kills: int, seconds: float) -> Result:
    with ledger.reading() as connection:
        standing = outbox.standings(connection)["crm"]
        lying = outbox.list_undelivered(connection, limit=1_000_000)
        known = {one.id: one for one in acting.list_handoffs(connection)}
    wrong = [f"{name}: {count}" for name, count in sorted(receiver.problems.items())]
    good = {one.id: one for one in known.values() if one.account_id not in receiver.poison and one.version > 1}
    differing = sum(receiver.held.get(number, (0, None))[1] != one.owner for number, one in good.items())
    bad = {one.object for one in lying} - {
        f"handoff {one.id}" for one in known.values() if one.account_id in receiver.poison
    }
    wrong += [f"final state differs: {differing}"] if differing else []
    wrong += [f"good messages among the dead: {len(bad)}"] if bad else []
    wrong += [f"still waiting: {standing.waiting}"] if standing.waiting else []
    wrong += [f"of unknown fate: {standing.unsure}"] if standing.unsure else []
    faults = sum(count for kind, count in receiver.answers.items() if kind not in {"200", "422"})
    return Result(
        changes=changes,
        messages=standing.sent + standing.dead,
        requests=sum(receiver.answers.values()),
        faults=faults,
        kills=kills,
        poison=standing.dead,
        wrong=tuple(wrong),
        seconds=seconds,
    )


def main() -> None:
    """Run it and say what it showed."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--changes", type=int, default=10_000)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--speed", type=float, default=SPEED)
    parser.add_argument("--deliver", nargs=4, metavar=("FOLDER", "PORT", "STARTED", "SPEED"), help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.deliver:
        folder, port, started, speed = asked.deliver
        deliver(Path(folder), int(port), float(started), float(speed))
        return
    with tempfile.TemporaryDirectory() as folder:
        found = run(Path(folder), changes=asked.changes, kills=asked.kills, seed=asked.seed, speed=asked.speed)
    sys.stdout.write(
        f"{found.changes:,} changes in {found.messages:,} messages; {found.requests:,} requests, "
        f"{found.faults / found.requests:.0%} of them faults; {found.kills} kills; {found.poison} poison messages, "
        f"all dead letters; {found.seconds:.0f} s\n"
    )
    sys.stdout.write("\n".join(f"WRONG: {one}" for one in found.wrong) or "Nothing was lost, doubled or too early.")
    sys.stdout.write("\n")
    raise SystemExit(bool(found.wrong))


if __name__ == "__main__":
    main()
