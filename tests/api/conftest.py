"""One small served project for all tests that only read it, or change it in ways that do not meet."""

from collections.abc import Iterator

import pytest

from api.served import Served, serving
from live.sending import Call, track


def newcomers(clock_text: str) -> list[Call]:
    """Twelve people in four workspaces, many of them with the same score; and one call that cannot be used."""
    calls = [
        track(f"{who}-{n}", f"p{who:02d}", "open", clock_text, workspace=f"w{who % 4}")
        for who in range(12)
        for n in range(who % 2 + 1)
    ]
    identified: Call = ("identify", {"messageId": "i1", "userId": "p00", "traits": {"name": "Ann", "title": "CEO"}})
    return [*calls, identified, track("bad", "p00", "open", "yesterday")]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("served") / "p") as server:
        server.send(newcomers(server.clock().isoformat()))
        yield server
