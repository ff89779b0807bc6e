"""What faces ask about briefs, drafts and stories. What is approved is kept in the ledger, so no question changes the data."""

from __future__ import annotations

from datetime import datetime

from handraise.records.brief import Brief
from handraise.records.drafts import Approval, Draft, TemplateInfo
from handraise.service import briefs, drafting, template_files
from handraise.service.drafting import Approving, Story
from handraise.service.project import Project
from handraise.service.questions import check_name, language_of, question


@question(changes=False)
def brief(
    project: Project, *, number: int | None, account_id: str | None, language: str | None, now: datetime
) -> Brief:
    """The brief of a handoff, by its number, or of an account."""
    wanted = language_of(project, language)
    if number is not None:
        return briefs.brief_of_handoff(project, number, language=wanted, now=now)
    return briefs.brief_of_account(project, account_id or "", language=wanted, now=now)


@question(changes=False)
def draft(project: Project, *, number: int, language: str | None, now: datetime) -> Draft:
    """The draft of a handoff."""
    return drafting.draft_of(project, number, language=language_of(project, language), now=now)


@question(changes=False)
def approve_draft(project: Project, *, number: int, said: Approving, language: str | None, now: datetime) -> Approval:
    """Keep that somebody approved the exact text of a draft."""
    return drafting.approve(project, number, said, language=language_of(project, language), now=now)


@question(changes=False)
def draft_approvals(project: Project, *, number: int) -> list[Approval]:
    """Texts that were approved for a handoff, oldest first."""
    return drafting.approvals(project, number)


@question(changes=False)
def preview_template(
    project: Project, *, template: str, accounts: int, language: str | None, now: datetime
) -> list[Draft]:
    """What a template gives for real accounts."""
    wanted = language_of(project, language)
    return drafting.preview(project, template, accounts=accounts, language=wanted, now=now)


@question(changes=False)
def templates(project: Project, *, language: str | None) -> list[TemplateInfo]:
    """Every template, or those of one language."""
    check_name("language", language, ("en", "zh"))
    return [one for one in template_files.list_templates(project.folder) if language in {None, one.language}]


@question(changes=False)
def story(project: Project, *, account_id: str, language: str | None, now: datetime) -> Story:
    """The story of an account, for whoever decides there."""
    return drafting.story(project, account_id, language=language_of(project, language), now=now)
