"""Ask providers about the companies and people that are worth it, and bring what they answered to the scores.

The ledger counts each request before it is made and keeps each answer when it has come, so that a budget holds and no
answer is paid for twice, whatever stops in between. The data get the answers from there.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pyarrow as pa
from sqlalchemy import Connection

from handraise.accounts.enrichment.due import due, hold_worth, worth_companies, worth_people
from handraise.accounts.enrichment.http_provider import AskedOverHttp
from handraise.accounts.enrichment.provider import Provider
from handraise.errors import NotFoundError, ProjectError
from handraise.events.call_intake import EVERYBODY_DIRTY
from handraise.events.store import count_up, note_columns
from handraise.ledger import acting
from handraise.ledger import enriching as kept
from handraise.ledger.audit import record, take_turn
from handraise.ledger.store import Ledger
from handraise.ledger.suppression import is_suppressed
from handraise.playbook.enrichment import HttpProvider
from handraise.records.enrichment import Budget, ProviderRun, Reply, Subject
from handraise.service.project import Project, ensure_scored
from handraise.warehouse.tables import INPUTS, read_fact, write_fact

# The answer of the ledger that the data have, by its number.
_BROUGHT_IN = "enrichment_brought_in"
# Where a provider refuses and does not say for how long.
_LEFT_ALONE = timedelta(hours=1)
Told = Callable[[str, float], None]


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What a run is to do.

    Attributes:
        only: Of this provider only; None = of all.
        limit: Requests at most to each; None = as many as its budget has.
        dry_run: Ask nobody.
        resume: Ask also providers that failed or refused lately.
    """

    only: str | None = None
    limit: int | None = None
    dry_run: bool = False
    resume: bool = False


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Whom one provider is to be asked about now.

    Attributes:
        provider: Its name.
        settings: What the playbook says of it.
        worth: How many it may be asked about.
        due: How many it is to be asked about.
        subjects: Those of them that its budget reaches, the most urgent first.
        budget: What is left.
    """

    provider: str
    settings: HttpProvider
    worth: int
    due: int
    subjects: tuple[Subject, ...]
    budget: Budget


@dataclass(kw_only=True)
class Asking:
    """What asking needs of the world outside.

    Attributes:
        environment: The process's variables, for secrets.
        now: The clock.
        actor: Who wants it, for the audit trail.
        told: Gets the provider and the share of its questions that is done.
        monotonic: Seconds that never go back.
        sleep: Waits so many seconds.
        provider: Makes a provider of its settings and secrets.
    """

    environment: Mapping[str, str]
    now: Callable[[], datetime]
    actor: str
    told: Told = lambda _, __: None
    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    provider: Callable[[HttpProvider, Mapping[str, str]], Provider] = field(default=AskedOverHttp)


def plan(project: Project, ledger: Ledger, wanted: Wanted, *, now: datetime) -> list[Plan]:
    """Whom each provider, or one of them, is to be asked about; asks nobody.

    Raises:
        NotFoundError: The playbook has no such provider, or none at all.
        InputError: Nothing is loaded yet.
    """
    providers, only = project.loaded.playbook.enrichment.providers, wanted.only
    if not providers or (only and only not in providers):
        what = f"no provider {only!r}" if only else "no provider"
        raise NotFoundError(
            f"the playbook has {what} to ask.",
            where="enrichment.providers",
            todo="The manual's Enrichment page shows how.",
        )
    ensure_scored(project, None, now)
    warehouse = project.warehouse
    with ledger.reading() as connection:
        under_way = [one.account_id for one in acting.list_handoffs(connection)]
    warehouse.hold("under_way", pa.table({"account_id": pa.array(sorted(set(under_way)), pa.string())}))
    hold_worth(warehouse, project.loaded.playbook.enrichment.worth)
    names = [only] if only else list(providers)
    if wanted.resume and not wanted.dry_run:
        with ledger.transaction() as connection:
            for name in names:
                kept.note_success(connection, name)
    return [_plan_one(project, ledger, name, providers[name], limit=wanted.limit, now=now) for name in names]


def _plan_one(
    project: Project, ledger: Ledger, name: str, settings: HttpProvider, *, limit: int | None, now: datetime
) -> Plan:
    warehouse = project.warehouse
    with ledger.reading() as connection:
        fresh = kept.fresh_subjects(connection, name, now=now)
        budget = _budget(connection, name, settings, now)
    held = warehouse.hold("fresh_subjects", pa.table({"subject": pa.array(fresh, pa.string())}))
    is_company = settings.about == "company"
    worth = worth_companies(warehouse) if is_company else worth_people(warehouse, project.loaded.playbook)
    wanted = warehouse.create("due_subjects", due(worth, settings, held), temporary=True)
    most = budget.left if limit is None else min(limit, budget.left)
    order = [wanted.urgent.desc(), wanted.tier, wanted.score.desc(), wanted.subject]
    rows = warehouse.rows(wanted.order_by(order).limit(most)).to_pylist()
    found = [Subject(about=settings.about, name=row["subject"], person_id=row.get("person_id")) for row in rows]
    return Plan(
        provider=name,
        settings=settings,
        worth=warehouse.count(worth.select("subject").distinct()),
        due=warehouse.count(wanted),
        subjects=tuple(found),
        budget=budget,
    )


def _budget(connection: Connection, name: str, settings: HttpProvider, now: datetime) -> Budget:
    return kept.budget_of(connection, name, now=now, per_day=settings.per_day, per_month=settings.per_month)


def only_planned(one: Plan) -> ProviderRun:
    """What would be asked, without asking."""
    return _told(one, asked=0, counts={}, budget=one.budget, stopped=_stopped_before(one))


def _stopped_before(one: Plan) -> str:
    if one.budget.paused_until:
        return f"left alone until {one.budget.paused_until:%Y-%m-%d %H:%M}Z: {one.budget.because}"
    return "the budget is spent" if not one.budget.left else ""


def ask_all(ledger: Ledger, plans: list[Plan], asking: Asking) -> list[ProviderRun]:
    """Ask each provider about those that are planned.

    Raises:
        ProjectError: A secret is not in the environment; nobody was asked.
    """
    secrets = {one.provider: _secrets(one, asking.environment) for one in plans}
    return [_ask_one(ledger, one, secrets[one.provider], asking) for one in plans]


def _secrets(one: Plan, environment: Mapping[str, str]) -> dict[str, str]:
    found = {header: environment.get(name, "") for header, name in one.settings.headers_env.items()}
    for header, value in found.items():
        if not value:
            raise ProjectError(
                f"the environment has no {one.settings.headers_env[header]}, which the provider {one.provider} needs.",
                where=f"enrichment.providers.{one.provider}.headers_env.{header}",
                todo="Set it where handraise runs; it holds the whole value of the header.",
            )
    return found


def _ask_one(ledger: Ledger, one: Plan, secrets: Mapping[str, str], asking: Asking) -> ProviderRun:
    settings, provider = one.settings, asking.provider(one.settings, secrets)
    counts: dict[str, int] = {}
    asked, stopped, turn = 0, _stopped_before(one), asking.monotonic()
    for subject in () if stopped else one.subjects:
        stopped = _may_not_ask(ledger, one, subject, asking.now())
        if stopped == _ERASED:
            stopped = ""
            continue
        if stopped:
            break
        asking.sleep(max(0.0, turn - asking.monotonic()))
        turn = max(turn, asking.monotonic()) + 1 / settings.per_second
        reply, asked = provider.ask(subject.name, now=asking.now()), asked + 1
        counts[reply.outcome] = counts.get(reply.outcome, 0) + 1
        stopped = _keep(ledger, one, subject, reply, asking.now())
        asking.told(one.provider, asked / len(one.subjects))
        if stopped:
            break
    with ledger.transaction() as connection:
        take_turn(connection)
        budget = _budget(connection, one.provider, settings, asking.now())
        if asked:
            record(
                connection,
                actor=asking.actor,
                action="enrichment.ask",
                object=f"provider {one.provider}",
                details={"asked": asked, **counts},
                now=asking.now(),
            )
    return _told(one, asked=asked, counts=counts, budget=budget, stopped=stopped)


_ERASED = "erased"


def _may_not_ask(ledger: Ledger, one: Plan, subject: Subject, now: datetime) -> str:
    """Why a question may not be put; empty = it may, and is counted."""
    settings = one.settings
    with ledger.transaction() as connection:
        if subject.about == "person" and _is_unwanted(connection, subject):
            return _ERASED
        spent = kept.take_request(
            connection, one.provider, now=now, per_day=settings.per_day, per_month=settings.per_month
        )
    return f"the budget of the {spent} is spent" if spent else ""


def _is_unwanted(connection: Connection, subject: Subject) -> bool:
    """Nothing is asked or kept of somebody who was erased, objected, or wants no mail."""
    return bool(is_suppressed(connection, [name for name in (subject.name, subject.person_id) if name]))


def _keep(ledger: Ledger, one: Plan, subject: Subject, reply: Reply, now: datetime) -> str:
    """Keep what came back; why it is not to go on, empty = it is."""
    settings, name = one.settings, one.provider
    with ledger.transaction() as connection:
        take_turn(connection)  # answers get their numbers in the order in which they are kept
        if reply.outcome == "refused":
            until = reply.wait_until or now + _LEFT_ALONE
            if until > now:
                kept.pause(connection, name, until=until, because=reply.because)
            return f"{reply.because}; left alone until {until:%Y-%m-%d %H:%M}Z" if until > now else reply.because
        if reply.outcome == "failed":
            until_then = kept.note_failure(connection, name, because=reply.because, now=now)
            failed = f"{reply.because}, again and again: left alone until"
            return f"{failed} {until_then:%Y-%m-%d %H:%M}Z" if until_then else ""
        kept.note_success(connection, name)
        if subject.about == "person" and _is_unwanted(connection, subject):
            return ""  # erased while the question was under way
        days = settings.fresh_days if reply.values else settings.miss_days
        fresh_until = now + timedelta(days=days)
        kept.keep_answer(connection, name, subject, reply.values, now=now, fresh_until=fresh_until)
    return ""


def _told(one: Plan, *, asked: int, counts: Mapping[str, int], budget: Budget, stopped: str) -> ProviderRun:
    return ProviderRun(
        provider=one.provider,
        about=one.settings.about,
        worth=one.worth,
        due=one.due,
        asked=asked,
        found=counts.get("found", 0),
        missed=counts.get("missed", 0),
        failed=counts.get("failed", 0) + counts.get("refused", 0),
        budget=budget,
        stopped=stopped,
    )


def bring_in(project: Project, ledger: Ledger, *, anew: bool = False) -> int:
    """Give the data the answers that they do not have yet, or all of them anew if they hold others; how many there were."""
    warehouse = project.warehouse
    with ledger.reading() as connection:
        known = int(read_fact(warehouse, _BROUGHT_IN) or 0)
        # Another ledger, such as one that begins in Postgres, counts from the start.
        anew = anew or kept.last_number(connection) < known
        found = list(kept.answers_after(connection, 0 if anew else known))
    if len(found) == (warehouse.count(warehouse.table("provider_said")) if anew else 0):
        return 0
    item, fields = INPUTS["enrichment"], {name for one in found for name in one.values}
    rows = [
        {
            ("domain" if one.about == "company" else "email"): one.subject,
            "source": one.provider,
            "known_at": one.asked_at.replace(tzinfo=None),
            **one.values,
        }
        for one in found
    ]
    with warehouse.transaction():
        if anew:
            warehouse.empty("provider_said")
        if rows:
            held = warehouse.hold("answers", pa.Table.from_pylist(rows, schema=item.schema.to_pyarrow()))
            warehouse.insert("provider_said", held)
            note_columns(warehouse, item, sorted(fields))
        write_fact(warehouse, _BROUGHT_IN, str(found[-1].id if found else 0))
        count_up(warehouse, "data_version", f"version of {item.name}")
        write_fact(warehouse, EVERYBODY_DIRTY, "yes")  # where a log is followed, scores follow by themselves
    return len(found)


def enrich(project: Project, asking: Asking, wanted: Wanted) -> list[ProviderRun]:
    """Plan, ask and bring in, for whoever has the project to themselves.

    Raises:
        NotFoundError: The playbook has no such provider.
        ProjectError: A secret is missing.
    """
    with ledger_of(project) as ledger:
        plans = plan(project, ledger, wanted, now=asking.now())
        if wanted.dry_run:
            return [only_planned(one) for one in plans]
        done = ask_all(ledger, plans, asking)
        bring_in(project, ledger)
        return done


def ledger_of(project: Project) -> AbstractContextManager[Ledger]:
    """The project's ledger.

    Raises:
        ProjectError: It is opened without one.
    """
    if project.ledger is None:
        raise ProjectError("this project is opened without its ledger.")
    return project.ledger()
