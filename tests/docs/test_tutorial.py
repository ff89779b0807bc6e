"""The tutorial's commands are run, and print what the tutorial shows."""

import re
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from handraise.faces.cli.app import app

ROOT = Path(__file__).parents[2]
TUTORIAL = (ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8")
EXAMPLE = ROOT / "examples" / "openstack"
WHOLE_LOG = ROOT.parent / "shared" / "data" / "openstack"
STEPS = re.findall(r"```console\n\$ handraise ([^\n]+)\n(.*?)```", TUTORIAL, flags=re.DOTALL)


def _same(text: str) -> list[str]:
    """Lines with the playbook's hash and runs of spaces out of the way."""
    hashless = re.sub(r"\b[0-9a-f]{12}\b", "<hash>", text)
    return [" ".join(line.split()) for line in hashless.strip().splitlines()]


def test_every_command_prints_what_the_tutorial_shows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(EXAMPLE, tmp_path / "openstack")
    monkeypatch.chdir(tmp_path / "openstack")
    assert len(STEPS) >= 8
    for command, shown in STEPS:
        result = CliRunner().invoke(app, command.split())
        assert result.exit_code == 0, (command, result.output)
        assert _same(result.stdout) == _same(shown), command


def test_the_tutorial_shows_the_example_playbook() -> None:
    shown = re.findall(r"```yaml\n(.*?)```", TUTORIAL, flags=re.DOTALL)
    assert (EXAMPLE / "handraise.yaml").read_text(encoding="utf-8") in shown


@pytest.mark.skipif(not WHOLE_LOG.is_dir(), reason="the whole OpenStack log is not beside this checkout")
def test_the_whole_log_scores_with_the_same_playbook(tmp_path: Path) -> None:
    shutil.copy(EXAMPLE / "handraise.yaml", tmp_path)
    run = CliRunner()
    where = ["--project", str(tmp_path)]
    loaded = run.invoke(app, ["load", str(WHOLE_LOG), *where])
    assert "160,247" in loaded.stdout, loaded.output
    scored = run.invoke(app, ["refresh", "--as-of", "2014-07-01", *where])
    assert scored.exit_code == 0, scored.output
    found = run.invoke(app, ["explain", "a457", "--as-of", "2014-07-01", *where])
    # The extract holds the year before, which every window lies in: the same score from the whole log.
    assert "score 250" in found.stdout
