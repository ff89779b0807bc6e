"""May somebody be written to now? Asked again at use, whatever was decided before."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from handraise.handoffs.decide import Somebody, full_until, restrained
from handraise.playbook.handoffs import Restraint
from handraise.records.acting import Lane
from handraise.records.drafts import Contact


def contact_of(
    person: Somebody, account_touches: Sequence[datetime], rules: Restraint, now: datetime, *, lane: Lane, asked: bool
) -> Contact:
    """Whether a person may be written to, and what keeps from it.

    Args:
        person: Who; whether they opted out is known.
        account_touches: Contacts with anybody of the account.
        rules: Of the playbook.
        now: The present instant.
        lane: Users of an account in find_buyer are not pitched.
        asked: They raised a hand in this handoff: they are answered, unless they opted out.
    """
    if person.opted_out:
        return Contact(allowed=False, because="opted_out")
    if asked:
        return Contact(allowed=True)
    if lane == "find_buyer":
        return Contact(allowed=False, because="buyer_missing")
    until = restrained(person, rules, now)
    if until:
        return Contact(allowed=False, because=until[1], until=until[0])
    full = full_until(account_touches, rules.touches_per_account, timedelta(days=rules.window_days), now)
    if full:
        return Contact(allowed=False, because="account_cap", until=full)
    return Contact(allowed=True)
