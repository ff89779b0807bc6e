"""The live demonstration as a user sees it: a server, a stream from a real tracking library, and scores that move."""

import json
import os
import pty
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from handraise.faces.cli.app import app
from handraise.faces.cli.served import address_of
from handraise.faces.cli.watch import Memory
from handraise.records import Standing
from handraise.service.questions import Standings
from handraise.simulate import simulate

HANDRAISE = Path(sys.executable).with_name("handraise")
COUNTED = re.compile(
    r"Sent ([\d,]+) calls\.\n.*: ([\d,]+) received, ([\d,]+) accepted, 0 duplicate, 0 quarantined, 0 ref"
)
PATIENCE, LONGEST = 40.0, 120.0


@pytest.fixture(autouse=True, scope="module")
def _children_can_be_interrupted() -> Iterator[None]:
    """A test run in the background ignores Ctrl-C, and so would everything it starts."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@contextmanager
def started(*arguments: object, **more: Any) -> Iterator[subprocess.Popen[str]]:
    """A command that runs until it is interrupted, or has run so long that the test has failed."""
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True} | more
    process = subprocess.Popen([HANDRAISE, *map(str, arguments)], **options)  # noqa: S603
    too_long = threading.Timer(LONGEST, process.kill)
    too_long.start()
    try:
        yield process
    finally:
        too_long.cancel()
        process.kill()
        process.communicate()


def ended(process: subprocess.Popen[str]) -> tuple[str, str]:
    """What is said after Ctrl-C, with which everything ends well."""
    process.send_signal(signal.SIGINT)
    said = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, said
    return said


def program_ended(*arguments: object) -> str:
    """What a command says that ends by itself."""
    with started(*arguments) as process:
        said, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, errors
    return said


def end_of_today() -> date:
    """The day that live scores are of, once something was sent."""
    return datetime.now(UTC).date() + timedelta(days=1)


def line_with(words: str, read: Callable[[], str]) -> str:
    """The next line that has these words."""
    while line := read():
        if words in line:
            return line
    raise AssertionError(f"it ended without {words!r}")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A small simulated company up to yesterday, loaded and served."""
    folder = tmp_path_factory.mktemp("live") / "demo"
    simulate(folder / "data", accounts=40, days=40, seed=3, end=datetime.now(UTC).date())
    for command in (["init", folder], ["load", folder / "data", "--project", folder]):
        done = CliRunner().invoke(app, [str(word) for word in command])
        assert done.exit_code == 0, done.output
    with started("serve", "--project", folder, "--port", 0) as server:
        assert server.stdout
        line_with("Serving", server.stdout.readline)
        first = program_ended("simulate", "--live", "--for", 0.2, "--rate", 20, "--seed", 0, "--project", folder)
        assert counted(first)
        yield folder


def test_what_is_streamed_is_taken_in_once_and_moves_scores(project: Path) -> None:
    with started("accounts", "--watch", "--every", 0.3, "--json", "--project", project) as watch:
        assert watch.stderr
        assert watch.stdout
        line_with(f"as of {end_of_today()}", watch.stderr.readline)
        said = program_ended("simulate", "--live", "--for", 5, "--rate", 50, "--seed", 1, "--project", project)
        sent, received, accepted = counted(said)
        assert sent == received == accepted
        assert 240 <= sent <= 250
        assert re.search(r"^simulated: .* \(\d+ sent\)$", said, flags=re.MULTILINE)
        moved = json.loads(line_with("{", watch.stdout.readline))
        ended(watch)
    assert moved["change"] == moved["score"] - moved["before"] != 0
    assert {"at", "as_of", "account_id", "name", "since_start", "tier", "because"} < moved.keys()


def ask_for_sales(project: Path, number: int) -> None:
    """Somebody of a company of their own asks to be called, through the server's front door."""
    made = CliRunner().invoke(app, ["sources", "key", "site", "--project", str(project), "--json"])
    assert made.exit_code == 0, made.output
    key, who = json.loads(made.stdout)["write_key"], f"new-{number}"
    call = {"messageId": who, "userId": who, "event": "contact_sales", "context": {"groupId": f"ws-{who}"}}
    request = urllib.request.Request(  # noqa: S310 - our own server
        f"{address_of(project)}/v1/track",
        data=json.dumps(call).encode(),
        headers={
            "Authorization": "Basic " + b64encode(f"{key}:".encode()).decode(),
            "Content-Type": "application/json",
        },
    )
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=PATIENCE) as answer:
        assert answer.status == 200


@pytest.mark.parametrize("as_json", [True, False])
def test_the_inbox_fills_while_events_stream_in(project: Path, *, as_json: bool) -> None:
    with started("inbox", "--watch", "--every", 0.3, *(["--json"] if as_json else []), "--project", project) as watch:
        assert watch.stderr
        assert watch.stdout
        line_with("Watching the inbox", watch.stderr.readline)
        ask_for_sales(project, int(as_json))
        came = line_with(f"new-{int(as_json)}", watch.stdout.readline)
        ended(watch)
    if as_json:
        one = json.loads(came)
        assert one["there"] is True
        assert one["handoff"]["priority"] == "high"
        assert one["because"] == ["asked to talk to sales"]
    else:
        assert re.search(r"^\d\d:\d\d:\d\d no\. \d+, new, high: .*: new-0: asked to talk to sales$", came)


def counted(said: str) -> tuple[int, ...]:
    """How many calls were sent, received and accepted."""
    match = COUNTED.search(said)
    assert match, said
    return tuple(int(number.replace(",", "")) for number in match.groups())


def test_ctrl_c_sends_what_is_waiting_and_revokes_the_key(project: Path) -> None:
    with started("accounts", "--watch", "--every", 0.3, "--lang", "zh", "--project", project) as watch:
        assert watch.stderr
        assert watch.stdout
        line_with(f"as of {end_of_today()}", watch.stderr.readline)
        with started("simulate", "--live", "--rate", 40, "--seed", 2, "--project", project) as sender:
            assert sender.stdout
            line_with("simulated: ", sender.stdout.readline)
            moved = line_with("→", watch.stdout.readline)
            said, _ = ended(sender)
        ended(watch)
    sent, received, accepted = counted(said)
    assert sent == received == accepted > 0
    assert re.search(r"^\d\d:\d\d:\d\d .*: -?[\d,]+ → -?[\d,]+ \([+-]\d+; .* since the start\), tier \d ", moved)
    listed = CliRunner().invoke(app, ["sources", "--project", str(project), "--json"])
    [source] = [one for one in json.loads(listed.stdout) if one["source"] == "simulated"]
    assert source["source"] == "simulated"
    assert source["received"] == source["accepted"]
    assert all(key["revoked"] for key in source["keys"]), "a key is of use for one run"


def test_a_terminal_gets_a_table_that_is_drawn_again(project: Path) -> None:
    main, side = pty.openpty()
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "120", "LINES": "12"}
    watching = ["accounts", "--watch", "--every", 0.2, "--project", project]
    with started(*watching, stdin=side, stdout=side, stderr=side, env=environment) as watch:
        os.close(side)
        drawn, until = "", time.monotonic() + PATIENCE
        while drawn.count("nothing behind") < 3 and time.monotonic() < until:
            drawn += os.read(main, 65536).decode(errors="replace")
        ended(watch)
    os.close(main)
    frame = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", drawn)
    assert re.search(r"score +since start +last look +tier +account +strongest reason", frame)
    assert "every 0.2 s, Ctrl-C ends it" in frame
    assert "events taken in · nothing behind · scored" in frame


def test_a_watch_waits_for_a_server_that_is_started_again(tmp_path: Path) -> None:
    folder = tmp_path / "small"
    simulate(folder / "data", accounts=5, days=20, seed=3, end=datetime.now(UTC).date())
    for command in (["init", folder], ["load", folder / "data", "--project", folder]):
        assert CliRunner().invoke(app, [str(word) for word in command]).exit_code == 0
    with started("serve", "--project", folder, "--port", 0) as first:
        assert first.stdout
        line_with("Serving", first.stdout.readline)
        program_ended("simulate", "--live", "--for", 0.2, "--rate", 20, "--seed", 0, "--project", folder)
        with started("accounts", "--watch", "--every", 0.2, "--json", "--project", folder) as watching:
            assert watching.stderr
            assert watching.stdout
            line_with("Watching", watching.stderr.readline)
            ended(first)
            line_with("waiting for the next one", watching.stderr.readline)
            with started("serve", "--project", folder, "--port", 0) as second:
                assert second.stdout
                line_with("Serving", second.stdout.readline)
                program_ended("simulate", "--live", "--for", 2, "--rate", 30, "--seed", 1, "--project", folder)
                assert json.loads(line_with("{", watching.stdout.readline))["change"]
            ended(watching)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["accounts", "--watch"], "handraise serve"),
        (["simulate", "--live"], "handraise serve"),
        (["accounts", "--watch", "--as-of", "2026-10-28"], "the watch shows what is now"),
        (["simulate", "--live", "--url", "http://127.0.0.1:9"], "--key"),
        (["simulate", "--live", "somewhere"], "--project"),
        (["simulate"], "say where the files go"),
        (["accounts", "--watch", "--sort", "risen"], "there is no sort 'risen'"),
        (["simulate", "--live", "--url", "http://127.0.0.1:9", "--key", "k", "--rate", "50"], "it cannot be reached"),
    ],
)
def test_what_cannot_be_done_is_said(
    arguments: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    simulate(tmp_path / "data", accounts=10, days=20, seed=1)
    CliRunner().invoke(app, ["init", str(tmp_path)])
    monkeypatch.setenv("HANDRAISE_PROJECT", str(tmp_path))
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code in {1, 2}
    assert said in " ".join(result.stderr.replace("│", " ").split())


def test_without_the_tracking_library_it_is_said_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "segment.analytics.client", None)
    result = CliRunner().invoke(app, ["simulate", "--live", "--project", str(tmp_path)])
    assert result.exit_code == 1
    assert "pip install segment-analytics-python" in result.stderr


def standings(as_of: int, **scores: int) -> Standings:
    rows = [
        Standing(account_id=one, name=None, score=score, tier=1, segment="smb", active_people=1, people_points=0)
        for one, score in scores.items()
    ]
    return Standings(as_of=date(2026, 10, as_of), tiers={1: "enterprise"}, segments=["smb"], rows=rows)


def test_the_watch_counts_from_its_start_and_again_from_a_new_day() -> None:
    memory = Memory()
    memory.take(standings(1, a=10, b=20))
    assert (memory.changes, memory.begun) == ({}, {"a": 10, "b": 20})
    memory.take(standings(1, a=15, b=20, c=5))
    assert memory.changes == {"a": 5, "c": 5}
    assert memory.begun == {"a": 10, "b": 20, "c": 0}, "who comes later comes from nothing"
    last = standings(1, a=15, b=18, c=5)
    memory.take(last)
    assert memory.changes == {"b": -2}
    assert [row.account_id for row in memory.order(last.rows, None)] == ["b", "a", "c"], "who moved last stands first"
    assert [row.account_id for row in memory.order(last.rows, "score")] == ["b", "a", "c"]
    assert [row.account_id for row in memory.order(last.rows, "tier")] == ["a", "b", "c"]
    memory.take(standings(2, a=90, b=18))
    assert (memory.changes, memory.begun) == ({}, {"a": 90, "b": 18}), "a day later, every window is another"
