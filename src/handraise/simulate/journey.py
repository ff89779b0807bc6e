"""What happens to each person once: visits, sign-up, onboarding, activation, invitations, mail."""

import numpy as np

from handraise.simulate.chance import (
    DAY,
    HOUR,
    MINUTE,
    SECOND,
    IntArray,
    Stage,
    happens,
    milliseconds,
    stream,
)
from handraise.simulate.company import Span
from handraise.simulate.habits import Habits
from handraise.simulate.people import NOBODY, Members
from handraise.simulate.schedule import Events, any_property, events, together
from handraise.simulate.vocabulary import CODE
from handraise.simulate.world import World

ANONYMOUS_SHARE = 0.25
"""Part of the people who looked around before signing up; their sign-up carries both ids."""
VISITOR_SHARE = 0.15
"""Visitors who never sign up, per person."""
MAILS = 6

# Per persona: power, regular, dabbler, dormant.
INVITES_IN_VAIN = (0.35, 0.15, 0.05, 0.02)
ACTIVATES = (0.97, 0.88, 0.6, 0.3)
MEDIAN_HOURS_TO_ACTIVATION = (0.7, 3.0, 14.0, 24.0)


def journeys(world: World) -> Events:
    """Return the once-in-a-life events of every membership, unsorted and not yet cut to the span."""
    members, habits, span = world.members, world.habits, world.span
    rng = stream(world.seed, Stage.JOURNEY)
    new = np.flatnonzero(members.is_home & (members.start_ms >= span.start_ms))
    parts = _sign_ups(world.seed, new, members, span)
    parts += _first_steps(rng, new, members, habits)
    parts += _invitations(rng, members, habits)
    parts += _mails(rng, members)
    guests = np.flatnonzero(~members.is_home)
    parts.append(events("invite_received", members.start_ms[guests], guests))
    parts.append(events("workspace_created", world.spaces.created_ms + 15 * SECOND, world.spaces.creator))
    return together(parts)


def _sign_ups(seed: int, new: IntArray, members: Members, span: Span) -> list[Events]:
    """Return sign-ups, and the anonymous visits of those who came before and of those who never did."""
    rng = stream(seed, Stage.ANONYMOUS)
    known = happens(rng, ANONYMOUS_SHARE, len(new))
    number = np.where(known, np.cumsum(known) - 1, NOBODY)
    sign_up = events("signed_up", members.start_ms[new], new, anonymous=number)
    visits_by = np.repeat(number[known], 1 + rng.poisson(2.0, int(known.sum())))
    arrival = members.start_ms[new][known][visits_by]
    before = arrival - MINUTE - milliseconds(rng.exponential(1.5, len(visits_by)))
    strangers = int(members.people * VISITOR_SHARE)
    stranger = int(known.sum()) + np.repeat(np.arange(strangers), 1 + rng.poisson(1.5, strangers))
    offset = (rng.random(len(stranger)) * (span.end_ms - span.start_ms)).astype(np.int64)
    return [
        sign_up,
        _visits(rng, before, visits_by),
        _visits(rng, span.start_ms + offset, stranger),
    ]


def _visits(rng: np.random.Generator, at_ms: IntArray, number: IntArray) -> Events:
    kinds = np.asarray([CODE["page_view"], CODE["pricing_view"], CODE["legal_view"]])
    drawn = kinds[np.searchsorted((0.8, 0.95), rng.random(len(at_ms)), side="right")]
    return events(drawn, at_ms, NOBODY, anonymous=number)


def _first_steps(rng: np.random.Generator, new: IntArray, members: Members, habits: Habits) -> list[Events]:
    """Return onboarding and activation; activation follows sign-up after a log-normal delay."""
    start, persona = members.start_ms[new], habits.persona[new]
    begun = start + 5 * SECOND + (rng.random(len(new)) * MINUTE).astype(np.int64)
    finished = happens(rng, np.asarray((0.85, 0.7, 0.45, 0.25))[persona], len(new))
    done = begun + MINUTE + milliseconds(rng.lognormal(-4.5, 0.9, len(new)))
    hours = np.asarray(MEDIAN_HOURS_TO_ACTIVATION)[persona] * np.exp(rng.normal(0.0, 1.3, len(new)))
    active = happens(rng, np.asarray(ACTIVATES)[persona], len(new))
    activation = start + 2 * MINUTE + (np.minimum(hours, 2_000.0) * HOUR).astype(np.int64)
    return [
        events("onboarding_started", begun, new),
        events("onboarding_completed", done[finished], new[finished]),
        events("activation", activation[active], new[active]),
    ]


def _invitations(rng: np.random.Generator, members: Members, habits: Habits) -> list[Events]:
    """Return the invitations that brought somebody in, and some that brought nobody."""
    invited = np.flatnonzero(members.inviter != NOBODY)
    by = members.inviter[invited]
    lag = MINUTE + milliseconds(rng.lognormal(-1.5, 1.2, len(invited)))
    sent = np.maximum(members.start_ms[by] + MINUTE, members.start_ms[invited] - lag)
    vain = np.flatnonzero(happens(rng, np.asarray(INVITES_IN_VAIN)[habits.persona], len(members)))
    later = members.start_ms[vain] + HOUR + milliseconds(rng.exponential(12.0, len(vain)))
    return [
        events("invite_sent", sent, by, properties=any_property(rng, "invite_sent", len(by), 0.2)),
        events("invite_sent", later, vain, properties=any_property(rng, "invite_sent", len(vain), 0.3)),
        # The invitation shows in the product on the invited person's first minute, never before sign-up.
        events("invite_received", members.start_ms[invited] + SECOND, invited),
    ]


def _mails(rng: np.random.Generator, members: Members) -> list[Events]:
    """Return the weekly product mails after joining: passive, so they keep nobody active."""
    member = np.repeat(np.arange(len(members)), MAILS)
    week = np.tile(np.arange(1, MAILS + 1), len(members))
    hour = (rng.random(len(member)) * HOUR).astype(np.int64)
    delivered = members.start_ms[member] + week * 7 * DAY + hour
    opened = happens(rng, 0.3, len(member))
    reading = delivered[opened] + MINUTE + milliseconds(rng.exponential(0.3, int(opened.sum())))
    return [
        events("email_delivered", delivered, member),
        events("email_opened", reading, member[opened]),
    ]
