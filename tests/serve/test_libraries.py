"""Vendors' own libraries send to a server that is killed and started again in the middle; every event counts once.

Some forget what they could not send when nobody answers at all. Those meet a server that cannot store for a while, and says so.

The ones of Node and of browsers are installed from their registry into a folder of the test, where that is asked for:
`HANDRAISE_TEST_NODE=1 pytest tests/serve/test_libraries.py`. Those of browsers need Chromium besides.
"""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from benchmarks.serve.server import Server, stored_ids
from handraise.service.folder import DATA_FOLDER

PYTHON = ("segment", "rudderstack", "posthog", "amplitude", "mixpanel", "snowplow")
NODE = {
    "segment": "@segment/analytics-node",
    "posthog": "posthog-node",
    "amplitude": "@amplitude/analytics-node",
    "mixpanel": "mixpanel",
    "snowplow": "@snowplow/node-tracker",
    "rudderstack": "@rudderstack/rudder-sdk-node",
}
BROWSER = {
    "segment": "@segment/analytics-next",
    "rudderstack": "@rudderstack/analytics-js",
    "posthog": "posthog-js",
    "amplitude": "@amplitude/analytics-browser@1",
    "mixpanel": "mixpanel-browser",
    "snowplow": "@snowplow/browser-tracker",
}
# Seconds until a page's library has sent what it gathers: Mixpanel's sends every five.
SENT_WITHIN = 7
# Neither tries again when a connection is refused.
FORGETFUL = {"amplitude", "node amplitude", "node rudderstack"}
HERE = Path(__file__).parent
EVENTS = 200


def all_counted_once(
    folder: Path, launch: Callable[..., Server], run: Callable[[str], list[str]], *, forgetful: bool
) -> None:
    """Start a server, let a program send to it, and disturb the server meanwhile."""
    how = {"program": (str(HERE / "failing_server.py"), "--fails-at", "71")} if forgetful else {}
    server = launch(folder, **how)
    server.start()
    output = folder.with_name("library.out")
    with output.open("wb") as said:
        sender = subprocess.Popen(run(f"http://127.0.0.1:{server.port}"), stdout=said, stderr=said)  # noqa: S603
        try:
            ends = time.monotonic() + 30
            while b'"accepted":0' in server.get("/health")[1] and time.monotonic() < ends:
                time.sleep(0.05)
            if forgetful:
                time.sleep(1.5)
                (folder / "mended").touch()
            else:
                server.kill()
                server.start(port=server.port)
            assert sender.wait(timeout=90) == 0, output.read_text()
        finally:
            sender.kill()
            sender.wait()
    assert not forgetful or wait_for_refusals(server)
    counts = server.settled(stored=EVENTS, within=20)
    assert server.stop() == 0
    assert (counts.accepted, counts.quarantined) == (EVENTS, 0), f"{counts} {output.read_text()[-2000:]}"
    assert counts.received == counts.accepted + counts.duplicate + counts.refused
    stored = stored_ids(folder)
    assert (len(stored), set(stored.values())) == (EVENTS, {1})


def wait_for_refusals(server: Server) -> bool:
    """Whether something was refused, as it was meant to be."""
    return server.settled(refused=1, within=10).refused > 0


@pytest.mark.parametrize("vendor", PYTHON)
def test_every_event_of_a_python_library_counts_once_whatever_the_server_went_through(
    project: tuple[Path, str], launch: Callable[..., Server], vendor: str
) -> None:
    folder, key = project

    def run(address: str) -> list[str]:
        return [sys.executable, str(HERE / "library.py"), vendor, address, key, str(EVENTS)]

    all_counted_once(folder, launch, run, forgetful=vendor in FORGETFUL)


def installed(tmp_path_factory: pytest.TempPathFactory, *packages: str) -> Path:
    """A folder with packages of Node's registry in it."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if os.environ.get("HANDRAISE_TEST_NODE") != "1":
        pytest.skip("set HANDRAISE_TEST_NODE=1 to install Node's libraries from their registry and try them")
    if not node or not npm:
        pytest.skip("node is not installed")
    folder = tmp_path_factory.mktemp("node")
    (folder / "package.json").write_text('{"private": true}', encoding="utf-8")
    install = [npm, "install", "--no-audit", "--no-fund", *packages]
    done = subprocess.run(install, cwd=folder, capture_output=True, text=True, check=False, timeout=300)  # noqa: S603
    if done.returncode:
        pytest.skip(f"Node's libraries cannot be installed: {done.stderr[-300:]}")
    return folder


@pytest.fixture(scope="module")
def node_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the libraries of Node in it."""
    folder = installed(tmp_path_factory, *NODE.values())
    shutil.copy(HERE / "library.mjs", folder)
    return folder


@pytest.mark.parametrize("vendor", NODE)
def test_every_event_of_a_node_library_counts_once_whatever_the_server_went_through(
    project: tuple[Path, str], launch: Callable[..., Server], node_folder: Path, vendor: str
) -> None:
    folder, key = project

    def run(address: str) -> list[str]:
        return [str(shutil.which("node")), str(node_folder / "library.mjs"), vendor, address, key, str(EVENTS)]

    all_counted_once(folder, launch, run, forgetful=f"node {vendor}" in FORGETFUL)


@pytest.fixture(scope="module")
def browser_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the libraries of browsers in it, and what drives one."""
    folder = installed(tmp_path_factory, *BROWSER.values(), "playwright-core", "esbuild")
    if not chromium():
        pytest.skip("Chromium is not installed")
    for name in ("browser.mjs", "page.js"):
        shutil.copy(HERE / name, folder)
    return folder


def chromium() -> str | None:
    """Where Chromium is, under any of its names."""
    return next(
        (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None
    )


def stored_names(folder: Path) -> list[str]:
    """The names of all stored events, of a project that nobody serves."""
    with duckdb.connect(str(folder / DATA_FOLDER / "warehouse.duckdb"), read_only=True) as connection:
        return [name for (name,) in connection.execute("SELECT name FROM events").fetchall()]


@pytest.mark.parametrize("vendor", BROWSER)
def test_a_page_in_a_browser_sends_with_a_vendors_library(
    project: tuple[Path, str], launch: Callable[..., Server], browser_folder: Path, vendor: str
) -> None:
    folder, key = project
    server = launch(folder)
    server.start()
    node, address = str(shutil.which("node")), f"http://127.0.0.1:{server.port}"
    program = [node, "browser.mjs", str(chromium()), address, key, vendor, str(SENT_WITHIN)]
    done = subprocess.run(program, cwd=browser_folder, capture_output=True, text=True, check=False, timeout=90)  # noqa: S603
    assert done.returncode == 0, done.stdout + done.stderr
    assert "404 " + address not in done.stdout, done.stdout
    counts = server.settled(within=10)
    assert server.stop() == 0
    assert (counts.quarantined, counts.refused) == (0, 0), done.stdout
    assert sum("open" in name.split("/") for name in stored_names(folder)) == 5, done.stdout
