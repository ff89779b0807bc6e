"""Who does the selling: people, teams and territories, and which of them gets what."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import date
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from handraise.playbook.reading import did_you_mean
from handraise.playbook.section import Name, Section
from handraise.playbook.working_time import Hours

# How the CRM calls somebody; also letters, digits and signs of e-mail addresses.
RepId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.@+-]{0,127}$")]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Country = Annotated[str, StringConstraints(strip_whitespace=True, min_length=2, max_length=60)]
# Steps of a route that are no team.
CRM_OWNER, PREVIOUS_OWNER, TERRITORY = "crm_owner", "previous_owner", "territory"
STEPS = (CRM_OWNER, PREVIOUS_OWNER, TERRITORY)


class Away(Section):
    """Days on which somebody is not there, the first and the last included."""

    first: date
    last: date

    @model_validator(mode="after")
    def _in_order(self) -> Away:
        if self.last < self.first:
            raise ValueError("`last` comes before `first`")
        return self


class Rep(Section):
    """Somebody who takes handoffs.

    Attributes:
        name: For people to read.
        email: Where alerts go.
        known_as: Other names of the same person, as the CRM or a log-in has them.
        active: Nobody else gets anything; what they have goes to others.
        capacity: Handoffs under way at most, unless somebody asked; None = any number.
        hours: When they work; None = as their team, else as everybody.
        away: Days on which they get nothing.
    """

    name: Text | None = None
    email: Text | None = None
    known_as: tuple[Text, ...] = ()
    active: bool = True
    capacity: int | None = Field(default=None, ge=0)
    hours: Hours | None = None
    away: tuple[Away, ...] = ()


class Team(Section):
    """People among whom handoffs go round; one without members is a queue, out of which anybody may claim.

    Attributes:
        members: Ids of people.
        hours: When they work, where nothing is said of one of them.
    """

    members: tuple[RepId, ...] = ()
    hours: Hours | None = None


class Territory(Section):
    """Accounts that are somebody's. Everything that is given has to fit; an account that is named fits in any case.

    Attributes:
        owner: Whose: a person, or a team.
        accounts: Ids of accounts.
        domains: Domains of accounts, or their ends, such as `de` or `acme.com`.
        countries: As the accounts file writes them, capitals aside.
        industries: The same.
        segments: Names of segments.
    """

    owner: RepId
    accounts: tuple[Text, ...] = ()
    domains: tuple[Text, ...] = ()
    countries: tuple[Country, ...] = ()
    industries: tuple[Text, ...] = ()
    segments: tuple[Name, ...] = ()

    @model_validator(mode="after")
    def _takes_something(self) -> Territory:
        if not (self.accounts or self.domains or self.countries or self.industries or self.segments):
            raise ValueError(
                "a territory says which accounts are in it: accounts, domains, countries, industries or segments"
            )
        return self


Route = tuple[RepId, ...]
_USUAL: Route = (CRM_OWNER, PREVIOUS_OWNER, TERRITORY, "inside_sales")


class Routes(Section):
    """Who is asked, in order; the first who may take it gets it, else it waits in the last team's queue.

    A step is `crm_owner`, `previous_owner`, `territory`, a team or a person. A team that `teams` does not have is a queue.

    Attributes:
        sales: Segment → steps; `default` = any other.
        find_buyer: For accounts in which no user can buy.
        top_down: For leads of companies that do not use the product.
    """

    sales: dict[Name, Route] = Field(default_factory=lambda: {"default": _USUAL})
    find_buyer: Route = ("marketing",)
    top_down: Route = _USUAL

    @model_validator(mode="after")
    def _end_somewhere(self) -> Routes:
        for where, route in (*self.sales.items(), ("find_buyer", self.find_buyer), ("top_down", self.top_down)):
            if not any(step not in STEPS for step in route):
                raise ValueError(f"the route {where!r} needs a team or a person at its end, so that nothing is lost")
        if "default" not in self.sales:
            raise ValueError("`sales` needs a route `default`, for segments that have none of their own")
        return self


class Routing(Section):
    """Who gets what.

    Attributes:
        reps: People who take handoffs; while there are none, the CRM's owner has it, else whoever claims it.
        teams: Teams.
        territories: Territories, the first that fits.
        routes: Which steps each kind of handoff goes through.
        keep_owner_days: Somebody who comes back within so many days goes to whoever had them.
    """

    reps: dict[RepId, Rep] = Field(default_factory=dict)
    teams: dict[Name, Team] = Field(default_factory=dict)
    territories: dict[Name, Territory] = Field(default_factory=dict)
    routes: Routes = Routes()
    keep_owner_days: int = Field(default=180, ge=0, le=3650)

    @model_validator(mode="after")
    def _names_agree(self) -> Routing:
        for what, name, known in self._mentioned():
            if name not in known:
                raise ValueError(
                    f"{what} names {name!r}, whom `reps` does not have. {did_you_mean(name, list(known))}".strip().removesuffix(
                        "."
                    )
                )
        both = {*self.reps} & {*self.teams, *STEPS} or {*self.teams} & {*STEPS}
        if both:
            raise ValueError(f"{sorted(both)[0]!r} is the name of two things")
        calls: dict[str, str] = {}
        for rep_id, rep in self.reps.items():
            for name in (rep_id, *rep.known_as, *filter(None, [rep.email])):
                if calls.setdefault(name.casefold(), rep_id) != rep_id:
                    raise ValueError(f"{calls[name.casefold()]} and {rep_id} are both known as {name!r}")
        return self

    def _mentioned(self) -> Iterator[tuple[str, str, Collection[str]]]:
        """Who is named, where, and who may be."""
        for name, team in self.teams.items():
            yield from ((f"the team {name!r}", member, self.reps) for member in team.members)
        either = {*self.reps, *self.teams}
        yield from ((f"the territory {name!r}", one.owner, either) for name, one in self.territories.items())

    def rep_called(self, name: str | None) -> str | None:
        """The id of whoever has a name, as the CRM or a log-in writes it; None = nobody here, or more than one."""
        if name is None:
            return None
        if name in self.reps:
            return name
        wanted = name.strip().casefold()
        for rep_id, rep in self.reps.items():
            if wanted in {one.casefold() for one in (rep_id, rep.email or "", *rep.known_as)}:
                return rep_id
        named = [rep_id for rep_id, rep in self.reps.items() if (rep.name or "").casefold() == wanted]
        return named[0] if len(named) == 1 else None

    def who_is_meant(self, name: str) -> str:
        """What to say to whoever wrote a name that is not here."""
        return did_you_mean(name, list(self.reps)) or f"It has {', '.join(self.reps)}."

    def teams_of(self, rep_id: str) -> tuple[str, ...]:
        """Names of somebody's teams."""
        return tuple(name for name, team in self.teams.items() if rep_id in team.members)

    def hours_of(self, rep_id: str | None, usual: Hours) -> Hours:
        """When somebody works: by what is said of them, of their first team, or of everybody."""
        rep = self.reps.get(rep_id or "")
        if rep is None:
            return usual
        of_teams = (self.teams[name].hours for name in self.teams_of(rep_id or ""))
        return rep.hours or next((hours for hours in of_teams if hours), usual)


RosterKind = Literal["reps", "teams", "territories"]
