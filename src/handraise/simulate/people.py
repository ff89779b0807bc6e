"""People and where they work: teams that spread by invitation, workspaces, guests from other companies."""

from dataclasses import dataclass

import numpy as np

from handraise.simulate.chance import (
    DAY,
    MINUTE,
    BoolArray,
    FloatArray,
    IntArray,
    Stage,
    TextArray,
    happens,
    milliseconds,
    stream,
)
from handraise.simulate.company import Companies, Span
from handraise.simulate.ids import numbered
from handraise.simulate.vocabulary import ENTERPRISE, MID, SMB, SOLO

LINKED_SHARE = 0.92
GUEST_SHARE = 0.03
MOST_WORKSPACES = 8
NOBODY = -1


@dataclass(frozen=True, kw_only=True)
class Members:
    """A membership is a person in one account; the first `people` are people's homes, the rest guests.

    So the number of a person is also the number of the person's home membership.
    """

    people: int
    account: IntArray
    person: IntArray
    inviter: IntArray
    """Membership that invited this one, NOBODY for founders and guests."""
    start_ms: IntArray
    workspace: IntArray
    """Index into Workspaces, NOBODY for people who work alone without one."""

    def __len__(self) -> int:
        """Return how many memberships there are."""
        return len(self.account)

    @property
    def is_home(self) -> BoolArray:
        """Where a membership is the person's first."""
        home: BoolArray = np.arange(len(self)) < self.people
        return home


@dataclass(frozen=True, kw_only=True)
class Workspaces:
    """Every workspace somebody joined."""

    account: IntArray
    created_ms: IntArray
    creator: IntArray
    """The membership whose start made it."""
    linked: BoolArray
    """True where workspaces.csv names the account; the others must be found by e-mail domain."""
    workspace_id: TextArray

    def __len__(self) -> int:
        """Return how many workspaces there are."""
        return len(self.account)


def settle(seed: int, companies: Companies, span: Span) -> tuple[Members, Workspaces]:
    """Let teams grow up to the end of the span, give them workspaces, and send some people out as guests."""
    rng = stream(seed, Stage.TEAMS)
    account, inviter, start = _grow(rng, companies, span)
    place, spaces = _workspaces(stream(seed, Stage.WORKSPACES), companies, account, start, inviter)
    homes = Members(
        people=len(account),
        account=account,
        person=np.arange(len(account)),
        inviter=inviter,
        start_ms=start,
        workspace=place,
    )
    return _with_guests(stream(seed, Stage.GUESTS), homes, spaces, companies, span), spaces


def _grow(rng: np.random.Generator, companies: Companies, span: Span) -> tuple[IntArray, IntArray, IntArray]:
    """Return (account, inviter, start in ms) of everybody who joined before the end.

    Member number r of a team is invited by one of the r people before, and waits less the bigger the team and
    the keener the account: that is how a product spreads, and why late joiners depend on their inviter.
    """
    size = np.where(companies.has_usage, companies.team_size, 0)
    account = np.repeat(np.arange(len(size)), size)
    first = np.repeat(np.cumsum(size) - size, size)
    rank = np.arange(len(account)) - first
    chosen = first + np.floor(rng.random(len(rank)) ** 1.3 * rank).astype(np.int64)
    inviter = np.where(rank == 0, NOBODY, chosen)
    pace = 16.0 * np.exp(-0.3 * companies.intent[account])
    wait = pace * np.exp(rng.normal(0.0, 1.1, len(rank))) / (1.0 + rank / 7.0)
    delay = np.where(rank == 0, 0, 10 * MINUTE + milliseconds(np.minimum(wait, 400.0)))
    start = np.where(rank == 0, companies.start_ms[account], 0)
    pending = rank > 0
    while pending.any():
        ready = np.flatnonzero(pending & ~pending[inviter])
        start[ready] = start[inviter[ready]] + delay[ready]
        pending[ready] = False
    # Whoever was invited starts after the inviter, so dropping by time never drops an inviter alone.
    kept = start < span.end_ms
    renumbered = np.cumsum(kept) - 1
    inviter = np.where(inviter == NOBODY, NOBODY, renumbered[inviter])
    return account[kept], inviter[kept], start[kept]


def _workspaces(
    rng: np.random.Generator, companies: Companies, account: IntArray, start: IntArray, inviter: IntArray
) -> tuple[IntArray, Workspaces]:
    """Return the workspace of every home membership and the workspaces themselves."""
    rooms = _rooms(rng, companies)[account]
    drawn = np.floor(rooms * rng.random(len(account)) ** 1.5).astype(np.int64)
    ordinal = np.where(inviter == NOBODY, 0, drawn)
    alone = (companies.size_class[account] == SOLO) & happens(rng, 0.55, len(account))
    order = np.lexsort((start, np.where(alone, MOST_WORKSPACES, ordinal), account))
    key = (account * MOST_WORKSPACES + ordinal)[order]
    order, key = order[~alone[order]], key[~alone[order]]
    used, first = np.unique(key, return_index=True)
    place = np.full(len(account), NOBODY, dtype=np.int64)
    place[order] = np.searchsorted(used, key)
    creator = order[first]
    owner = used // MOST_WORKSPACES
    linked = companies.has_row[owner] & happens(rng, LINKED_SHARE, len(used))
    return place, Workspaces(
        account=owner,
        created_ms=start[creator],
        creator=creator,
        linked=linked,
        workspace_id=numbered("ws-", len(used), 6),
    )


def _rooms(rng: np.random.Generator, companies: Companies) -> IntArray:
    """Return how many workspaces each account may have; without an accounts row nothing joins several."""
    size = companies.size_class
    extra = np.select(
        [size == SMB, size == MID, size == ENTERPRISE],
        [rng.binomial(1, 0.12, len(size)), rng.binomial(2, 0.4, len(size)), 1 + rng.poisson(1.2, len(size))],
        0,
    )
    return np.where(companies.has_row, np.minimum(1 + extra, MOST_WORKSPACES), 1)


def _with_guests(
    rng: np.random.Generator, homes: Members, spaces: Workspaces, companies: Companies, span: Span
) -> Members:
    """Add second memberships: people of companies who also work in a linked workspace of another account."""
    able = np.flatnonzero(companies.size_class[homes.account] != SOLO)
    rooms = np.flatnonzero(spaces.linked)
    wanted = int(len(able) * GUEST_SHARE)
    if wanted == 0 or len(rooms) == 0:
        return homes
    person = np.sort(rng.choice(able, size=wanted, replace=False))
    room = rooms[rng.integers(0, len(rooms), wanted)]
    start = np.maximum(homes.start_ms[person], spaces.created_ms[room])
    start = start + DAY + milliseconds(rng.exponential(15.0, wanted))
    kept = (start < span.end_ms) & (spaces.account[room] != homes.account[person])
    return Members(
        people=homes.people,
        account=np.concatenate((homes.account, spaces.account[room][kept])),
        person=np.concatenate((homes.person, person[kept])),
        inviter=np.concatenate((homes.inviter, np.full(int(kept.sum()), NOBODY))),
        start_ms=np.concatenate((homes.start_ms, start[kept])),
        workspace=np.concatenate((homes.workspace, room[kept])),
    )


def people_per_account(members: Members, accounts: int, before_ms: IntArray | int) -> FloatArray:
    """Return how many memberships of each account started before an instant (one, or one per account)."""
    limit = np.broadcast_to(np.asarray(before_ms), (accounts,))[members.account]
    return np.bincount(members.account[members.start_ms < limit], minlength=accounts).astype(np.float64)
