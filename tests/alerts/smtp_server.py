"""A mail server on this machine: speaks SMTP with STARTTLS and logins, keeps what it takes, and refuses as it is told."""

from __future__ import annotations

import base64
import contextlib
import socketserver
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any, cast


@dataclass(kw_only=True)
class Mailbox:
    """The server, as a test sees it.

    Attributes:
        port: Where it listens.
        taken: Mails: to whom, and as they came.
        replies: What it says to a command instead of `250 fine`; `drop` = it breaks off, `hang` = it says nothing.
        mailboxes: What it says to recipients whose address begins so.
        login: Name and password that it wants; None = nobody has to log in.
        commands: First words of everything that was said.
    """

    port: int = 0
    taken: list[tuple[tuple[str, ...], bytes]] = field(default_factory=list)
    replies: dict[str, str] = field(default_factory=dict)
    mailboxes: dict[str, str] = field(default_factory=lambda: {"nobody": "550 nobody"})
    login: tuple[str, str] | None = None
    commands: list[str] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    @property
    def mails(self) -> list[EmailMessage]:
        return [cast(EmailMessage, message_from_bytes(raw, policy=policy.default)) for _, raw in self.taken]


class _Talk(socketserver.StreamRequestHandler):
    """One connection."""

    server: _Server

    def handle(self) -> None:
        self.to: list[str] = []
        with contextlib.suppress(OSError, ValueError):
            self.say("220 test")
            while line := self.rfile.readline(2000).decode():
                word = line.split(None, 1)[0].strip().upper()
                self.server.box.commands.append(word)
                if not self.answer(word, line.strip()):
                    break
        self.connection.close()

    def say(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())
        self.wfile.flush()

    def answer(self, word: str, line: str) -> bool:
        """Whether the talk goes on."""
        reply = self.server.box.replies.get(word, "")
        if self.ends(reply):
            return False
        if reply:
            self.say(reply)
            return True
        known = {"EHLO": self.greet, "STARTTLS": self.encrypt, "AUTH": self.log_in, "RCPT": self.address}
        if word == "DATA":
            return self.take()
        known.get(word, lambda _: self.say("221 bye" if word == "QUIT" else "250 fine"))(line)
        return word != "QUIT"

    def ends(self, reply: str) -> bool:
        if reply == "hang":
            self.server.box.over.wait(5)
        return reply in {"drop", "hang"}

    def greet(self, _: str) -> None:
        encrypts = self.server.certificate and not isinstance(self.connection, ssl.SSLSocket)
        more = ["250-STARTTLS"] if encrypts else []
        self.say("\r\n".join(["250-test", *more, "250-8BITMIME", "250 AUTH PLAIN"]))

    def encrypt(self, _: str) -> None:
        self.say("220 go")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(str(self.server.certificate))
        self.connection = context.wrap_socket(self.connection, server_side=True)
        self.rfile = self.connection.makefile("rb")
        self.wfile = cast("Any", self.connection.makefile("wb"))

    def log_in(self, line: str) -> None:
        given = base64.b64decode(line.split()[2]).decode().split("\0")
        self.say("235 fine" if self.server.box.login == (given[1], given[2]) else "535 no")

    def address(self, line: str) -> None:
        self.to.append(line.partition("<")[2].partition(">")[0])
        reply = next(
            (said for name, said in self.server.box.mailboxes.items() if self.to[-1].startswith(name)), "250 fine"
        )
        self.say(reply)
        if not reply.startswith("250"):
            self.to.pop()

    def take(self) -> bool:
        self.say("354 go")
        raw = b""
        while (line := self.rfile.readline()) != b".\r\n":
            raw += line[1:] if line.startswith(b"..") else line
        reply = self.server.box.replies.get("END", "250 taken")
        if reply.startswith(("250", "drop", "hang")):
            self.server.box.taken.append((tuple(self.to), raw))
        if self.ends(reply):
            return False
        self.say(reply)
        return True


class _Server(socketserver.ThreadingTCPServer):
    """All connections."""

    daemon_threads = True

    def __init__(self, box: Mailbox, certificate: Path | None) -> None:
        self.box, self.certificate = box, certificate
        super().__init__(("127.0.0.1", 0), _Talk)


@contextlib.contextmanager
def receiving_mail(certificate: Path | None = None) -> Iterator[Mailbox]:
    """A server; one with a certificate offers STARTTLS."""
    box = Mailbox()
    with _Server(box, certificate) as server:
        box.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield box
        finally:
            box.over.set()
            server.shutdown()
            thread.join()
