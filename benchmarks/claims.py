"""Many who claim one handoff at the same moment, by the API of a real server: `python -m benchmarks.claims --help`."""

from __future__ import annotations

import argparse
import http.client
import json
import os
import sys
import tempfile
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from rich.console import Console

from benchmarks.figures import Figure, Limit, Report, plain
from benchmarks.serve.server import HOST, Server, handraise, new_project, serving

_WON, _TOLD = 200, 409


class Client:
    """One salesperson's connection.

    Args:
        port: Of the server.
        key: Of the API.
        name: Whose words they are.
    """

    def __init__(self, port: int, key: str, name: str) -> None:
        self._connection = http.client.HTTPConnection(HOST, port, timeout=60)
        self._headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        self.name = name

    def ask(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        """Status and answer."""
        content = None if body is None else json.dumps(body)
        self._connection.request(method, f"/api/v1/{path}", content, self._headers)
        answer = self._connection.getresponse()
        return answer.status, json.loads(answer.read())

    def claim(self, number: int, together: threading.Barrier) -> int:
        """Claim a handoff when all others do; returns the status."""
        together.wait(60)
        return self.ask("POST", f"handoffs/{number}/calls", {"kind": "claim", "by": self.name})[0]


def asked_for_sales(server: Server, write_key: str, how_many: int) -> None:
    """So many companies ask for sales."""
    batch = [
        {
            "type": "track",
            "messageId": f"m{n}",
            "userId": f"u{n}",
            "event": "contact_sales",
            "context": {"groupId": f"w{n}"},
        }
        for n in range(how_many)
    ]
    connection = http.client.HTTPConnection(HOST, server.port, timeout=60)
    connection.request("POST", "/v1/batch", json.dumps({"writeKey": write_key, "batch": batch}))
    answer = connection.getresponse()
    answer.read()
    if answer.status != _WON:
        message = f"the batch was answered {answer.status}"
        raise RuntimeError(message)


def numbers(client: Client, how_many: int) -> list[int]:
    """The handoffs, once all are there.

    Raises:
        RuntimeError: They do not come.
    """
    for _ in range(240):
        _, found = client.ask("GET", f"handoffs?limit={how_many}")
        if len(found.get("rows", ())) == how_many:  # before the first scores there is no list
            return [row["handoff"]["id"] for row in found["rows"]]
        time.sleep(0.25)
    message = "the handoffs did not come"
    raise RuntimeError(message)


def main() -> None:
    """Measure, print the table; exit status 1 where more or fewer than one won."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.claims", description=__doc__)
    parser.add_argument("--clients", type=int, default=32)
    parser.add_argument("--handoffs", type=int, default=100)
    asked = parser.parse_args()
    report = Report(title=f"Claims, {os.cpu_count()} processors shared with the clients")
    with tempfile.TemporaryDirectory(prefix="bench-claims") as place:
        folder = Path(place) / "project"
        write_key = new_project(folder)
        made = handraise(
            "api-keys", "add", "claims", "--scope", "read", "--scope", "write", "--project", folder, "--json"
        )
        key = json.loads(made.stdout)["api_key"]
        with serving(Server(folder)) as server, ThreadPoolExecutor(asked.clients) as pool:
            asked_for_sales(server, write_key, asked.handoffs)
            clients = [Client(server.port, key, f"rep-{n}") for n in range(asked.clients)]
            statuses: Counter[int] = Counter()
            winners, owners, slowest = [], [], 0.0
            for number in numbers(clients[0], asked.handoffs):
                together, begun = threading.Barrier(asked.clients), time.perf_counter()
                said = list(pool.map(lambda one, n=number, t=together: one.claim(n, t), clients))
                slowest = max(slowest, time.perf_counter() - begun)
                statuses.update(said)
                winners.append(said.count(_WON))
                owner = clients[0].ask("GET", f"handoffs/{number}")[1]["handoff"]["owner"]
                owners.append(said.count(_WON) == 1 and owner == clients[said.index(_WON)].name)
    wrong = (
        sum(count != 1 for count in winners)
        + owners.count(False)
        + sum(count for status, count in statuses.items() if status not in {_WON, _TOLD})
    )
    report.add(
        Figure(
            name=f"{asked.clients} clients claim one handoff, {asked.handoffs} times",
            measured=[float(wrong)],
            unit="times not exactly one won",
            limit=Limit(shown="0", most=0),
            note=f"answers {dict(sorted(statuses.items()))}; all answered within {plain(slowest)} s",
        )
    )
    report.show(Console(width=None if sys.stdout.isatty() else 200))
    sys.exit(1 if any(figure.met is False for figure in report.figures) else 0)


if __name__ == "__main__":
    main()
