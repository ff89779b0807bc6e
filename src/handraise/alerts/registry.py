"""Which kinds of destinations there are: one line for each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from handraise.alerts.mail import open_mail
from handraise.alerts.protocol import Reach, Sender
from handraise.alerts.slack import open_slack
from handraise.alerts.webhook import open_webhook
from handraise.playbook.alerts import Destination, EmailTo, SlackTo, WebhookTo

_OPENERS: dict[type[Destination], Callable[[Any, Reach], Sender]] = {
    WebhookTo: open_webhook,
    SlackTo: open_slack,
    EmailTo: open_mail,
}


def open_sender(rules: Destination, reach: Reach) -> Sender:
    """The sender for a destination whose variables are all set."""
    return _OPENERS[type(rules)](rules, reach)


def missing_variables(rules: Destination, reach: Reach) -> tuple[str, ...]:
    """Environment variables that a destination needs and that are not set."""
    return tuple(name for name in rules.variables() if not reach.environment.get(name))
