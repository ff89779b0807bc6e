"""The commands of "Playbook as code" are run on the example, and print what the page shows."""

import re
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from handraise.faces.cli.app import app

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "playbook-as-code.md").read_text(encoding="utf-8")
EXAMPLE = ROOT / "examples" / "openstack"
STEPS = re.findall(r"```console\n\$ handraise ([^\n]+)\n(.*?)```\n", PAGE, flags=re.DOTALL)


def same(text: str) -> list[str]:
    """Lines with the playbooks' hashes and runs of spaces out of the way."""
    hashless = re.sub(r"\b[0-9a-f]{12}\b", "<hash>", text)
    return [" ".join(line.split()) for line in hashless.strip().splitlines()]


def test_every_command_prints_what_the_page_shows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(EXAMPLE, tmp_path / "openstack")
    monkeypatch.chdir(tmp_path / "openstack")
    for command in ("load data", "refresh --as-of 2014-07-01"):
        assert CliRunner().invoke(app, command.split()).exit_code == 0
    assert len(STEPS) == 5
    for command, shown in STEPS:
        result = CliRunner().invoke(app, command.split())
        assert result.exit_code == ("FAIL" in shown), (command, result.output)
        assert same(result.stdout) == same(shown), command


def test_the_page_shows_the_files_of_the_example() -> None:
    shown = re.findall(r"```yaml\n(.*?)```", PAGE, flags=re.DOTALL)
    for name in ("proposed.yaml", "handraise.tests.yaml"):
        assert (EXAMPLE / name).read_text(encoding="utf-8") in shown
