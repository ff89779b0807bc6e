"""After scoring: which triggers fired, what is done about them, and every decision kept, all or nothing.

The engine says what became true; Python decides about those accounts only. What held before, the accounts' lives and the
decisions are in the ledger, and are changed in one transaction of it: if something stops, the same scores are made again, what
was kept does not fire a second time, and no decision is lost.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy import Connection

from handraise.accounts.leads import find_lead_accounts
from handraise.handoffs.decide import Facts
from handraise.handoffs.edges import hold_known, make_edges
from handraise.ledger import acting, conditions
from handraise.ledger.audit import take_turn
from handraise.ledger.conditions import Held
from handraise.ledger.store import Ledger
from handraise.service.acting_facts import facts_of
from handraise.service.assigning import pass_on, to_pass_on
from handraise.service.decisions import NOTHING, Decided, Deciding, Edges, Fired
from handraise.service.enriching import bring_in
from handraise.service.project import UNDECIDED, Project, check_as_of, refresh
from handraise.service.refresh import Refreshed, score_as_of
from handraise.service.roster import in_force
from handraise.warehouse.tables import write_fact

# What the first decisions of a project look back to: what became true before is not news.
FIRST_LOOK_BACK = timedelta(days=7)


def refresh_and_decide(
    project: Project,
    as_ofs: list[date],
    *,
    now: datetime,
    full: bool = False,
    progress: Callable[[float], None] | None = None,
) -> tuple[Refreshed, Decided]:
    """Score everybody as of some days, and decide as of the last of them.

    Raises:
        AsOfError: An as-of lies beyond the end of today.
    """
    as_of = max(as_ofs)
    check_as_of(as_of, now)
    if project.ledger is None or not project.loaded.playbook.handoffs.triggers:
        return refresh(project, as_ofs, now=now, full=full, progress=progress), NOTHING
    with project.ledger() as ledger:
        bring_in(project, ledger)
        before = look_back(project, ledger, as_of, progress)
        done = refresh(project, as_ofs, now=now, full=full, progress=progress)
        done = replace(done, days_rolled_up=max(done.days_rolled_up, before))
        return done, decide_now(project, ledger, as_of=as_of, now=now)


def decide_now(project: Project, ledger: Ledger, *, as_of: date, now: datetime, within_scope: bool = False) -> Decided:
    """Decide about everything that changed, right after the path was run for a day.

    Args:
        project: Its last run of the path was for `as_of`.
        ledger: The project's.
        as_of: The day. Decisions only go forward: about a day before the last one nothing is decided.
        now: The present instant; decisions about a past day are made as of its end.
        within_scope: Only the accounts of `scope_accounts` were scored.
    """
    at = min(now, datetime.combine(as_of, time(), UTC))
    made = NOTHING
    with ledger.transaction() as connection:
        take_turn(connection)  # who says something about a handoff says it before or after, not meanwhile
        before = conditions.decided_until(connection)
        if before is None or at >= before:
            seen = EngineSeen(project, within_scope=within_scope)
            made = Deciding(connection, project.loaded, seen, as_of=as_of, at=at).run()
    write_fact(project.warehouse, UNDECIDED, "no")
    return made


def pass_on_due(project: Project, ledger: Ledger, *, as_of: date, now: datetime) -> int:
    """Give what has lain too long to somebody else, whether or not anything was scored; returns how many."""
    rules = project.loaded.playbook.handoffs
    with ledger.reading() as connection:
        if not to_pass_on(connection, in_force(connection, rules), now):
            return 0
    with ledger.transaction() as connection:
        take_turn(connection)
        playbook = project.loaded
        return len(pass_on(connection, in_force(connection, rules), at=now, as_of=as_of, playbook=playbook))


def is_first(ledger: Ledger) -> bool:
    """Whether nothing was ever decided."""
    with ledger.reading() as connection:
        return conditions.decided_until(connection) is None


def due_accounts(ledger: Ledger, now: datetime) -> list[str]:
    """Accounts that the clock says to decide about once more."""
    with ledger.reading() as connection:
        return acting.due_accounts(connection, now)


def look_back(project: Project, ledger: Ledger, as_of: date, progress: Callable[[float], None] | None = None) -> int:
    """Take what held at an earlier day as known, so that only what is news fires.

    Before a project's first decisions that is a week ago; where scores mean something else by now, the day decided last.

    Returns:
        Days whose roll-ups were made anew for it.
    """
    with ledger.reading() as connection:
        before, meant = conditions.decided_until(connection), conditions.known_triggers(connection)
    if before and meant.get(conditions.SCORES) in {None, project.loaded.content_hash}:
        return 0
    earlier = before.date() if before else as_of - FIRST_LOOK_BACK
    done = score_as_of(project.warehouse, project.loaded, [earlier], progress=progress)
    at = datetime.combine(earlier, time(), UTC)
    with ledger.transaction() as connection:
        deciding = Deciding(connection, project.loaded, EngineSeen(project), as_of=earlier, at=at)
        if before:
            deciding.take_more_as_known(before)
        else:
            deciding.take_as_known()
    return done.days_rolled_up


class EngineSeen:
    """What the engine says of now, right after the path was run.

    Args:
        project: Its last run of the path was for the day that is decided on.
        within_scope: Only the accounts of `scope_accounts` were scored.
    """

    def __init__(self, project: Project, *, within_scope: bool = False) -> None:
        self._loaded, self._warehouse, self._within = project.loaded, project.warehouse, within_scope
        self.scope: Sequence[str] | None = (
            self._warehouse.whole("scope_accounts")["account_id"].to_pylist() if within_scope else None
        )

    def edges(self, held: Iterable[Held]) -> Edges:
        """What changed, compared with what held before."""
        hold_known(self._warehouse, (_known(one) for one in held))
        playbook = self._loaded.playbook
        key = f"edges {self._loaded.handoffs_hash} {self._within}"
        find_lead_accounts(self._warehouse, playbook.domains)
        self._warehouse.once_built(key, lambda: make_edges(self._warehouse, playbook, within_scope=self._within))
        fired = [
            Fired(
                trigger=row["trigger"],
                account_id=row["account_id"],
                person_id=row["person_id"],
                value=row["value"],
                asked_at=row["at"].replace(tzinfo=UTC) if row["at"] else None,
            )
            for row in self._warehouse.whole("fired").to_pylist()
        ]
        ended = [
            (row["trigger"], row["account_id"], row["person_id"]) for row in self._warehouse.whole("ended").to_pylist()
        ]
        return Edges(fired=fired, ended=ended)

    def facts(self, connection: Connection, accounts: Sequence[str], at: datetime) -> dict[str, Facts]:
        """Account → what deciding needs to know of it."""
        return facts_of(self._warehouse, connection, self._loaded, accounts, at)


def _known(one: Held) -> dict[str, object]:
    asked_at = one.asked_at.astimezone(UTC).replace(tzinfo=None) if one.asked_at else None
    return {"trigger": one.trigger, "account_id": one.account_id, "person_id": one.person_id, "asked_at": asked_at}
