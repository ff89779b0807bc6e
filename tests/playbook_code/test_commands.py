"""The commands under `handraise playbook` as a user or a pipeline runs them."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from handraise.faces.cli.app import app
from handraise.faces.cli.markdown_diff import code, plain
from support import DAY, T, ev, write

HAND = {
    "events": [
        *(ev("pricing_view", 2 * DAY, "ana", "w") for _ in range(3)),
        ev("limit_reached", 2 * DAY, "ana", "w"),
        *(ev("limit_reached", 3 * DAY, f"p{n:02}", "x") for n in range(30)),
    ],
    "people": [
        {"person_id": "ana", "name": "Ana @acme | <b>", "title": "CEO"},
        *({"person_id": f"p{n:02}", "name": f"用户 {n}", "title": ""} for n in range(30)),
    ],
}
NEW = """
language: zh
signals: {person: {pricing_views: {points: {">=3": 30}}}}
bands:
  - {name: warm, at_least: 50}
  - {name: emerging, at_least: 20}
  - {name: none}
selling_bands: [warm]
"""


def run(*arguments: object, stdin: str | None = None) -> Result:
    return CliRunner().invoke(app, [str(a) for a in arguments], input=stdin)


def answer(*arguments: object, status: int = 0, stdin: str | None = None) -> Any:
    result = run(*arguments, "--json", stdin=stdin)
    assert result.exit_code == status, result.output
    return json.loads(result.stdout)


def refused(*arguments: object) -> str:
    result = run(*arguments)
    assert result.exit_code == 1, result.output
    assert "Traceback" not in result.output
    return " ".join(result.stderr.split())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with scores, and `new.yaml` beside its playbook."""
    place = tmp_path_factory.mktemp("commands")
    assert run("init", place / "project").exit_code == 0
    assert run("load", write(place / "data", HAND), "--project", place / "project").exit_code == 0
    assert run("refresh", "--as-of", T, "--project", place / "project").exit_code == 0
    (place / "project" / "new.yaml").write_text(NEW, encoding="utf-8")
    return place / "project"


def test_diff_as_text_names_movers_volumes_and_reasons(folder: Path) -> None:
    result = run("playbook", "diff", folder, folder / "new.yaml", "--project", folder)
    assert result.exit_code == 0, result.output
    lines = [" ".join(line.split()) for line in result.stdout.splitlines()]
    assert "0 accounts and 31 people move. PQAs: 0 enter, 0 leave. PQLs: 1 enter, 0 leave." in lines
    assert "signals.person.pricing_views.points.>=3 20 30" in lines
    assert "emerging 1 30 +29" in lines
    assert "PQLs 0 1 +1" in lines
    assert "pricing_views 1 person +10 1" in lines
    assert any(line.startswith("Ana @acme | <b> ana in workspace:w emerging → warm, now PQL 40 → 50") for line in lines)
    assert "pricing_views 20 → 30: 30 天内查看定价 3 次" in result.stdout
    assert "… and 11 more; --limit shows more of them." in lines
    assert "same points, other bounds" in result.stdout


def test_lang_chooses_the_language_of_the_reasons(folder: Path) -> None:
    shown = run("playbook", "diff", folder / "new.yaml", "--project", folder, "--lang", "en").stdout
    assert "pricing_views 20 → 30: looked at pricing 3× in 30 days" in shown


def test_diff_as_json_has_all_movers_and_plain_numbers(folder: Path) -> None:
    found = answer("playbook", "diff", folder / "new.yaml", "--project", folder)
    assert found["as_of"] == str(T)
    assert (found["people"]["moved"], len(found["people"]["movers"])) == (31, 31)
    ana = found["people"]["movers"][0]
    assert (ana["id"], ana["old"], ana["new"], ana["new_qualified"]) == ("ana", "emerging", "warm", True)
    line = {"signal": "pricing_views", "old": 20, "new": 30, "because": "30 天内查看定价 3 次"}
    assert ana["lines"] == [line]
    assert found["people"]["effects"] == [{"signal": "pricing_views", "entities": 1, "points": 10, "moved": 1}]
    cut = answer("playbook", "diff", folder / "new.yaml", "--project", folder, "--limit", 2)
    assert (cut["people"]["moved"], len(cut["people"]["movers"])) == (31, 2)


def test_diff_as_markdown_folds_long_lists_and_calls_nobody(folder: Path) -> None:
    result = run("playbook", "diff", folder / "new.yaml", "--project", folder, "--format", "markdown")
    assert result.exit_code == 0, result.output
    shown = result.stdout
    assert shown.startswith("### Playbook `")
    assert "<details><summary>People who move: 31</summary>\n\n| who |" in shown
    assert shown.count("<details>") == shown.count("</details>") == 1
    assert "\n\n… and 11 more.\n\n</details>" in shown
    assert "@acme" not in shown
    assert "<b>" not in shown
    assert "| `signals.person.pricing_views.points.>=3` | `20` | `30` |" in shown
    assert "| PQLs | 0 | 1 | **+1** |" in shown
    tables = re.findall(r"(?:^\|.*\n)+", shown, flags=re.MULTILINE)
    for table in tables:
        cells = {len(re.findall(r"(?<!\\)\|", row)) for row in table.splitlines()}
        assert len(cells) == 1, table


def test_a_playbook_can_come_from_standard_input(folder: Path) -> None:
    found = answer("playbook", "diff", "-", folder, "--project", folder, stdin=NEW)
    back = answer("playbook", "diff", folder, folder / "new.yaml", "--project", folder)
    assert (found["old"], found["new"]) == (back["new"], back["old"])
    assert found["people"]["leaving"] == back["people"]["entering"] == 1


def test_the_same_playbook_twice_moves_nobody(folder: Path) -> None:
    shown = run("playbook", "diff", folder, "--project", folder).stdout
    assert "Nobody moves." in shown
    assert "The playbooks say the same." in shown


def test_diff_names_the_file_and_line_of_a_mistake(folder: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad.yaml"
    bad.write_text("version: 1\nbandz: []\n", encoding="utf-8")
    assert "bad.yaml:2: the key 'bandz' is not known. Did you mean 'bands'?" in refused(
        "playbook", "diff", bad, "--project", folder
    )
    assert "nope.yaml" in refused("playbook", "diff", folder, "nope.yaml", "--project", folder)
    assert "lies in the future" in refused("playbook", "diff", folder, "--project", folder, "--as-of", "2100-01-01")
    assert run("playbook", "diff", bad, "--format", "html").exit_code == 2


def test_diff_of_a_project_without_data_says_what_to_do(tmp_path: Path) -> None:
    assert run("init", tmp_path).exit_code == 0
    assert "no events are loaded yet" in refused("playbook", "diff", tmp_path, "--project", tmp_path)
    assert not (tmp_path / ".handraise").exists()


def test_check_answers_machines_with_every_mistake(tmp_path: Path) -> None:
    file = tmp_path / "handraise.yaml"
    file.write_text("version: 1\nbandz: []\nindustries: 3\n", encoding="utf-8")
    found = answer("playbook", "check", "--project", tmp_path, status=1)
    assert found["ok"] is False
    told = {(m["file"], m["line"], m["what"], m["todo"]) for m in found["mistakes"]}
    assert told == {
        (str(file), 2, "the key 'bandz' is not known.", "Did you mean 'bands'?"),
        (str(file), 3, "industries: Input should be a list.", ""),
    }
    assert "handraise.yaml:2: the key 'bandz'" in refused("playbook", "check", file)
    file.write_text("version: 1\n", encoding="utf-8")
    sound = answer("playbook", "check", file)
    assert (sound["ok"], sound["mistakes"]) == (True, [])


EXAMPLES = """
examples:
  - {name: "a limit [bold]counts[/]", events: [{event: limit_reached, at: 1 day ago}], expect: {score: 20}}
  - {name: and so does this, events: [{event: limit_reached, at: 1 day ago}], expect: {score: 21}}
"""


def test_examples_are_told_one_by_one_and_a_failure_is_exit_status_1(tmp_path: Path) -> None:
    file = tmp_path / "handraise.tests.yaml"
    (tmp_path / "handraise.yaml").write_text("version: 1\n", encoding="utf-8")
    assert "there is no handraise.tests.yaml beside the playbook" in refused("playbook", "test", "--project", tmp_path)
    file.write_text(EXAMPLES, encoding="utf-8")
    result = run("playbook", "test", "--project", tmp_path)
    assert result.exit_code == 1
    lines = [" ".join(line.split()) for line in result.stdout.splitlines()]
    assert lines[:2] == ["ok a limit [bold]counts[/]", "FAIL and so does this handraise.tests.yaml:4"]
    assert "person score 21 20 the lines of the receipt decide it" in lines
    assert "+20 limit_reached reached a plan limit 1× in 30 days" in lines
    assert lines[-1] == "1 of 2 examples hold."
    found = answer("playbook", "test", file, "--project", tmp_path, status=1)
    assert (found["passed"], [e["passed"] for e in found["examples"]]) == (False, [True, False])
    assert found["examples"][1]["mismatches"][0]["got"] == 20
    file.write_text(EXAMPLES.replace("21", "20"), encoding="utf-8")
    assert run("playbook", "test", "--project", tmp_path).exit_code == 0
    assert answer("playbook", "test", "--project", tmp_path)["passed"] is True


def test_text_in_markdown_stays_text() -> None:
    assert plain("a|b <i> *c* [d](e) @f #7\ng") == "a\\|b &lt;i&gt; \\*c\\* \\[d\\](e) @\u200bf #\u200b7 g"
    assert code("a|b") == "`a\\|b`"
    assert code("a`b``c") == "``` a`b``c ```"
    assert code("") == "` `"


@pytest.mark.parametrize("text", ["", " \n"])
def test_an_empty_pipe_is_no_playbook(folder: Path, text: str) -> None:
    result = run("playbook", "diff", "-", folder, "--project", folder, stdin=text)
    assert result.exit_code == 1
    assert "nothing came through standard input" in result.stderr
