"""Briefs, drafts and stories as a rep types them; and what a page or a file of them may hold."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from faces.typed import answer, done, runner
from handraise.faces.cli.app import app
from handraise.service.project import open_project
from service.selling_company import begin, decided


@pytest.fixture(scope="module")
def numbers(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, int]]:
    """A project, and account → number of its handoff."""
    folder = tmp_path_factory.mktemp("selling")
    begin(folder / "p", folder / "files")
    with open_project(folder / "p") as project:
        found = {account: one.id for account, one in decided(project, folder / "files").items()}
    return folder / "p", found


Numbers = tuple[Path, dict[str, int]]


class Page(HTMLParser):
    """Tags and addresses of a page, and its words."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str | None]] = []
        self.words = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.words += data


def test_a_brief_on_the_terminal_says_what_to_know(numbers: Numbers) -> None:
    project, known = numbers
    said = " ".join(done(project, "brief", str(known["acme"])).output.split())
    for words in (
        "Acme: brief",
        "asked for enterprise features",
        "talk to Ann, Head of IT",
        "guest_portal",
        "13 × 12 EUR × 12 = 1,872 EUR",
        "by a straight line",
        "champion",
        "may be written to",
        "Since the last contact",
        "Why this score",
    ):
        assert words in said
    same = " ".join(done(project, "brief", "acme").output.split())
    assert "talk to Ann" in same
    missing = " ".join(done(project, "brief", str(known["byte"])).output.split())
    assert "Buyer missing: for marketing" in missing
    assert "not to be pitched" in missing
    refused = runner.invoke(app, ["brief", "12", "--account", "--project", str(project)])
    assert refused.exit_code == 1
    assert runner.invoke(app, ["brief", "1", "--format", "pdf", "--project", str(project)]).exit_code == 2


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("what", ["brief", "story"])
def test_a_page_needs_nothing_else_and_nothing_foreign_acts_in_it(
    numbers: Numbers, tmp_path: Path, language: str, what: str
) -> None:
    project, known = numbers
    account = "acme" if what == "story" else str(known["cozy"])
    file = tmp_path / "page.html"
    assert "Wrote" in done(project, what, account, "--format", "html", "--lang", language, "--out", str(file)).output
    text = file.read_text(encoding="utf-8")
    page = Page(text)
    assert page.tags <= {
        *("html", "head", "meta", "title", "link", "style", "body", "main", "header", "footer", "section", "div"),
        *("h1", "h2", "p", "dl", "dt", "dd", "ul", "li", "table", "caption", "thead", "tbody", "tr", "th", "td", "bdi"),
        *("span", "svg", "polyline", "circle"),
    }
    assert ("lang", language) in page.attributes
    assert "default-src 'none'" in text
    addresses = [value for name, value in page.attributes if name in {"href", "src", "action", "srcset", "data"}]
    assert addresses == ["data:,"]
    assert not [name for name, _ in page.attributes if name.startswith("on")]
    assert "url(" not in text
    assert not re.search(r"[\u202a-\u202e\u2066-\u2069]", text)
    if what == "brief":
        assert "Solo <b>X</b> Bcc: evil.example" in page.words


def test_markdown_shows_names_as_they_are(numbers: Numbers) -> None:
    project, known = numbers
    text = done(project, "brief", str(known["cozy"]), "--format", "md").output
    assert r"Solo \<b\>X\</b\> Bcc\: evil\.example" in text
    assert not re.search(r"(?<!\\)<", text)
    assert text.startswith(r"# Cozy\: brief")
    assert "## Why now" in text


def test_every_word_is_there_in_both_languages() -> None:
    from string import Formatter

    from handraise.faces.report.brief_words import WORDS

    assert set(WORDS["en"]) == set(WORDS["zh"])
    for key, text in WORDS["en"].items():
        fields = [{name for _, name, _, _ in Formatter().parse(one) if name} for one in (text, WORDS["zh"][key])]
        assert fields[0] == fields[1], key


def test_a_draft_is_read_approved_and_told(numbers: Numbers, tmp_path: Path) -> None:
    project, known = numbers
    number = str(known["acme"])
    said = done(project, "draft", number).output
    assert "Subject: What Acme asked about Board" in said
    assert "rests on 13 people active in 30 days" in said
    found = answer(project, "draft", number)
    assert found["blocked"] is None
    assert found["sha256"][:12] in said
    wrong = ["draft", number, "--approve", "--sha256", "0" * 64, "--project", str(project)]
    assert "another one by now" in runner.invoke(app, wrong).output
    kept = done(project, "draft", number, "--approve", "--sha256", found["sha256"], "--by", "kim").output
    assert "Approved by kim" in kept
    assert found["body"] in kept
    assert "Approved: this text" in done(project, "draft", "show", number).output
    words = tmp_path / "own.txt"
    words.write_text("Subject: Hello\n\nShall we talk?\n", encoding="utf-8")
    refused = runner.invoke(app, ["draft", number, "--approve", "--edited", str(words), "--project", str(project)])
    assert (refused.exit_code, "generic" in refused.output) == (1, True)
    words.write_text("Subject: Hello\n\n13 of you work with Board. What is missing?\n", encoding="utf-8")
    assert "13 of you" in done(project, "draft", number, "--approve", "--edited", str(words)).output
    assert runner.invoke(app, ["draft", number, "--sha256", "0" * 64, "--project", str(project)]).exit_code == 2
    none = done(project, "draft", str(known["byte"])).output
    assert "Refused (buyer_missing)" in none
    assert answer(project, "draft", str(known["byte"]))["sha256"] is None


def test_templates_are_listed_copied_and_tried(numbers: Numbers) -> None:
    project, _ = numbers
    rows = answer(project, "draft", "templates", "--lang", "en")
    assert {row["origin"] for row in rows} == {"shipped"}
    assert {row["kind"] for row in rows} == {"outreach", "talk", "story"}
    said = done(project, "draft", "templates", "--eject", "outreach/general", "--lang", "zh").output
    assert "templates/zh/outreach/general.txt" in said
    assert "project, hides the shipped one" in done(project, "draft", "templates").output
    tried = done(project, "draft", "preview", "outreach/general", "--accounts", "2", "--lang", "zh").output
    assert "(project, zh)" in tried
    assert "could be approved" in tried
    assert len(answer(project, "draft", "preview", "outreach/general", "--accounts", "1")) == 1
    assert runner.invoke(app, ["draft", "templates", "--lang", "xx", "--project", str(project)]).exit_code == 2
    (project / "templates" / "zh" / "outreach" / "general.txt").unlink()


def test_a_story_for_machines_has_what_it_rests_on(numbers: Numbers) -> None:
    project, _ = numbers
    found = json.loads(done(project, "story", "acme", "--format", "json").output)
    assert [part["level"] for part in found["parts"]] == ["individual", "team", "company"]
    assert all(part["cites"] for part in found["parts"])
    assert "The whole company" in done(project, "story", "acme").output
    refused = runner.invoke(app, ["story", "nobody", "--project", str(project)])
    assert (refused.exit_code, "no account" in refused.output) == (1, True)
