"""Commands as somebody types them, on a project."""

import json
from pathlib import Path
from typing import Any

from typer.testing import CliRunner, Result

from handraise.faces.cli.app import app

runner = CliRunner()


def done(project: Path, *command: str) -> Result:
    """Run a command that has to go well."""
    result = runner.invoke(app, [*command, "--project", str(project)])
    assert result.exit_code == 0, result.output
    return result


def answer(project: Path, *command: str) -> Any:
    """What a command prints for machines."""
    return json.loads(done(project, *command, "--json").stdout)
