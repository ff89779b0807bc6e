"""Mailboxes of the team, by SMTP. A server that took a message may not have said so: such a one is not sent again by itself."""

from __future__ import annotations

import hashlib
import io
import smtplib
import socket
import ssl
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from email import policy
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from html import escape

from handraise.alerts.protocol import Reach, outcome_of_failure
from handraise.alerts.words import headline, lines, text_of, title
from handraise.errors import AddressError, RemoteError
from handraise.net.guard import read_networks
from handraise.net.limits import Limits
from handraise.net.reach import connect
from handraise.playbook.alerts import EmailTo
from handraise.records.alerting import AlertItem, AlertMessage, Outcome

_PORTS = {"starttls": 587, "tls": 465, "none": 25}
# Nothing but ASCII on the wire, so that every server can pass it on.
_PLAIN = policy.SMTP.clone(cte_type="7bit")
_XLSX = "vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_MOST_REPLIES = 256 * 1024  # bytes of all replies of one talk; 50 mailboxes need a tenth of it
_REFUSED = 400  # from here on a reply of SMTP says no
_FINAL = 500  # from here on a reply of SMTP is for good


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """A spreadsheet that goes out by mail.

    Attributes:
        id: Of the message.
        at: When it was made.
        subject: Of the mail.
        text: Of the mail.
        file_name: Of the spreadsheet, which is a .xlsx.
        content: Of the file.
    """

    id: str
    at: datetime
    subject: str
    text: str
    file_name: str
    content: bytes


@dataclass(frozen=True, kw_only=True)
class Mail:
    """Sends to some mailboxes by one server."""

    rules: EmailTo
    limits: Limits
    user: str | None = None
    password: str | None = None
    repeatable: bool = False

    def send(self, message: AlertMessage) -> Outcome:
        """Send a message as a mail."""
        to = tuple(one for one in self.rules.to if not message.owed or mailbox_digest(one) in message.owed)
        if not to:
            return Outcome(kind="sent", said="the mailboxes that did not have it are not named any more.")
        return self.send_mail(mail_of(message, self.rules), to)

    def send_mail(self, made: EmailMessage, to: Sequence[str] | None = None) -> Outcome:
        """Send a mail, to some mailboxes or to all. Until its last byte is out, whatever fails means that nothing was sent."""
        try:
            with self._connected() as server:
                self._introduce(server)
                return self._hand_over(server, made.as_bytes(), to or self.rules.to)
        except AddressError as error:
            return Outcome(kind="denied", said=error.what)
        except RemoteError as error:
            return outcome_of_failure(error)
        except smtplib.SMTPAuthenticationError as error:
            return Outcome(kind="denied", said=f"logging in was refused ({error.smtp_code}).")
        except (smtplib.SMTPException, OSError) as error:
            return Outcome(kind="unsent", said=f"the mail server did not do its part ({type(error).__name__}).")

    @contextmanager
    def _connected(self) -> Iterator[smtplib.SMTP]:
        """A server that greeted; everything has to be over in time, however slowly it talks."""
        port = self.rules.port or _PORTS[self.rules.security]
        connection = connect(self.rules.host, port, self.limits)
        same = connection.dup()  # what encrypts the connection takes the socket itself
        over = threading.Timer(self.limits.seconds, _cut, [same])
        over.start()
        try:
            if self.rules.security == "tls":
                connection = self._trusted().wrap_socket(connection, server_hostname=self.rules.host)
            server = _Smtp(connection, self.rules.host, self.limits.seconds)
            try:
                yield server
            finally:
                # What became of the mail is known by now: no failure in parting may make it another.
                with suppress(smtplib.SMTPException, OSError):
                    server.putcmd("QUIT")
                server.close()
        finally:
            over.cancel()
            same.close()
            connection.close()

    def _introduce(self, server: smtplib.SMTP) -> None:
        server.ehlo_or_helo_if_needed()
        if self.rules.security == "starttls":
            server.starttls(context=self._trusted())
            server.ehlo_or_helo_if_needed()
        if self.user is not None:
            server.login(self.user, self.password or "")

    def _hand_over(self, server: smtplib.SMTP, content: bytes, to: Sequence[str]) -> Outcome:
        _expect(server.mail(self.rules.sender))
        replies = [server.rcpt(one)[0] for one in to]
        taken = [code for code in replies if code < _REFUSED]
        if not taken:
            final = all(code >= _FINAL for code in replies)
            return Outcome(kind="refused" if final else "unsent", said=f"no mailbox was taken ({replies[0]}).")
        owed = tuple(mailbox_digest(one) for one, code in zip(to, replies, strict=True) if _REFUSED <= code < _FINAL)
        try:
            code, _ = server.data(content)
        except smtplib.SMTPDataError as error:  # it did not want to hear it, so it has nothing
            return Outcome(kind="unsent", said=f"the mail was not wanted ({error.smtp_code}).")
        except (smtplib.SMTPException, OSError):
            return Outcome(kind="unknown", said="the mail server broke off while it took the mail.")
        if code >= _REFUSED:
            return Outcome(kind="refused" if code >= _FINAL else "unsent", said=f"the mail was not taken ({code}).")
        return Outcome(kind="sent", said=_missed(replies), owed=owed)

    def _trusted(self) -> ssl.SSLContext:
        return self.limits.tls or ssl.create_default_context()


class _Smtp(smtplib.SMTP):
    """Talks over a connection that is there already: the one whose address was checked."""

    def __init__(self, connection: socket.socket, host: str, seconds: float) -> None:
        self._ready = connection
        super().__init__(host, timeout=seconds, local_hostname="localhost")

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        del host, port
        self._ready.settimeout(timeout)
        return self._ready

    def getreply(self) -> tuple[int, bytes]:
        """The next reply; the library would keep each of its lines, however many there are."""
        if self.file is None and self.sock is not None:
            self.file = _Replies(self.sock.makefile("rb", buffering=0))
        return super().getreply()


class _Replies(io.BufferedReader):
    """What a server replies: so many bytes of it, then it counts as broken off."""

    _left = _MOST_REPLIES

    def readline(self, size: int | None = -1, /) -> bytes:
        """The next line, at most `size` bytes of it."""
        line = super().readline(size)
        self._left -= len(line)
        if self._left < 0:
            raise OSError("the mail server replies without end")
        return line


def open_mail(rules: EmailTo, reach: Reach) -> Mail:
    """The sender for a destination whose variables are all set."""
    limits = replace(reach.limits, allow=(*reach.limits.allow, *read_networks(rules.allow_private)))
    user, password = (name and reach.environment[name] for name in (rules.user_env, rules.password_env))
    return Mail(rules=rules, limits=limits, user=user, password=password)


def mail_of(message: AlertMessage, rules: EmailTo) -> EmailMessage:
    """The mail: plain text, and the same as HTML. Its Message-ID stays the same however often it is sent."""
    made = _headed(rules, headline(message), message.id, message.at)
    made.set_content(text_of(message))
    made.add_alternative(_html(message), subtype="html")
    return made


def sheet_mail(rules: EmailTo, sheet: Sheet) -> EmailMessage:
    """A mail that brings a spreadsheet."""
    made = _headed(rules, sheet.subject, sheet.id, sheet.at)
    made.set_content(sheet.text)
    made.add_attachment(sheet.content, maintype="application", subtype=_XLSX, filename=sheet.file_name)
    return made


def mailbox_digest(address: str) -> str:
    """What a mailbox is known by where messages wait: the queue holds no addresses."""
    return hashlib.sha256(address.casefold().encode()).hexdigest()[:16]


def _missed(replies: Sequence[int]) -> str:
    """Which mailboxes did not get what others got; empty = all did."""
    later = sum(_REFUSED <= code < _FINAL for code in replies)
    never = sum(code >= _FINAL for code in replies)
    told = [f"{never} of {len(replies)} mailboxes were not taken."] if never else []
    told += [f"{later} of {len(replies)} mailboxes were not taken yet."] if later else []
    return " ".join(told)


def _headed(rules: EmailTo, subject: str, message_id: str, at: datetime) -> EmailMessage:
    made = EmailMessage(_PLAIN)
    made["From"] = Address("handraise", addr_spec=rules.sender)
    made["To"] = ", ".join(rules.to)
    made["Subject"] = subject
    made["Date"] = format_datetime(at)
    made["Message-ID"] = f"<{message_id}@{rules.sender.rpartition('@')[2]}>"
    made["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office replies
    return made


def _html(message: AlertMessage) -> str:
    parts = "".join(_part(item, message) for item in message.items) or f"<p>{escape(headline(message))}</p>"
    return f'<!doctype html><html lang="{message.language}"><body>{parts}</body></html>'


def _part(item: AlertItem, message: AlertMessage) -> str:
    below = (
        f"<b>{escape(one.label)}</b>: {escape(one.said)}" if one.label else escape(one.said)
        for one in lines(item, message)
    )
    return f"<h3>{escape(title(item, message.language))}</h3><p>{'<br>'.join(below)}</p>"


def _expect(reply: tuple[int, bytes]) -> None:
    code, said = reply
    if code >= _REFUSED:
        raise smtplib.SMTPResponseException(code, said)


def _cut(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
