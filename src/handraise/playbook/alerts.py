"""The `alerts:` section of the playbook: where the team is told about handoffs, about which, and when. No secret stands in it."""

from __future__ import annotations

from datetime import time
from email.errors import MessageError
from email.headerregistry import Address
from typing import Annotated, Literal

from pydantic import AfterValidator, Discriminator, Field, field_validator, model_validator

from handraise.errors import AddressError
from handraise.net.guard import check_url
from handraise.playbook.local_time import LocalTime, TimeZone
from handraise.playbook.networks import Networks
from handraise.playbook.section import Language, Name, Section
from handraise.records.acting import Lane, Priority
from handraise.records.alerting import AlertKind, Notice

VariableName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
_TOLD: tuple[AlertKind, ...] = ("created", "joined", "assigned", "ended", "reopened")
# No spaces, no line ends, no brackets: nothing that could become another header.
_MAIL = r"^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9.-]{1,253}$"


def _can_be_written(value: str) -> str:
    """As a header takes it: what only looks like an address would fail with each mail."""
    try:
        return Address(addr_spec=value).addr_spec
    except (ValueError, IndexError, MessageError) as error:
        raise ValueError(f"{value!r} is no address that a mail can have") from error


MailAddress = Annotated[str, Field(pattern=_MAIL), AfterValidator(_can_be_written)]
MOST_DESTINATIONS = 50


class Quiet(Section):
    """When nothing is sent; what comes meanwhile waits.

    Attributes:
        start: Of the quiet time of each day; equal to `end` = there is none.
        end: Of the quiet time; before `start` = it goes over midnight.
        days_off: Days that are quiet as a whole, 1 = Monday.
    """

    start: LocalTime = time(0)
    end: LocalTime = time(0)
    days_off: tuple[Annotated[int, Field(ge=1, le=7)], ...] = ()

    @model_validator(mode="after")
    def _leaves_some_time(self) -> Quiet:
        if set(self.days_off) == set(range(1, 8)):
            raise ValueError("days_off leaves no day on which anything is sent")
        return self


class Destination(Section):
    """What all kinds of destinations share.

    Attributes:
        tell: What is told: created, joined (further reasons), assigned, ended, reopened, nurture (the automated queue).
        lanes: Of these lanes only; none named = of all.
        priorities: Of these priorities only; none named = of all.
        owners: Only what belongs to one of these people; none named = whoever has it, and what nobody has.
        language: Of the words; None = the playbook's.
        timezone: Of the times that are named, of `digest` and of `quiet`; None = that of `handoffs.hours`.
        digest: Local times at which everything that gathered goes out in one message; none = each goes at once.
        quiet: When nothing is sent.
        urgent_at_once: Whoever raised a hand is told about at once, also in quiet hours and instead of in the digest.
        allow_private: Networks of your own that may be called, such as 10.1.0.0/16; the rest of what is not public is not.
    """

    tell: Annotated[tuple[AlertKind, ...], Field(min_length=1)] = _TOLD
    lanes: tuple[Lane, ...] = ()
    priorities: tuple[Priority, ...] = ()
    owners: tuple[str, ...] = ()
    language: Language | None = None
    timezone: TimeZone | None = None
    digest: tuple[LocalTime, ...] = ()
    quiet: Quiet = Quiet()
    urgent_at_once: bool = False
    allow_private: Networks = ()

    def takes(self, notice: Notice) -> bool:
        """Whether it is to be told about something."""
        return (
            notice.kind in self.tell
            and (not self.lanes or notice.lane in self.lanes)
            and (not self.priorities or notice.priority in self.priorities)
            and (not self.owners or notice.owner in self.owners)
        )

    def variables(self) -> tuple[str, ...]:
        """Environment variables that hold what it needs and the playbook must not hold."""
        named = (getattr(self, name) for name in type(self).model_fields if name.endswith("_env"))
        return tuple(name for name in named if name)

    @field_validator("digest", mode="before")
    @classmethod
    def _one_is_enough(cls, value: object) -> object:
        return value if isinstance(value, list) else [value]

    @field_validator("digest")
    @classmethod
    def _in_order(cls, value: tuple[time, ...]) -> tuple[time, ...]:
        return tuple(sorted(set(value)))


def _checked(url: str) -> str:
    try:
        check_url(url)
    except AddressError as error:
        raise ValueError(error.what) from error
    return url


class WebhookTo(Destination):
    """A program of yours, told by signed webhooks (Standard Webhooks); always one message for each change.

    Attributes:
        url: Where it listens; without it, `url_env`.
        url_env: The variable that holds the URL, if that is a secret.
        secret_env: The variable that holds the secret to sign with: `whsec_` and base64.
    """

    kind: Literal["webhook"]
    url: str | None = None
    url_env: VariableName | None = None
    secret_env: VariableName

    @field_validator("url")
    @classmethod
    def _is_plain(cls, value: str | None) -> str | None:
        return value and _checked(value)

    @model_validator(mode="after")
    def _goes_somewhere(self) -> WebhookTo:
        if (self.url is None) == (self.url_env is None):
            raise ValueError("a webhook needs either `url` or `url_env`")
        if self.digest:
            raise ValueError("a webhook gets each change by itself, so it has no digest")
        return self


class SlackTo(Destination):
    """A channel of Slack: by an incoming webhook, or by a bot.

    Attributes:
        url_env: The variable that holds the incoming webhook's URL, which is a secret.
        token_env: The variable that holds the bot's token, instead.
        channel: Where the bot writes: the channel's id.
        api: Where Slack's API is.
    """

    kind: Literal["slack"]
    url_env: VariableName | None = None
    token_env: VariableName | None = None
    channel: Annotated[str, Field(pattern=r"^[A-Za-z0-9#_.-]{1,80}$")] | None = None
    api: str = "https://slack.com/api"

    @field_validator("api")
    @classmethod
    def _is_plain(cls, value: str) -> str:
        return _checked(value).rstrip("/")

    @model_validator(mode="after")
    def _one_of_both(self) -> SlackTo:
        if (self.url_env is None) == (self.token_env is None) or bool(self.token_env) != bool(self.channel):
            raise ValueError("slack needs either `url_env`, or `token_env` and `channel`")
        return self


class EmailTo(Destination):
    """Mailboxes of the team.

    Attributes:
        host: The server that sends mail.
        port: Its port; None = 587, or 465 with `security: tls`.
        security: starttls, tls, or none: nothing is encrypted then, for a server on the same machine.
        user_env: The variable that holds the user's name; None = nobody logs in.
        password_env: The variable that holds the password.
        sender: From whom.
        to: To whom.
    """

    kind: Literal["email"]
    host: str
    port: Annotated[int, Field(ge=1, le=65535)] | None = None
    security: Literal["starttls", "tls", "none"] = "starttls"
    user_env: VariableName | None = None
    password_env: VariableName | None = None
    sender: MailAddress
    to: Annotated[tuple[MailAddress, ...], Field(min_length=1, max_length=50)]

    @field_validator("host")
    @classmethod
    def _is_a_host(cls, value: str) -> str:
        _checked(f"http://{f'[{value}]' if ':' in value else value}/")
        return value

    @model_validator(mode="after")
    def _logs_in_whole(self) -> EmailTo:
        if bool(self.user_env) != bool(self.password_env):
            raise ValueError("logging in needs `user_env` and `password_env`")
        return self


AnyDestination = Annotated[WebhookTo | SlackTo | EmailTo, Discriminator("kind")]


class Alerts(Section):
    """Whom of the team is told what, by name."""

    destinations: Annotated[dict[Name, AnyDestination], Field(max_length=MOST_DESTINATIONS)] = Field(
        default_factory=dict
    )
