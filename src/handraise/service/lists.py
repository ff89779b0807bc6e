"""The day's accounts and people as records, for faces that show them."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

import ibis
import ibis.expr.types as ir

from handraise.accounts.consolidation import find_strangers
from handraise.playbook.section import Language
from handraise.records import AccountScore, BandCount, Overview, PersonScore, ReceiptLine, Strangers, TierCount
from handraise.scores import history
from handraise.service.project import Project, blind_now, ensure_scored, keep_scored
from handraise.service.receipts import receipt_of
from handraise.service.refresh import score_as_of
from handraise.warehouse.functions import FALSE, join_on
from handraise.warehouse.tables import read_fact

ACCOUNT_SORTS = ("tier", "score", "risen", "active_people", "people_points")
PERSON_SORTS = ("score", "behaviour_points")
# The accounts that were listed last, as a temporary table.
CHOSEN = "chosen_accounts"
# People that are shown of each account.
_STRONGEST = 5


@dataclass(frozen=True, kw_only=True)
class Choice:
    """Which rows of a list are wanted.

    Attributes:
        tier: Tier number of accounts.
        segment: Segment of accounts.
        band: Band of people.
        account_id: This account, or its people, only.
        person_id: This person only.
        pql: People who are PQLs only.
        sort: Column to sort by, largest first; `tier` = best tier first, then score.
        limit: Rows at most.
        after: Only rows that come after this place, as `place_of` gives it; None = from the first.
    """

    tier: int | None = None
    segment: str | None = None
    band: str | None = None
    account_id: str | None = None
    person_id: str | None = None
    pql: bool = False
    sort: str = "score"
    limit: int = 20
    after: tuple[int | str, ...] | None = None


def list_accounts(project: Project, choice: Choice, language: Language) -> list[AccountScore]:
    """Scored accounts with receipts and their strongest people; call `ensure_scored` first."""
    rows = _with_rise(project)
    if choice.tier is not None:
        rows = rows.filter(rows.tier == choice.tier)
    if choice.segment is not None:
        rows = rows.filter(rows.segment == choice.segment)
    if choice.sort == "risen":
        rows = rows.filter(rows.risen > 0)
    column = rows[{"active_people": "team_people"}.get(choice.sort, choice.sort)]
    if choice.account_id is not None:
        rows = rows.filter(rows.account_id == choice.account_id)
    rows = rows.mutate(sort_key=-column if choice.sort == "tier" else column)
    if choice.after is not None:
        key, score, account_id = choice.after
        rows = rows.filter(_beyond([rows.sort_key, rows.score], [rows.account_id], [key, score, account_id]))
    chosen = rows.order_by(rows.sort_key.desc(), rows.score.desc(), rows.account_id).limit(choice.limit)
    found = project.warehouse.create(CHOSEN, chosen, temporary=True)
    rows = found.order_by(found.sort_key.desc(), found.score.desc(), found.account_id)
    records = [_account(project, row, language) for row in project.warehouse.rows(rows).to_pylist()]
    return _with_details(project, records, language)


def place_of(row: AccountScore | PersonScore, sort: str) -> tuple[int | str, ...]:
    """Where a row stands in a list that is sorted so: the same values for `Choice.after`."""
    value: int = getattr(row, sort) or 0
    if isinstance(row, PersonScore):
        return value, row.person_id, row.account_id
    return -value if sort == "tier" else value, row.score, row.account_id


def _beyond(falling: list[ir.Value], rising: list[ir.Value], place: list[int | str]) -> ir.BooleanValue:
    """Whether a row comes after a place, in the order of some columns falling, then of others rising."""
    columns = [*falling, *rising]
    past: ir.BooleanValue = FALSE
    for number in range(len(columns) - 1, -1, -1):
        column, value = columns[number], place[number]
        further = column < value if number < len(falling) else column > value
        past = further | ((column == value) & past)
    return past


def _with_rise(project: Project) -> ir.Table:
    """Scored accounts with `risen`: the change of the score in 7 days, where history has that day."""
    accounts = project.warehouse.table("scored_accounts")
    as_of = project.warehouse.rows(accounts.agg(at=accounts.as_of.max()))[0][0].as_py()
    week_ago = as_of - timedelta(days=7) if as_of else None
    if week_ago is None or week_ago not in kept_days(project):
        return accounts.mutate(risen=ibis.null("int64"))
    past = history.state_at(project.warehouse.table("account_history"), history.ACCOUNT_KEY, week_ago)
    joined = accounts.left_join(past.select("account_id", was=past.score), "account_id")
    # An account that was not there a week ago has risen by its whole score.
    return joined.select(*(joined[c] for c in accounts.columns), risen=joined.score - joined.was.fill_null(0))


def kept_days(project: Project) -> list[date]:
    """As-ofs that history has, oldest first, made with the present playbook."""
    kept = project.warehouse.table("snapshots")
    mine = kept.filter(kept.playbook == project.loaded.content_hash)
    return sorted(project.warehouse.rows(mine.select("as_of"))[0].to_pylist())


def _account(project: Project, row: dict[str, Any], language: Language) -> AccountScore:
    tier = next(t for t in project.loaded.playbook.tiers if t.tier == row["tier"])
    return AccountScore(
        account_id=row["account_id"],
        name=row["name"],
        domain=row["domain"] or row["account_id"].partition("domain:")[2] or None,
        score=row["score"],
        tier=row["tier"],
        tier_name=tier.name,
        action=getattr(tier.action, language),
        segment=row["segment"],
        segment_is_guess=row["segment_is_guess"],
        segment_sells=row["segment_sells"],
        is_pqa=row["is_pqa"],
        active_people=row["team_people"],
        people_points=row["people_points"],
        account_points=row["account_points"],
        firmographic_points=row["firmographic_points"],
        pqls=row["pqls"],
        risen=row["risen"],
    )


def _with_details(project: Project, records: list[AccountScore], language: Language) -> list[AccountScore]:
    lines: dict[str, list[ReceiptLine]] = defaultdict(list)
    for row in receipt_of(project, "account", CHOSEN, language):
        if row["points"]:
            lines[row["account_id"]].append(receipt_line(row))
    people: dict[str, list[PersonScore]] = defaultdict(list)
    for person in _strongest(project):
        people[person.account_id].append(person)
    return [
        replace(
            record,
            receipt=tuple(sorted(lines[record.account_id], key=lambda line: (-(line.points or 0), line.signal))),
            people=tuple(people[record.account_id]),
        )
        for record in records
    ]


def receipt_line(row: dict[str, Any]) -> ReceiptLine:
    """A receipt row as a record."""
    return ReceiptLine(**{key: row[key] for key in ("signal", "category", "value", "points", "because")})


def list_strangers(project: Project, limit: int) -> list[Strangers]:
    """Workspaces of one company that share nobody; call `ensure_scored` first."""
    found = find_strangers(project.warehouse).limit(limit)
    columns = list(Strangers.__dataclass_fields__)
    return [Strangers(**row) for row in project.warehouse.rows(found.select(*columns)).to_pylist()]


def list_people(project: Project, choice: Choice) -> list[PersonScore]:
    """Scored people; call `ensure_scored` first."""
    rows = project.warehouse.table("scored_people")
    if choice.band is not None:
        rows = rows.filter(rows.band == choice.band)
    if choice.account_id is not None:
        rows = rows.filter(rows.account_id == choice.account_id)
    if choice.person_id is not None:
        rows = rows.filter(rows.person_id == choice.person_id)
    if choice.pql:
        rows = rows.filter(rows.is_pql)
    if choice.after is not None:
        rows = rows.filter(_beyond([rows[choice.sort]], [rows.person_id, rows.account_id], list(choice.after)))
    return _people(project, rows, choice.limit, sort=choice.sort)


def _people(project: Project, rows: ir.Table, limit: int, *, sort: str) -> list[PersonScore]:
    chosen = rows.order_by(rows[sort].desc(), rows.person_id, rows.account_id).limit(limit)
    found = project.warehouse.rows(_named(project, chosen)).to_pylist()
    found.sort(key=lambda row: (-row[sort], row["person_id"], row["account_id"]))
    return [_person(row) for row in found]


def _strongest(project: Project) -> list[PersonScore]:
    """The strongest people of the chosen accounts, the people to talk to first."""
    warehouse = project.warehouse

    def build() -> None:
        rows = warehouse.table("scored_people").semi_join(warehouse.table(CHOSEN), "account_id")
        order = [rows.is_pql.desc(), rows.score.desc(), rows.person_id]
        placed = rows.mutate(place=ibis.row_number().over(ibis.window(group_by=rows.account_id, order_by=order)))
        best = placed.filter(placed.place < _STRONGEST)
        warehouse.create("strongest_people", _named(project, best), temporary=True)

    # By the playbook: what its people are scored with is in the SQL, column by column.
    warehouse.once_built(f"strongest people {project.loaded.content_hash}", build)
    found = warehouse.whole("strongest_people").to_pylist()
    found.sort(key=lambda row: (not row["is_pql"], -row["score"], row["person_id"], row["account_id"]))
    return [_person(row) for row in found]


def _named(project: Project, scored: ir.Table) -> ir.Table:
    people = project.warehouse.table("people").select("person_id", "name", "title")
    return join_on(scored, people, ["person_id"]).select(*PersonScore.__dataclass_fields__)


def _person(row: dict[str, Any]) -> PersonScore:
    return PersonScore(**{**row, "is_buyer": bool(row["is_buyer"])})


def overview(project: Project, *, as_of: date | None, now: datetime, language: Language, weeks: int = 6) -> Overview:
    """Everything the report shows; weeks that history lacks are scored and kept on the way.

    Raises:
        AsOfError: The as-of lies in the future.
    """
    day = ensure_scored(project, as_of, now)
    keep_weeks(project, day, weeks)
    ensure_scored(project, day, now)
    warehouse, playbook = project.warehouse, project.loaded.playbook
    return Overview(
        as_of=day,
        language=language,
        simulated=read_fact(warehouse, "simulated") == "yes",
        playbook_hash=project.loaded.content_hash,
        events=warehouse.count(warehouse.table("events")),
        accounts=warehouse.count(warehouse.table("scored_accounts")),
        people=warehouse.count(warehouse.table("scored_people")),
        tiers=_tier_counts(project, day, weeks),
        tier_names={t.tier: t.name for t in playbook.tiers},
        selling_tiers=tuple(t.tier for t in playbook.tiers if t.pqa),
        bands=_band_counts(project),
        top=tuple(list_accounts(project, Choice(sort="tier", limit=10), language)),
        risen=tuple(list_accounts(project, Choice(sort="risen", limit=8), language)),
        top_people=tuple(list_people(project, Choice(limit=15))),
        blind=blind_now(project),
    )


def keep_weeks(project: Project, as_of: date, weeks: int) -> None:
    """Make sure that history has the as-of and the same weekday of the weeks before it, as far as data reach."""
    first = project.warehouse.table("person_days")
    oldest = project.warehouse.rows(first.agg(at=first.day.min()))[0][0].as_py()
    days = [as_of - timedelta(days=7 * week) for week in range(weeks + 1)]
    missing = [day for day in days if day not in kept_days(project) and oldest and day > oldest]
    if not missing:
        return
    score_as_of(project.warehouse, project.loaded, sorted(missing))
    with project.warehouse.transaction():
        keep_scored(project, missing)


def _tier_counts(project: Project, as_of: date, weeks: int) -> tuple[TierCount, ...]:
    counts = []
    days = [as_of - timedelta(days=7 * week) for week in range(weeks, -1, -1)]
    for day in (day for day in days if day in kept_days(project)):
        state = history.state_at(project.warehouse.table("account_history"), history.ACCOUNT_KEY, day)
        rows = project.warehouse.rows(state.group_by("label").agg(n=state.count()).order_by("label")).to_pylist()
        counts += [TierCount(as_of=day, tier=int(row["label"]), accounts=row["n"]) for row in rows]
    return tuple(counts)


def _band_counts(project: Project) -> tuple[BandCount, ...]:
    people = project.warehouse.table("scored_people")
    rows = project.warehouse.rows(people.group_by("band").agg(n=people.count())).to_pylist()
    counts = {row["band"]: row["n"] for row in rows}
    return tuple(BandCount(band=b.name, people=counts.get(b.name, 0)) for b in project.loaded.playbook.bands)
