"""Two playbooks on the same data: who moves, how the volumes change, and which lines of the receipts did it.

The project is opened to be read only, so nothing of this is kept. Roll-ups that are stored and hold what a playbook
needs are read as they are; others are made for the occasion.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime

from handraise.playbook.diff import Setting, settings_changed
from handraise.playbook.load import LoadedPlaybook
from handraise.playbook.plan import RollupPlan, plan_rollups
from handraise.playbook.section import Language
from handraise.service.project import Project, check_as_of, default_as_of, is_current, scored_as_of, show_kept
from handraise.service.refresh import score_as_of
from handraise.service.shift import Shift, accounts_shift, people_shift
from handraise.service.sides import SIDES, Comparison, Side
from handraise.warehouse.tables import read_fact


@dataclass(frozen=True, kw_only=True)
class PlaybookDiff:
    """The outcome of a comparison.

    Attributes:
        as_of: The day scored.
        old: Content hash of the first playbook.
        new: Content hash of the second.
        settings: Keys that differ.
        accounts: What becomes of accounts.
        people: What becomes of people in their accounts.
        notes: What the comparison cannot show.
    """

    as_of: date
    old: str
    new: str
    settings: tuple[Setting, ...]
    accounts: Shift
    people: Shift
    notes: tuple[str, ...]


def diff_playbooks(  # noqa: PLR0913 - each is the caller's to decide
    project: Project,
    old: LoadedPlaybook,
    new: LoadedPlaybook,
    *,
    as_of: date | None,
    now: datetime,
    limit: int | None = None,
    language: Language | None = None,
) -> PlaybookDiff:
    """Score the project's data with both playbooks and compare.

    Args:
        project: Opened with `read_only`.
        old: The first playbook.
        new: The second.
        as_of: The day; None = the day scored last, else the default.
        now: The present instant.
        limit: Movers that come out as records, of each kind; None = all.
        language: Of the reasons; None = the second playbook's.

    Raises:
        AsOfError: The as-of lies in the future.
        InputError: No events are loaded.
    """
    day = as_of or scored_as_of(project) or default_as_of(project, now)
    check_as_of(day, now)
    both: dict[Side, LoadedPlaybook] = {"old": old, "new": new}
    _score_both(project, both, day, now)
    settings = settings_changed(old.playbook, new.playbook)
    shown = Comparison(warehouse=project.warehouse, both=both, limit=limit, language=language or new.playbook.language)
    return PlaybookDiff(
        as_of=day,
        old=old.content_hash,
        new=new.content_hash,
        settings=settings,
        accounts=accounts_shift(shown),
        people=people_shift(shown),
        notes=_notes(settings),
    )


def _notes(settings: tuple[Setting, ...]) -> tuple[str, ...]:
    if not any(setting.key.startswith("attributes.") for setting in settings):
        return ()
    return ("`attributes` works when files are loaded; what it changes is seen after loading them again.",)


def _score_both(project: Project, both: dict[Side, LoadedPlaybook], day: date, now: datetime) -> None:
    """Leave `old_scored_people`, `new_scored_people` and the same of accounts."""
    stored, plans = _plans(project, both)
    # Stored roll-ups are read before others are made in front of them.
    ordered = sorted(SIDES, key=lambda side: plans[side].content_hash != stored)
    for side in ordered:
        _score(project, both[side], day, now, plans[side])
        for name in ("scored_people", "scored_accounts"):
            project.warehouse.create(f"{side}_{name}", project.warehouse.table(name), temporary=True)


def _score(project: Project, loaded: LoadedPlaybook, day: date, now: datetime, plan: RollupPlan) -> None:
    # Of a day that is not over, stored scores knew less than a playbook that is scored now.
    over = day <= now.date()
    if over and is_current(replace(project, loaded=loaded), day):
        show_kept(replace(project, loaded=loaded))
        return
    score_as_of(project.warehouse, loaded, [day], now=now, plan=plan)


def _plans(project: Project, both: dict[Side, LoadedPlaybook]) -> tuple[str | None, dict[Side, RollupPlan]]:
    """The hash of the stored roll-ups' plan, and for each side the stored plan if it covers what the side needs."""
    stored = read_fact(project.warehouse, "rollup_plan")
    needed = {side: plan_rollups(both[side].playbook) for side in SIDES}
    known = (plan_rollups(project.loaded.playbook), *needed.values())
    kept = next((plan for plan in known if plan.content_hash == stored), None)
    lacking = [side for side in SIDES if kept is None or not kept.covers(needed[side])]
    made = needed["old"].joined(needed["new"]) if len(lacking) == len(SIDES) else None
    chosen = {side: (made or needed[side]) if side in lacking else (kept or needed[side]) for side in SIDES}
    return stored, chosen
