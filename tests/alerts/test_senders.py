"""Webhooks, Slack and e-mail against real servers: what arrives, what answers mean, and what strangers' names cannot do."""

import base64
import json
import shutil
import smtplib
import ssl
import subprocess
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks.webhooks import Webhook as Verifier

from alerts.messages import HOSTILE_NAME, ITEM, item, message
from alerts.smtp_server import receiving_mail
from handraise.alerts.mail import mailbox_digest
from handraise.alerts.protocol import Reach
from handraise.alerts.registry import missing_variables, open_sender
from handraise.net.limits import Limits
from handraise.playbook.alerts import Destination, EmailTo, SlackTo, WebhookTo
from handraise.records.alerting import AlertMessage, Outcome
from net.loopback import Loopback, Seen, serving

SECRET = "whsec_" + base64.b64encode(b"a secret of twenty-four b").decode()
ENVIRONMENT = {"SECRET": SECRET, "TOKEN": "xoxb-1", "USER": "kim", "PASSWORD": "pass"}
HERE = ["127.0.0.1"]
LOGIN = {"user_env": "USER", "password_env": "PASSWORD"}
BOT = {"token_env": "TOKEN", "channel": "C012"}
Answer = tuple[int, dict[str, str], bytes]


def send(
    rules: Destination, wanted: AlertMessage, *, seconds: float = 5, tls: ssl.SSLContext | None = None, **more: str
) -> Outcome:
    here = Limits(seconds=seconds, tls=tls, resolve=lambda *_: ["127.0.0.1"])
    return open_sender(rules, Reach(environment={**ENVIRONMENT, **more}, limits=here)).send(wanted)


def webhook(server: Loopback, **more: Any) -> WebhookTo:
    return WebhookTo.model_validate(
        {"kind": "webhook", "url": f"{server.url}/in", "secret_env": "SECRET", "allow_private": HERE, **more}
    )


def slack(**more: Any) -> SlackTo:
    return SlackTo.model_validate({"kind": "slack", "allow_private": HERE, **more})


def mail(port: int, **more: Any) -> EmailTo:
    return EmailTo.model_validate(
        {
            "kind": "email",
            "host": "mail.example",
            "port": port,
            "security": "none",
            "sender": "alerts@acme.example",
            "to": ["kim@acme.example", "lee@acme.example"],
            "allow_private": HERE,
            **more,
        }
    )


def test_a_webhook_is_signed_so_that_its_receiver_can_check_it() -> None:
    import datetime

    at = datetime.datetime.now(datetime.UTC)  # the library compares with the real time
    wanted = AlertMessage(id="msg_1", sequence=7, at=at, language="en", timezone="UTC", items=(ITEM,))
    with serving() as server:
        assert send(webhook(server), wanted).kind == "sent"
        assert send(webhook(server), wanted).kind == "sent"
    first, second = server.seen
    verified = Verifier(SECRET).verify(first.body, first.headers)
    assert first.headers["webhook-id"] == second.headers["webhook-id"] == "msg_1"
    assert verified["type"] == "handoff.created"
    data = verified["data"]
    assert (data["number"], data["sequence"], data["version"], data["changes"]) == (4, 7, 1, ["created"])
    assert (data["account_name"], data["person_name"], data["due_at"]) == (
        "Orbaden",
        "Ann Ozerny",
        "2026-11-25T10:00:00+00:00",
    )
    assert data["because"] == list(ITEM.because)


ANSWERS = [
    (200, {}, "sent", None),
    (204, {}, "sent", None),
    (400, {}, "refused", None),
    (413, {}, "refused", None),
    (422, {}, "refused", None),
    (401, {}, "denied", None),
    (403, {}, "denied", None),
    (404, {}, "denied", None),
    (410, {}, "denied", None),
    (307, {"Location": "http://127.0.0.1:1/"}, "denied", None),
    (408, {}, "unknown", None),
    (500, {}, "unknown", None),
    (503, {}, "unknown", None),
    (429, {}, "later", None),
    (429, {"Retry-After": "90"}, "later", timedelta(seconds=90)),
    (503, {"Retry-After": "Wed, 25 Nov 2026 09:40:00 GMT"}, "later", timedelta(minutes=10)),
]


@pytest.mark.parametrize(("status", "headers", "kind", "wait"), ANSWERS)
def test_what_an_answer_means(status: int, headers: dict[str, str], kind: str, wait: timedelta | None) -> None:
    with serving(lambda _: (status, headers, b"Ann Ozerny is not known")) as server:
        for rules, more in ((webhook(server), {}), (slack(url_env="HOOK"), {"HOOK": f"{server.url}/services/x"})):
            outcome = send(rules, message(ITEM), **more)
            assert (outcome.kind, outcome.wait) == (kind, wait)
            assert "Ann" not in outcome.said, "an answer may name people, and what is kept of it may not"


def test_what_may_have_arrived_is_told_from_what_cannot_have() -> None:
    def late(_: Seen) -> Answer:
        time.sleep(0.6)
        return 200, {}, b""

    with serving(late) as server:
        assert send(webhook(server), message(ITEM), seconds=0.3).kind == "unknown"
    assert send(webhook(server), message(ITEM)).kind == "unsent"
    private = WebhookTo.model_validate({"kind": "webhook", "url": "http://crm.example/", "secret_env": "SECRET"})
    assert send(private, message(ITEM)).kind == "denied", "its name leads to this machine, which is not allowed"


def test_a_secret_that_is_none_is_said() -> None:
    with serving() as server:
        assert send(webhook(server), message(ITEM), SECRET="whsec_*").kind == "denied"  # noqa: S106 - is none
    assert server.seen == []


def test_what_the_environment_lacks_is_named() -> None:
    rules = slack(**BOT)
    assert missing_variables(rules, Reach(environment={})) == ("TOKEN",)
    assert missing_variables(rules, Reach(environment={"TOKEN": ""})) == ("TOKEN",)
    assert missing_variables(rules, Reach(environment=ENVIRONMENT)) == ()


def test_slack_gets_blocks_in_which_names_are_nothing_but_text() -> None:
    wanted = message(
        item(account_name=HOSTILE_NAME, person_name=HOSTILE_NAME, because=(HOSTILE_NAME,), owner=HOSTILE_NAME)
    )
    with serving(lambda _: (200, {}, b"ok")) as server:
        assert send(slack(url_env="HOOK"), wanted, HOOK=f"{server.url}/services/T/B/x").kind == "sent"
    (seen,) = server.seen
    said = json.loads(seen.body)
    texts = [said["text"], *(block["text"]["text"] for block in said["blocks"])]
    assert all("<" not in text and ">" not in text for text in texts)
    assert "&lt;!channel&gt;" in texts[1]
    assert "\u202e" not in texts[1]
    assert texts[1].count("\n") == 5, "a name brings no line of its own"
    assert {block["text"]["verbatim"] for block in said["blocks"]} == {True}
    assert (said["link_names"], said["parse"], said["unfurl_links"]) == (False, "none", False)
    bold = texts[1].splitlines()[0]
    assert bold.startswith("*")
    assert bold.endswith("*")
    assert all(bold[at + 1] == "\u2060" for at in range(1, len(bold) - 1) if bold[at] in "*_`~")


@pytest.mark.parametrize("lane", ["sales", "find_buyer"])
def test_who_is_called_like_a_command_in_slack_is_nothing_but_text(lane: Any) -> None:
    name = "handraise handoff 4 `<!channel>`"
    wanted = message(item(lane=lane, person_name=name, owner=name, because=(name,)), item(owner=None, queue=name))
    with serving(lambda _: (200, {}, b"ok")) as server:
        assert send(slack(url_env="HOOK"), wanted, HOOK=server.url).kind == "sent"
    texts = [block["text"]["text"] for block in json.loads(server.seen[0].body)["blocks"]]
    assert not any("<" in text or ">" in text for text in texts)
    assert "owner: handraise handoff 4 `\u2060&lt;!channel&gt;`\u2060" in texts[1].splitlines()
    assert "answer with: `handraise handoff 4 accept --by NAME`" in texts[1].splitlines(), "ours is a command"


def test_a_digest_in_slack_is_one_message_that_fits() -> None:
    with serving(lambda _: (200, {}, b"ok")) as server:
        many = message(*(item(number=n, object=f"handoff {n}") for n in range(1, 61)))
        assert send(slack(url_env="HOOK"), many, HOOK=server.url).kind == "sent"
    said = json.loads(server.seen[0].body)
    assert said["text"] == "60 handoffs"
    assert len(said["blocks"]) == 47
    assert "15" in said["blocks"][-1]["text"]["text"]


BOT_ANSWERS = [
    (b'{"ok": true}', {}, "sent"),
    (b'{"ok": false, "error": "invalid_auth"}', {}, "denied"),
    (b'{"ok": false, "error": "channel_not_found"}', {}, "denied"),
    (b'{"ok": false, "error": "msg_too_long"}', {}, "refused"),
    (b'{"ok": false, "error": "internal_error"}', {}, "unknown"),
    (b'{"ok": false, "error": "ratelimited"}', {"Retry-After": "30"}, "later"),
    (b"<html>", {}, "unknown"),
    (b"[]", {}, "unknown"),
]


@pytest.mark.parametrize(("body", "headers", "kind"), BOT_ANSWERS)
def test_a_bot_of_slack_reads_what_stands_in_the_answer(body: bytes, headers: dict[str, str], kind: str) -> None:
    with serving(lambda _: (200, headers, body)) as server:
        bot = slack(**BOT, api=f"{server.url}/api/")
        assert send(bot, message(ITEM)).kind == kind
    (seen,) = server.seen
    assert (seen.path, seen.headers["authorization"]) == ("/api/chat.postMessage", "Bearer xoxb-1")
    assert json.loads(seen.body)["channel"] == "C012"


def test_a_mail_arrives_as_text_and_as_html_under_an_id_that_stays() -> None:
    with receiving_mail() as box:
        for _ in range(2):
            assert send(mail(box.port), message(ITEM)) == Outcome(kind="sent")
    first, second = box.mails
    assert first["Message-ID"] == second["Message-ID"] == "<msg_17@acme.example>"
    assert (first["Subject"], first["To"]) == ("New handoff 4: Orbaden (high)", "kim@acme.example, lee@acme.example")
    assert first["From"] == "handraise <alerts@acme.example>"
    text, html = (part.get_content() for part in first.iter_parts())
    assert "handraise handoff 4 claim --by NAME" in text
    assert "<h3>New handoff 4: Orbaden (high)</h3>" in html
    assert box.taken[0][0] == ("kim@acme.example", "lee@acme.example")


def test_a_mail_in_chinese_is_readable() -> None:
    with receiving_mail() as box:
        assert send(mail(box.port), message(ITEM, language="zh")).kind == "sent"
    assert box.mails[0]["Subject"] == "新的交接 4：Orbaden（高优先级）"
    assert "联系 Ann Ozerny" in next(box.mails[0].iter_parts()).get_content()
    assert box.taken[0][1].isascii(), "servers that know no other signs pass it on too"


def test_a_name_brings_no_header_no_recipient_and_no_markup_into_a_mail() -> None:
    with receiving_mail() as box:
        wanted = message(item(account_name=HOSTILE_NAME, person_name=HOSTILE_NAME, because=(HOSTILE_NAME, ".\r\nQUIT")))
        assert send(mail(box.port), wanted).kind == "sent"
    (made,) = box.mails
    assert made["Bcc"] is None
    assert len(made.get_all("Subject", [])) == 1
    assert box.taken[0][0] == ("kim@acme.example", "lee@acme.example")
    html = list(made.iter_parts())[1].get_content()
    assert "<script" not in html
    assert "&lt;script" in html


@pytest.mark.parametrize(
    ("replies", "kind", "arrived"),
    [
        ({"MAIL": "550 no"}, "unsent", 0),
        ({"RCPT": "550 nobody"}, "refused", 0),
        ({"RCPT": "450 later"}, "unsent", 0),
        ({"DATA": "451 later"}, "unsent", 0),
        ({"EHLO": "drop"}, "unsent", 0),
        ({"MAIL": "hang"}, "unsent", 0),
        ({"END": "554 spam"}, "refused", 0),
        ({"END": "451 later"}, "unsent", 0),
        ({"END": "drop"}, "unknown", 1),
        ({"END": "hang"}, "unknown", 1),
        ({"QUIT": "drop"}, "sent", 1),
        ({"QUIT": "hang"}, "sent", 1),
    ],
)
def test_a_mail_whose_fate_is_not_known_is_told_from_one_that_was_not_taken(
    replies: dict[str, str], kind: str, arrived: int
) -> None:
    with receiving_mail() as box:
        box.replies = replies
        assert send(mail(box.port), message(ITEM), seconds=0.5).kind == kind
        box.over.set()
    assert len(box.taken) == arrived


def test_a_mailbox_that_is_not_there_keeps_no_mail_from_the_others() -> None:
    with receiving_mail() as box:
        outcome = send(mail(box.port, to=["nobody@acme.example", "kim@acme.example"]), message(ITEM))
    assert outcome == Outcome(kind="sent", said="1 of 2 mailboxes were not taken.")


def test_who_is_refused_for_the_time_being_is_owed_the_mail_and_gets_it_alone() -> None:
    rules = ["nobody@acme.example", "kim@acme.example", "lee@acme.example"]
    with receiving_mail() as box:
        box.mailboxes["lee"] = "451 4.7.1 greylisted"
        first = send(mail(box.port, to=rules), message(ITEM))
        assert first.kind == "sent"
        assert first.said == ("1 of 3 mailboxes were not taken. 1 of 3 mailboxes were not taken yet.")
        assert first.owed == (mailbox_digest("lee@acme.example"),)
        again = replace(message(ITEM), owed=first.owed)
        assert send(mail(box.port, to=rules), again).kind == "unsent"
        del box.mailboxes["lee"]
        assert send(mail(box.port, to=rules), again) == Outcome(kind="sent")
        assert send(mail(box.port, to=rules[:2]), again).kind == "sent", "somebody took it out of the playbook"
    assert [to for to, _ in box.taken] == [("kim@acme.example",), ("lee@acme.example",)]
    assert box.mails[0]["Message-ID"] == box.mails[1]["Message-ID"]


def test_a_server_that_drips_is_left_at_the_deadline() -> None:
    import socket

    from net.loopback import talking

    def drip(connection: socket.socket) -> None:
        for _ in range(100):
            connection.sendall(b"220-x\r\n")
            time.sleep(0.02)

    with talking(drip) as port:
        began = time.monotonic()
        assert send(mail(port), message(ITEM), seconds=0.4).kind == "unsent"
        assert time.monotonic() - began < 1.5


@pytest.mark.parametrize(("word", "kind"), [("EHLO", "unsent"), ("MAIL", "unsent"), ("END", "unknown")])
def test_a_reply_without_end_is_not_kept(word: str, kind: str) -> None:
    with receiving_mail() as box:
        box.replies = {word: "250-on and on\r\n" * 40_000 + "250 fine"}
        assert send(mail(box.port), message(ITEM)).kind == kind


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Key and certificate of mail.example in one file, and the certificate alone beside it."""
    made = tmp_path_factory.mktemp("tls") / "both.pem"
    openssl = shutil.which("openssl")
    assert openssl
    wanted = "-x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=mail.example"
    parts = [*wanted.split(), "-addext", "subjectAltName=DNS:mail.example"]
    out = ["-keyout", str(made), "-out", str(made.with_suffix(".crt"))]
    subprocess.run([openssl, "req", *parts, *out], check=True, capture_output=True)  # noqa: S603 - fixed arguments
    made.write_text(made.read_text() + made.with_suffix(".crt").read_text())
    return made


def test_who_logs_in_does_so_over_an_encrypted_connection_to_a_server_of_that_name(certificate: Path) -> None:
    trusted = ssl.create_default_context(cafile=str(certificate.with_suffix(".crt")))

    def secured(port: int, **more: str) -> EmailTo:
        return mail(port, security="starttls", **LOGIN, **more)

    with receiving_mail(certificate) as box:
        box.login = ("kim", "pass")
        assert send(secured(box.port), message(ITEM), tls=trusted).kind == "sent"
        assert box.commands[:4] == ["EHLO", "STARTTLS", "EHLO", "AUTH"]
        assert send(secured(box.port), message(ITEM), tls=trusted, PASSWORD="wrong").kind == "denied"  # noqa: S106 - is none
        del box.commands[:]
        assert send(secured(box.port, host="other.example"), message(ITEM), tls=trusted).kind == "unsent"
        assert send(secured(box.port), message(ITEM)).kind == "unsent", "its certificate is trusted by nobody"
        assert "AUTH" not in box.commands
    with receiving_mail() as box:  # somebody in between takes STARTTLS away
        assert send(secured(box.port), message(ITEM), tls=trusted).kind == "unsent"
        assert "AUTH" not in box.commands
    assert len(box.taken) == 0


def test_the_library_still_asks_us_for_its_connection() -> None:
    assert hasattr(smtplib.SMTP, "_get_socket"), "mail.py hands it the connection that was checked"
