"""A program of the company's own, told by webhooks as https://www.standardwebhooks.com has them: signed, one id however often sent."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from typing import Any

from handraise.alerts.protocol import Reach, outcome_of, post
from handraise.alerts.words import happened_to
from handraise.net.guard import read_networks
from handraise.net.limits import Limits
from handraise.playbook.alerts import WebhookTo
from handraise.records.alerting import AlertItem, AlertMessage, Outcome


@dataclass(frozen=True, kw_only=True)
class Webhook:
    """Sends to one address."""

    url: str
    secret: str
    limits: Limits
    repeatable: bool = True

    def send(self, message: AlertMessage) -> Outcome:
        """Sign and send a message."""
        body = json.dumps(body_of(message), ensure_ascii=False, separators=(",", ":"), default=str)
        try:
            headers = signed(self.secret, message, body)
        except ValueError:
            return Outcome(kind="denied", said="the secret is not base64, so nothing can be signed with it.")
        answer = post(self.url, headers, body.encode(), self.limits)
        return answer if isinstance(answer, Outcome) else outcome_of(answer, message.at)


def open_webhook(rules: WebhookTo, reach: Reach) -> Webhook:
    """The sender for a destination whose variables are all set."""
    environment = reach.environment
    url = rules.url or environment[rules.url_env or ""]
    limits = replace(reach.limits, allow=(*reach.limits.allow, *read_networks(rules.allow_private)))
    return Webhook(url=url, secret=environment[rules.secret_env], limits=limits)


def signed(secret: str, message: AlertMessage, body: str) -> dict[str, str]:
    """Headers that prove where a message is from.

    Raises:
        ValueError: The secret is none.
    """
    from standardwebhooks.webhooks import EmptyWebhookSecretError
    from standardwebhooks.webhooks import Webhook as Signer

    try:
        signature = Signer(secret).sign(message.id, message.at, body)
    except (EmptyWebhookSecretError, RuntimeError) as error:
        raise ValueError("no secret") from error
    return {
        "webhook-id": message.id,
        "webhook-timestamp": str(int(message.at.timestamp())),
        "webhook-signature": signature,
    }


def body_of(message: AlertMessage) -> dict[str, Any]:
    """What the receiver reads; docs/alerts.md has it field by field."""
    if not message.items:
        return {"type": "test", "timestamp": message.at.isoformat(), "data": {}}
    (item,) = message.items
    subject = item.object.partition(" ")[0]
    data = {"sequence": message.sequence, "changes": item.kinds, **_said(item)}
    return {"type": f"{subject}.{happened_to(item)}", "timestamp": message.at.isoformat(), "data": data}


def _said(item: AlertItem) -> dict[str, Any]:
    said = {name: value for name, value in asdict(item).items() if name not in {"object", "kinds"}}
    for name in ("due_at", "closed_at"):
        said[name] = said[name] and said[name].isoformat()
    return said
