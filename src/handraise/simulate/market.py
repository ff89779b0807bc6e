"""leads.csv, nps.csv and prompts.csv: marketing's side, and what people say."""

from pathlib import Path

import numpy as np

from handraise.simulate.chance import DAY, FloatArray, IntArray, Stage, TextArray, happens, pick, stream
from handraise.simulate.company import sells_by_hand
from handraise.simulate.files import iso, person_ids, write_csv
from handraise.simulate.vocabulary import DORMANT, LEAD_SOURCES, OFFERS, SOLO
from handraise.simulate.world import World, some

TOP_DOWN_SHARE = 0.15
"""Leads of companies without any usage, per account."""
KNOWN_SHARE = 0.10
"""Leads whose work domain has usage, per account."""
PERSON_SHARE = 0.01
"""People who are leads too, per person."""
KEEN = 0.5
"""Intent above which a large account welcomes a touch."""
NPS_SHARE = 0.08
NPS_AFTER_DAYS = 14
# Persona effect on the score: power, regular, dabbler, dormant.
NPS_LIKING = (0.9, 0.3, -0.6, -2.0)


def write_leads(path: Path, world: World) -> int:
    """Write marketing leads: of companies without usage (in the CRM or not), with usage, of users."""
    companies, span = world.companies, world.span
    rng = stream(world.seed, Stage.MARKET, 1)
    total = len(companies)
    idle = companies.domain[~companies.has_usage]
    unknown = _numbered("prospect-", int(total * TOP_DOWN_SHARE / 2), "-simulated.com")
    cold = np.concatenate((unknown, rng.choice(idle, int(total * TOP_DOWN_SHARE / 2)) if len(idle) else idle))
    warm = companies.domain[companies.has_usage & (companies.size_class != SOLO)]
    warm = rng.choice(warm, int(total * KNOWN_SHARE)) if len(warm) else warm
    domain = np.concatenate((cold, warm))
    fresh = np.char.add(_numbered("lead.", len(domain), "@"), domain)
    mailed = world.profiles.email[happens(rng, PERSON_SHARE, world.members.people)]
    email = np.concatenate((fresh, mailed[mailed != ""]))
    at = span.start_ms + np.sort((rng.random(len(email)) * (span.end_ms - span.start_ms)).astype(np.int64))
    email = email[rng.permutation(len(email))]
    return write_csv(path, {"email": email, "at": iso(at), "source": some(rng, LEAD_SOURCES, len(email))})


def _numbered(prefix: str, count: int, suffix: str) -> TextArray:
    return np.char.add(np.char.add(prefix, np.arange(1, count + 1).astype(str)), suffix)


def write_nps(path: Path, world: World) -> int:
    """Write survey answers; a touch lowers the score, except in keen large accounts."""
    members, fate, span = world.members, world.fate, world.span
    rng = stream(world.seed, Stage.MARKET, 2)
    person = np.flatnonzero(happens(rng, NPS_SHARE, members.people))
    asked = np.maximum(members.start_ms[person], span.start_ms) + NPS_AFTER_DAYS * DAY
    person, asked = person[asked < span.end_ms], asked[asked < span.end_ms]
    at = asked + (rng.random(len(person)) * (span.end_ms - asked)).astype(np.int64)
    account = members.account[person]
    touched = fate.touched[account] & (fate.touch_ms[account] < at)
    liking = np.asarray(NPS_LIKING)[world.habits.persona[person]]
    effect = np.where(touched, nps_effect(world)[account], 0.0)
    score = np.clip(np.rint(7.5 + liking + effect + rng.normal(0.0, 1.8, len(person))), 0, 10)
    order = np.lexsort((person, at))
    return write_csv(
        path,
        {
            "person_id": person_ids(members)[person[order]],
            "score": score[order].astype(np.int64),
            "at": iso(at[order]),
        },
    )


def nps_effect(world: World) -> FloatArray:
    """Return the true effect of a touch on a person's score, in points, [accounts]."""
    welcome = sells_by_hand(world.companies) & (world.companies.intent > KEEN)
    return np.select([welcome, sells_by_hand(world.companies)], [0.3, -0.5], -1.4)


def write_prompts(path: Path, world: World) -> int:
    """Write exposures to paid offers in the product; active people of accounts that do not pay see more."""
    members, span = world.members, world.span
    rng = stream(world.seed, Stage.MARKET, 3)
    count = members.people
    persona = world.habits.persona[:count]
    paying = world.companies.paying_before[members.account[:count]]
    mean = np.where(persona == DORMANT, 0.3, 2.0) * np.where(paying, 0.2, 1.0)
    opened = np.maximum(members.start_ms[:count], span.start_ms)
    closed = np.minimum(span.start_ms + (world.habits.last_day[:count] + 1) * DAY, span.end_ms)
    person: IntArray = np.repeat(np.arange(count), np.where(closed > opened, rng.poisson(mean), 0))
    at = opened[person] + (rng.random(len(person)) * (closed - opened)[person]).astype(np.int64)
    order = np.lexsort((person, at))
    return write_csv(
        path,
        {
            "person_id": person_ids(members)[person[order]],
            "at": iso(at[order]),
            "offer": np.asarray(OFFERS)[pick(rng, (4.0, 2.0, 1.0, 2.0, 1.0), len(person))],
        },
    )
