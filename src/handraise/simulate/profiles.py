"""Who the people are on paper: e-mail, name, title, department, seniority."""

from dataclasses import dataclass

import numpy as np

from handraise.simulate.chance import (
    BoolArray,
    FloatArray,
    IntArray,
    Stage,
    TextArray,
    happens,
    pick,
    pick_rows,
    stream,
)
from handraise.simulate.company import Companies
from handraise.simulate.people import NOBODY, Members, Workspaces
from handraise.simulate.vocabulary import (
    COUNTRIES,
    DEPARTMENTS,
    FREE_MAIL,
    FREE_MAIL_SHARE,
    NAMES,
    SCRIPT_SHARE,
    SENIORITIES,
    SOLO,
)

SENIORITY_SHARE = (0.62, 0.12, 0.16, 0.03, 0.025, 0.015, 0.02, 0.01)
EXECUTIVE_FROM = 3
"""Seniorities from this index on are executives by the default rule of domain.md section 5."""
SMALL = 50
"""Employees from which the first user is no longer likely to be the founder."""
FOUNDER = len(SENIORITIES) - 1
CHINESE, JAPANESE, KOREAN = 1, 5, 6


@dataclass(frozen=True, kw_only=True)
class Profiles:
    """One element per person."""

    email: TextArray
    name: TextArray
    seniority: IntArray
    department: IntArray
    seniority_known: BoolArray
    department_known: BoolArray
    title: TextArray

    @property
    def executive(self) -> BoolArray:
        """Where the person is an executive."""
        high: BoolArray = self.seniority >= EXECUTIVE_FROM
        return high


def draw_profiles(seed: int, companies: Companies, members: Members, spaces: Workspaces) -> Profiles:
    """Draw the profile of every person, from the account of the home membership."""
    rng = stream(seed, Stage.PROFILES)
    account, count = members.account[: members.people], members.people
    seniority = _seniority(rng, companies, members)
    department = _departments(rng, companies, account)
    titles = np.asarray([[title.format(name) for name in DEPARTMENTS] for _, title in SENIORITIES])
    titled = happens(rng, 0.8, count)
    return Profiles(
        email=_emails(rng, companies, members, spaces),
        name=_names(rng, companies.country[account]),
        seniority=seniority,
        department=department,
        seniority_known=happens(rng, 0.75, count),
        department_known=happens(rng, 0.85, count),
        title=np.where(titled, titles[seniority, department], ""),
    )


def _seniority(rng: np.random.Generator, companies: Companies, members: Members) -> IntArray:
    """Draw seniorities; executives join keen accounts more often, founders sign up small companies."""
    account = members.account[: members.people]
    keen = np.exp(np.clip(0.5 * companies.intent[account], -1.5, 1.5))
    weights = np.tile(np.asarray(SENIORITY_SHARE), (members.people, 1))
    weights[:, EXECUTIVE_FROM:] *= keen[:, None]
    small_start = (members.inviter[: members.people] == NOBODY) & (companies.employees[account] < SMALL)
    weights[small_start, FOUNDER] += 0.35
    return pick_rows(rng, weights)


def _departments(rng: np.random.Generator, companies: Companies, account: IntArray) -> IntArray:
    """Draw departments: two thirds of a team sit where it began, the rest anywhere."""
    home = pick(rng, (3.0, 2.0, 2.0, 2.0, 1.0, 1.5, 0.7, 1.0, 0.4, 0.7, 0.3, 1.0), len(companies))
    elsewhere = rng.integers(0, len(DEPARTMENTS), len(account))
    return np.where(happens(rng, 0.66, len(account)), home[account], elsewhere)


def _emails(rng: np.random.Generator, companies: Companies, members: Members, spaces: Workspaces) -> TextArray:
    """Return e-mails: work ones for most company people, free mail with a plainly simulated name else."""
    account, count = members.account[: members.people], members.people
    room = members.workspace[: members.people]
    # An unlinked workspace can only be found by its people's domain, so all of them have a work e-mail.
    findable = np.zeros(count, dtype=np.bool_)
    if len(spaces):
        findable = (room != NOBODY) & ~spaces.linked[room] & companies.has_row[account]
    work = (companies.size_class[account] != SOLO) & (findable | happens(rng, 0.9, count))
    extra = companies.extra_domain[account]
    domain = np.where((extra != "") & happens(rng, 0.3, count), extra, companies.domain[account])
    free = np.asarray(FREE_MAIL)[pick(rng, FREE_MAIL_SHARE, count)]
    local = np.char.add(np.where(work, "user.", "simulated.user."), np.arange(1, count + 1).astype(str))
    email = np.char.add(np.char.add(local, "@"), np.where(work, domain, free))
    missing = happens(rng, 0.01, count) & ~findable
    return np.where(missing, "", email)


def _names(rng: np.random.Generator, country: IntArray) -> TextArray:
    """Return invented names; the script leans to the country's own."""
    count = len(country)
    script = pick(rng, SCRIPT_SHARE, count)
    codes = [code for code, _, _ in COUNTRIES]
    for code, own in (("CN", CHINESE), ("JP", JAPANESE), ("KR", KOREAN)):
        local = (country == codes.index(code)) & happens(rng, 0.75, count)
        script = np.where(local, own, script)
    draw: FloatArray = rng.random((2, count))
    result = np.full(count, "", dtype="<U40")
    for number, (given, family, gap) in enumerate(NAMES):
        here = np.flatnonzero(script == number)
        first = np.asarray(given)[(draw[0, here] * len(given)).astype(np.int64)]
        last = np.asarray(family)[(draw[1, here] * len(family)).astype(np.int64)]
        # Chinese, Japanese and Korean write the family name first.
        front, back = (last, first) if gap == "" else (first, last)
        result[here] = np.char.add(np.char.add(front, gap), back)
    return result
