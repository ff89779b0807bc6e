"""The simulated world: everything that is settled before the first event is written."""

from dataclasses import dataclass
from datetime import UTC, date, datetime

import numpy as np

from handraise.simulate.chance import DAY, FloatArray, IntArray, Stage, TextArray, pick, stream
from handraise.simulate.company import Companies, Span, draw_companies, size_bonus
from handraise.simulate.fate import Fate, draw_fate
from handraise.simulate.habits import Habits, draw_habits
from handraise.simulate.ids import labels
from handraise.simulate.people import NOBODY, Members, Workspaces, settle
from handraise.simulate.profiles import Profiles, draw_profiles
from handraise.simulate.vocabulary import ENTERPRISE, MID


@dataclass(frozen=True, kw_only=True)
class World:
    """One simulated company's customers, their people and their fates."""

    seed: int
    span: Span
    companies: Companies
    members: Members
    spaces: Workspaces
    habits: Habits
    profiles: Profiles
    fate: Fate
    contract: FloatArray
    """First-year value of a deal with each account, US dollars."""
    seats: IntArray
    """Seats of such a deal."""


def imagine(*, seed: int, accounts: int, days: int, end: date) -> World:
    """Draw the world of `accounts` accounts over the `days` days before `end`."""
    end_ms = round(datetime(end.year, end.month, end.day, tzinfo=UTC).timestamp()) * 1000
    span = Span(start_ms=end_ms - days * DAY, end_ms=end_ms, days=days)
    companies = draw_companies(seed, accounts, span)
    members, spaces = settle(seed, companies, span)
    habits = draw_habits(seed, companies, members, span)
    seats, contract = _contracts(seed, companies, members)
    return World(
        seed=seed,
        span=span,
        companies=companies,
        members=members,
        spaces=spaces,
        habits=habits,
        profiles=draw_profiles(seed, companies, members, spaces),
        fate=draw_fate(seed, companies, members, habits, span),
        contract=contract,
        seats=seats,
    )


def _contracts(seed: int, companies: Companies, members: Members) -> tuple[IntArray, FloatArray]:
    """Return seats and first-year value of a deal, inside the value ranges of domain.md section 5."""
    rng = stream(seed, Stage.MONEY)
    people = np.bincount(members.account, minlength=len(companies))
    planned = people * rng.uniform(1.05, 2.0, len(companies))
    seats = np.maximum(np.ceil(planned).astype(np.int64), 1)
    price = size_bonus(companies, (9.0, 12.0, 15.0, 24.0, 42.0)) * 12.0
    low = size_bonus(companies, (0.0, 0.0, 0.0, 5_000.0, 50_000.0))
    high = size_bonus(companies, (2_000.0, 4_500.0, 4_900.0, 50_000.0, 400_000.0))
    noise = rng.uniform(1.0, 1.3, len(companies))
    return seats, np.rint(np.clip(seats * price, low * noise, high))


def founders(world: World) -> IntArray:
    """Return the first membership of every account, NOBODY for accounts without people, [accounts]."""
    account = world.members.account[: world.members.people]
    everyone = np.arange(len(world.companies))
    first = np.searchsorted(account, everyone)
    there = np.bincount(account, minlength=len(everyone)) > 0
    return np.where(there, first, NOBODY)


def home_room(world: World) -> TextArray:
    """Return the workspace id of every account's founder, empty where there is none, [accounts]."""
    founder = founders(world)
    room = np.where(founder == NOBODY, NOBODY, world.members.workspace[founder])
    if not len(world.spaces):
        return np.full(len(world.companies), "")
    return np.where(room == NOBODY, "", world.spaces.workspace_id[room])


def scored_ids(world: World) -> TextArray:
    """Return the id a scorer gives every account by the rules of contract.md, [accounts]."""
    room = home_room(world)
    alone = labels("person:p-", founders(world) + 1, 7)
    own = np.where(room == "", alone, np.char.add("workspace:", room))
    return np.where(world.companies.has_row, world.companies.account_id, own)


def reps(world: World) -> TextArray:
    """Return the rep who works each account: its owner, else one from the pool, [accounts]."""
    owner = world.companies.owner
    pool = stream(world.seed, Stage.SALES, 1).integers(1, max(2, int(owner.max()) + 1), len(owner))
    return labels("rep-", np.where(owner > 0, owner, pool), 2)


def large(world: World) -> IntArray:
    """Return 1 for accounts that get the business plan, 0 for the team plan, 2 for enterprise, [accounts]."""
    size = world.companies.size_class
    return np.select([size == ENTERPRISE, size == MID], [2, 1], 0)


def some(rng: np.random.Generator, choices: tuple[str, ...], size: int) -> TextArray:
    """Draw one of the texts for each of `size` rows, all equally likely."""
    return np.asarray(choices)[pick(rng, (1.0,) * len(choices), size)]
