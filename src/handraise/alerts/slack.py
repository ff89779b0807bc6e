"""A channel of Slack, by an incoming webhook or a bot's token.

Slack forgets what it was sent, so a message whose fate is not known is not sent again by itself.
https://docs.slack.dev/messaging/formatting-message-text#escaping: the three signs below are all that has to be escaped;
mentions such as <!channel> are nothing but text then.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from handraise.alerts.protocol import Reach, outcome_of, post, wait_of
from handraise.alerts.words import headline, lines, title
from handraise.net.guard import read_networks
from handraise.net.limits import Answer, Limits
from handraise.playbook.alerts import SlackTo
from handraise.records.alerting import AlertItem, AlertMessage, Outcome

# Slack takes fifty blocks; a handoff is one, and one says what was left out.
_MOST_BLOCKS = 45
_LONGEST_TEXT = 2900
# What Slack says about us and the channel rather than about the message: nothing else would be taken either.
_DENYING = frozenset(
    {
        "account_inactive",
        "channel_is_archived",
        "channel_not_found",
        "ekm_access_denied",
        "enterprise_is_restricted",
        "invalid_auth",
        "is_archived",
        "missing_scope",
        "no_permission",
        "not_allowed_token_type",
        "not_authed",
        "not_in_channel",
        "org_login_required",
        "restricted_action",
        "team_access_not_granted",
        "token_expired",
        "token_revoked",
    }
)


@dataclass(frozen=True, kw_only=True)
class Slack:
    """Writes into one channel; an incoming webhook knows its channel, a bot is told it."""

    url: str
    limits: Limits
    token: str | None = None
    channel: str | None = None
    repeatable: bool = False

    def send(self, message: AlertMessage) -> Outcome:
        """Write a message into the channel."""
        said: dict[str, Any] = body_of(message) | ({"channel": self.channel} if self.channel else {})
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        answer = post(self.url, headers, json.dumps(said).encode(), self.limits)
        if isinstance(answer, Outcome):
            return answer
        return _bot_outcome(answer, message.at) if self.token else outcome_of(answer, message.at)


def open_slack(rules: SlackTo, reach: Reach) -> Slack:
    """The sender for a destination whose variables are all set."""
    limits = replace(reach.limits, allow=(*reach.limits.allow, *read_networks(rules.allow_private)))
    if rules.token_env:
        token = reach.environment[rules.token_env]
        return Slack(url=f"{rules.api}/chat.postMessage", limits=limits, token=token, channel=rules.channel)
    return Slack(url=reach.environment[rules.url_env or ""], limits=limits)


def _bot_outcome(answer: Answer, now: datetime) -> Outcome:
    """Slack's API answers 200 also where it did nothing; then `error` says why."""
    outcome = outcome_of(answer, now)
    if outcome.kind != "sent":
        return outcome
    try:
        found = json.loads(answer.body)
        done, error = bool(found["ok"]), str(found.get("error", ""))
    except (ValueError, KeyError, TypeError, AttributeError):
        return Outcome(kind="unknown", said="the answer is none of Slack's.")
    if done:
        return outcome
    said = f"Slack says {error[:60]!r}."
    if error in {"ratelimited", "rate_limited"}:
        return Outcome(kind="later", said=said, wait=wait_of(answer, now))
    if error in {"internal_error", "fatal_error", "service_unavailable", "request_timeout"}:
        return Outcome(kind="unknown", said=said)
    return Outcome(kind="denied" if error in _DENYING else "refused", said=said)


def body_of(message: AlertMessage) -> dict[str, Any]:
    """Text for notifications, and blocks for the channel."""
    shown = message.items[:_MOST_BLOCKS]
    blocks = [_block("\n".join(_lines(item, message))) for item in shown]
    if len(message.items) > 1:
        blocks.insert(0, _block(f"*{escaped(headline(message))}*"))
    if len(message.items) > len(shown):
        blocks.append(_block(f"+ {len(message.items) - len(shown)}: `handraise inbox`"))
    blocks = blocks or [_block(escaped(headline(message)))]
    quiet = {"unfurl_links": False, "unfurl_media": False, "link_names": False, "parse": "none"}
    return {"text": escaped(headline(message)), "blocks": blocks, **quiet}


def escaped(text: str) -> str:
    """Text of which Slack makes no mention, link or channel, and no bold or code."""
    for sign, code in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
        text = text.replace(sign, code)
    # Formatting signs have no escape; a word joiner behind them keeps them from meaning anything.
    return "".join(f"{sign}\u2060" if sign in "*_~`" else sign for sign in text)


def _lines(item: AlertItem, message: AlertMessage) -> list[str]:
    below = []
    for one in lines(item, message):
        said = f"`{one.said}`" if one.is_command else escaped(one.said)
        below.append(f"{escaped(one.label)}: {said}" if one.label else said)
    return [f"*{escaped(title(item, message.language))}*", *below]


def _block(text: str) -> dict[str, Any]:
    # verbatim: names of channels and people, and addresses, are left as text.
    return {"type": "section", "text": {"type": "mrkdwn", "text": text[:_LONGEST_TEXT], "verbatim": True}}
