"""A rep's day from the command line: the inbox, why it is there, what becomes of it, and why another account is not."""

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from alerts.smtp_server import receiving_mail
from faces.typed import answer, done, runner
from handraise.faces.cli.app import app
from handraise.service.sheets import read_sheet
from support import write

NOON = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0) - timedelta(days=1)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ann asks to talk to sales; Bob only looks around."""
    folder = tmp_path_factory.mktemp("acting")
    events = [
        {
            "event_id": f"{who}{n}",
            "person_id": who,
            "name": "open",
            "timestamp": (NOON - timedelta(days=n)).isoformat(),
            "workspace_id": ws,
        }
        for who, ws in (("ann", "acme"), ("bob", "byte"))
        for n in range(4)
    ]
    events.append({**events[0], "event_id": "ask", "name": "contact_sales"})
    people = [
        {"person_id": "ann", "name": "Ann", "title": "Head of IT"},
        {"person_id": "bob", "name": "Bob", "title": ""},
    ]
    accounts = [
        {"account_id": "acme", "name": "Acme", "owner": ""},
        {"account_id": "byte", "name": "Byte", "owner": ""},
    ]
    spaces = [{"workspace_id": one, "account_id": one} for one in ("acme", "byte")]
    write(folder / "files", {"events": events, "people": people, "accounts": accounts, "workspaces": spaces})
    assert runner.invoke(app, ["init", str(folder / "p")]).exit_code == 0
    done(folder / "p", "load", str(folder / "files"))
    assert "New handoffs: 1." in done(folder / "p", "refresh").output
    return folder / "p"


def test_the_inbox_shows_whom_to_talk_to_and_why(project: Path) -> None:
    said = " ".join(done(project, "inbox").output.split())
    assert "Acme" in said
    assert "Ann, Head of IT" in said
    assert "asked to talk to sales" in said
    assert "Byte" not in said
    assert "要求联系销售" in done(project, "inbox", "--lang", "zh").output
    assert "No handoff fits that" in done(project, "inbox", "--lane", "top_down").output
    assert runner.invoke(app, ["inbox", "--lane", "nowhere", "--project", str(project)]).exit_code == 2


def test_what_becomes_of_it_is_said_step_by_step_and_taken_back(project: Path) -> None:
    [row] = answer(project, "inbox")
    number = str(row["handoff"]["id"])
    assert "nobody's" in done(project, "handoff", number).output
    assert "working, kim's" in done(project, "handoff", number, "claim", "--by", "kim").output
    said = done(project, "handoff", number, "contacted", "--by", "kim", "--channel", "email").output
    assert "kim: contacted, email" in said
    refused = runner.invoke(app, ["handoff", number, "accept", "--by", "lee", "--project", str(project)])
    assert refused.exit_code == 1
    assert "is kim's" in refused.output
    assert runner.invoke(app, ["handoff", number, "sing", "--project", str(project)]).exit_code == 2
    said = done(project, "handoff", number, "won", "--by", "kim", "--amount", "9000").output
    assert "closed" in said
    assert "The account is won" in said
    assert "Nobody is asked to act" in done(project, "inbox").output
    assert "(taken back)" in done(project, "handoff", number, "undo", "--by", "kim").output
    assert [one["handoff"]["status"] for one in answer(project, "inbox")] == ["working"]


def test_why_an_account_is_not_in_it(project: Path) -> None:
    assert "No trigger has fired" in done(project, "why-not", "byte").output
    said = " ".join(done(project, "why-not", "acme").output.split())
    assert "is under way" in said
    assert "somebody asked, and is answered by a person" in said
    found = answer(project, "why-not", "acme")
    assert found["decisions"][0]["reasons"][0]["trigger"] == "contact_sales"
    refused = runner.invoke(app, ["why-not", "nobody", "--project", str(project)])
    assert refused.exit_code == 1
    assert "there is no account" in refused.output


def test_who_takes_handoffs(project: Path) -> None:
    assert "Nobody is on the roster" in done(project, "roster").output
    file = project / "handraise.yaml"
    before = file.read_text(encoding="utf-8")
    reps = "{kim: {name: Kim Lee, capacity: 4, known_as: [k.lee]}, lee: {active: false}}"
    teams = "{inside_sales: {members: [kim]}}"
    assert "    reps: {}  " in before
    file.write_text(
        before.replace("    reps: {}  ", f"    reps: {reps}  ").replace("    teams: {}  ", f"    teams: {teams}  "),
        encoding="utf-8",
    )
    try:
        said = " ".join(done(project, "roster").output.split())
        assert re.search(r"kim Kim Lee inside_sales (at work|back \w+ 09:00Z) \d 4", said)
        assert "lee takes nothing any more" in said
        [row] = [one for one in answer(project, "roster")["reps"] if one["rep"] == "kim"]
        assert row["capacity"] == 4
        number = str(answer(project, "inbox")[0]["handoff"]["id"])
        assert "kim: note, hello" in done(project, "handoff", number, "note", "--note", "hello", "--by", "k.lee").output
        refused = runner.invoke(
            app, ["handoff", number, "reassign", "--to", "lee", "--by", "kim", "--project", str(project)]
        )
        assert "lee takes no handoffs any more" in refused.output
        assert answer(project, "inbox", "--owner", "lee") == []
        refused = runner.invoke(app, ["inbox", "--owner", "leee", "--project", str(project)])
        assert "Did you mean 'lee'" in refused.output
        assert len(answer(project, "inbox", "--owner", "k.lee")) == 1
    finally:
        file.write_text(before, encoding="utf-8")


def test_signals_are_rated(project: Path) -> None:
    number = str(answer(project, "inbox")[0]["handoff"]["id"])
    said = done(project, "handoff", number, "rate", "--signal", "contact_sales", "--rating", "5").output
    assert "contact_sales: 5 of 5" in said
    refused = runner.invoke(
        app, ["handoff", number, "rate", "--signal", "became_hot", "--rating", "5", "--project", str(project)]
    )
    assert "--signal contact_sales --rating 4" in " ".join(refused.output.split())


def test_people_who_do_not_want_to_be_written_to(project: Path, tmp_path: Path) -> None:
    listed = tmp_path / "unsubscribed.txt"
    listed.write_text("\ufeffAnn@Acme.com\n\n bob \n", encoding="utf-8")
    assert "2 of 2 will not be written to" in done(project, "suppress", "--file", str(listed)).output
    assert "0 of 1 will not be written to" in done(project, "suppress", "ann@acme.com").output
    assert "1 of 1 may be written to again" in done(project, "suppress", "ANN@acme.com", "--remove").output
    for wrong in (["suppress"], ["suppress", "x", "--reason", "erasure"]):
        assert runner.invoke(app, [*wrong, "--project", str(project)]).exit_code == 2


def test_a_sheet_goes_out_and_comes_back(project: Path, tmp_path: Path) -> None:
    file = tmp_path / "kim.csv"
    said = done(project, "pilot", "export", "--out", str(file)).output
    assert f"Wrote 1 handoffs to {file}" in said.replace("\n", "")
    text = file.read_text(encoding="utf-8-sig")
    row = text.splitlines()[1]
    assert "Ann,Head of IT" in row
    file.write_text(text.replace(row, row.removesuffix(",") + ",met at the fair"), encoding="utf-8")
    assert "1 things are new" in done(project, "pilot", "import", str(file), "--by", "kim").output
    assert "0 things are new" in done(project, "pilot", "import", str(file), "--by", "kim").output
    file.write_text(text.replace(row, row.replace("1,", "99,", 1).removesuffix(",") + ",hm"), encoding="utf-8")
    refused = runner.invoke(app, ["pilot", "import", str(file), "--project", str(project), "--json"])
    assert refused.exit_code == 1
    assert "there is no handoff 99" in json.loads(refused.stdout)[0]["refused"]


def test_a_sheet_goes_to_a_mailbox(project: Path, tmp_path: Path) -> None:
    file = project / "handraise.yaml"
    before = file.read_text(encoding="utf-8")
    with receiving_mail() as box:
        mailbox = f"{{kind: email, host: 127.0.0.1, port: {box.port}, security: none, sender: a@example.com, to: [kim@example.com]"
        text = f"{before}\nalerts: {{destinations: {{kim: {mailbox}, allow_private: [127.0.0.1/32]}}}}}}\n"
        file.write_text(text, encoding="utf-8")
        try:
            said = done(project, "pilot", "export", "--mail", "kim").output
            assert "Sent 1 handoffs to kim" in said
            box.replies["DATA"] = "554 no"
            refused = runner.invoke(app, ["pilot", "export", "--mail", "kim", "--project", str(project)])
            assert refused.exit_code == 1
            assert "the sheet was not sent" in refused.output
        finally:
            file.write_text(before, encoding="utf-8")
    [mail] = box.mails
    assert mail["To"] == "kim@example.com"
    [sheet] = mail.iter_attachments()
    (tmp_path / "got.xlsx").write_bytes(sheet.get_content())
    [(_, row)] = read_sheet(tmp_path / "got.xlsx")
    assert row["account_id"] == "acme"
    for wrong in ([], ["--out", "x.xlsx", "--mail", "kim"]):
        assert runner.invoke(app, ["pilot", "export", *wrong, "--project", str(project)]).exit_code == 2
