"""A brief in words: what a salesperson reads before the first call."""

from __future__ import annotations

from collections.abc import Iterator

from handraise.faces.report.brief_words import WORDS, instant, word
from handraise.faces.report.document import Block, Course, Document, Grid, Items, Pairs, Part, Words
from handraise.faces.report.money_part import money_part
from handraise.faces.report.texts import long_day, number, short_day, signed
from handraise.handoffs.drafting_facts import next_option
from handraise.handoffs.wording import visible
from handraise.records.brief import Brief, PersonOnMap, SinceTouch

_FEATURES_SHOWN = 12
_UNNAMED = "–"


def brief_document(brief: Brief) -> Document:
    """The whole brief in its language."""
    t = WORDS[brief.language]
    parts = (
        _why(brief),
        _buyer(brief),
        _usage(brief),
        money_part(brief),
        _map(brief),
        _talk(brief),
        _since(brief),
        _receipt(brief),
        _earlier(brief),
    )
    return Document(
        language=brief.language,
        title=t["title"].format(name=brief.name),
        lines=(_account_line(brief), _dated(brief)),
        simulated=t["simulated"] if brief.simulated else "",
        parts=tuple(part for part in parts if part),
        footer=t["footer"].format(playbook=brief.playbook),
    )


def brief_line(brief: Brief) -> str:
    """A brief in one line, for lists."""
    t, usage = WORDS[brief.language], brief.usage
    active = t["active_of"].format(active=usage.active_people, people=usage.people, new=usage.new_people)
    said = [f"{t['active'].format(days=usage.window)}: {active}"]
    if usage.features:
        said.append(f"{t['feature']}: {', '.join(word(one.feature, 'en') for one in usage.features[:3])}")
    champion = next((one for one in brief.people if "champion" in one.roles), None)
    if champion:
        said.append(f"{t['part_champion']}: {_called(champion)}")
    option = next_option(brief.expansion)
    if option:
        said.append(f"{option.plan}: {option.formula} {t['a_year']}")
    return "; ".join(visible(one) for one in said)


def _account_line(brief: Brief) -> str:
    t, account = WORDS[brief.language], brief.account
    if account is None:
        return t["not_scored"].format(id=brief.account_id)
    segment = word(account.segment, brief.language)
    return t["account_line"].format(
        id=brief.account_id,
        score=number(account.score),
        tier=account.tier,
        tier_name=word(account.tier_name, brief.language),
        segment=t["guess"].format(segment=segment) if account.segment_is_guess else segment,
    )


def _dated(brief: Brief) -> str:
    at = instant(brief.made_at, brief.language)
    return WORDS[brief.language]["as_of"].format(day=long_day(brief.as_of, brief.language), at=at)


def _called(person: PersonOnMap | None) -> str:
    return _UNNAMED if person is None else person.name or person.person_id


def _why(brief: Brief) -> Part:
    t, why = WORDS[brief.language], brief.why
    rows = [(t["lane"], _lane(brief))]
    blocks: list[Block] = []
    if why.handoff is None:
        blocks.append(Words(text=t["no_handoff"], kind="note"))
    else:
        said = t["handoff_line"].format(number=why.handoff.id, priority=word(why.handoff.priority, brief.language))
        blocks += [Words(text=said, kind="lead"), Items(lines=why.reasons)]
        if not (why.handoff.closed_at or why.handoff.contacted_at):  # else nothing is due any more
            due = why.handoff.due_at
            rows.append((t["due"], instant(due, brief.language) if due else t["no_clock"]))
        rows += [
            (t["owner"], why.handoff.owner or t["nobody"]),
            (t["status"], word(why.handoff.status, brief.language)),
        ]
    if brief.leads:
        rows.append((t["leads"], ", ".join(brief.leads)))
    return Part(title=t["why"], blocks=(*blocks, Pairs(rows=tuple(rows))))


def _lane(brief: Brief) -> str:
    t, named = WORDS[brief.language], brief.why.handoff.person_id if brief.why.handoff else None
    person = next((one for one in brief.people if one.person_id == named), None)
    said = t["nobody_named"] if person is None else _called(person)
    if person and person.title:
        said = f"{said}, {person.title}"
    return t[f"lane_{brief.why.lane}"].format(person=said)


def _buyer(brief: Brief) -> Part | None:
    t, wanted = WORDS[brief.language], brief.buyer_wanted
    if wanted is None:
        return None
    champion = next((one for one in brief.people if one.person_id == wanted.champion_id), None)
    rule = t["rule"].format(seniorities=", ".join(wanted.seniorities), departments=", ".join(wanted.buying_departments))
    known = [f"{_called(one)} ({_position(one)})" for one in brief.people if "buyer" in one.roles]
    rows = (
        (t["buyer_domain"], wanted.domain or t["unknown"]),
        (t["buyer_departments"], ", ".join(wanted.departments) or t["unknown"]),
        (t["buyer_champion"], _called(champion)),
        *(((t["buyer_known"], "; ".join(known)),) if known else ()),
        (t["buyer_titles"], ", ".join(wanted.titles)),
        (t["buyer_rule"], rule),
    )
    return Part(title=t["buyer"], blocks=(Words(text=t["buyer_note"], kind="warning"), Pairs(rows=rows)))


def _usage(brief: Brief) -> Part:
    t, usage, language = WORDS[brief.language], brief.usage, brief.language
    if usage.last_active is None:
        return Part(title=t["usage"], blocks=(Words(text=t["no_usage"]),))
    active = t["active_of"].format(active=usage.active_people, people=usage.people, new=usage.new_people)
    rows = (
        (t["active"].format(days=usage.window), active),
        (t["departments"], ", ".join(usage.departments) or t["unknown"]),
        (t["last_active"], long_day(usage.last_active, language)),
        (t["trend"], t[f"trend_{usage.trend}"]),
    )
    return Part(title=t["usage"], blocks=(Pairs(rows=rows), *_course(brief), *_tables(brief)))


def _course(brief: Brief) -> Iterator[Block]:
    if brief.usage.weeks:
        label = WORDS[brief.language]["course"]
        yield Course(label=label, values=tuple(week.people for week in brief.usage.weeks))


def _tables(brief: Brief) -> Iterator[Block]:
    t, usage, language = WORDS[brief.language], brief.usage, brief.language
    if usage.features:
        rows = tuple(
            (one.feature, number(one.people), number(one.days), t["premium" if one.premium else "any_plan"])
            for one in usage.features[:_FEATURES_SHOWN]
        )
        columns = (t["feature"], t["people"], t["on_days"], t["plan"])
        caption = t["features"].format(days=usage.window)
        yield Grid(caption=caption, columns=columns, rows=rows, figures=frozenset({1, 2}))
    if usage.deeds:
        rows = tuple(
            (word(one.role, language), number(one.times), number(one.people), short_day(one.last, language))
            for one in usage.deeds
        )
        columns = (t["deed"], t["times"], t["people"], t["last"])
        caption = t["deeds"].format(days=usage.window)
        yield Grid(caption=caption, columns=columns, rows=rows, figures=frozenset({1, 2}))


def _map(brief: Brief) -> Part:
    t, language = WORDS[brief.language], brief.language
    if not brief.people:
        return Part(title=t["map"], blocks=(Words(text=t["no_people"]),))
    rows = tuple(
        (
            _called(one),
            _position(one),
            ", ".join(t[f"part_{part}"] for part in one.roles) or _UNNAMED,
            number(one.active_days),
            f"{word(one.band, language)} {number(one.score)}" + (" PQL" if one.is_pql else ""),
            _contact(one, language),
        )
        for one in brief.people
    )
    columns = tuple(t[key] for key in ("who", "title_column", "part", "days_active", "band", "contact"))
    return Part(title=t["map"], blocks=(Grid(caption=t["map"], columns=columns, rows=rows, figures=frozenset({3})),))


def _position(person: PersonOnMap) -> str:
    """Title and department; a department that the title says already is not said twice."""
    title, department = person.title or "", person.department or ""
    parts = (title, "" if department.casefold() in title.casefold() else department)
    return ", ".join(part for part in parts if part) or _UNNAMED


def _contact(person: PersonOnMap, language: str) -> str:
    t, contact = WORDS[language], person.contact
    if contact.allowed:
        return t["yes"]
    because = t[f"not_{contact.because}"]
    return t["until"].format(because=because, at=instant(contact.until, language)) if contact.until else because


def _talk(brief: Brief) -> Part:
    t = WORDS[brief.language]
    blocks: tuple[Block, ...] = tuple(Items(lines=track.words) for track in brief.talk)
    return Part(title=t["talk"], blocks=blocks or (Words(text=t["no_talk"]),))


def _since(brief: Brief) -> Part:
    t, since = WORDS[brief.language], brief.since
    if since is None:
        return Part(title=t["since"], blocks=(Words(text=t["no_touch"]),))
    rows = (
        (t["touch"], _touch(brief, since)),
        (t["touches"], number(since.touches)),
        (t["score_since"], _score_since(brief, since)),
        (t["new_since"], number(since.new_people)),
    )
    blocks: list[Block] = [Pairs(rows=rows)]
    if since.changes:
        moved = tuple((word(one.signal, "en"), number(one.then), number(one.now)) for one in since.changes)
        columns = (t["signal"], t["then"], t["now"])
        blocks.append(Grid(caption=t["changes"], columns=columns, rows=moved, figures=frozenset({1, 2})))
    return Part(title=t["since"], blocks=tuple(blocks))


def _touch(brief: Brief, since: SinceTouch) -> str:
    t, touch = WORDS[brief.language], since.touch
    person = next((one for one in brief.people if one.person_id == touch.person_id), None)
    return t["touch_said"].format(
        at=instant(touch.at, brief.language),
        channel=touch.channel or t["unknown"],
        by=touch.by or t["unknown"],
        person=_called(person) if person else touch.person_id or t["unknown"],
        answered=t["answered" if touch.answered else "unanswered"],
    )


def _score_since(brief: Brief, since: SinceTouch) -> str:
    t = WORDS[brief.language]
    if since.score_on is None or brief.account is None:
        return t["score_unsaid"]
    then = _UNNAMED if since.score_then is None else number(since.score_then)
    day = long_day(since.score_on, brief.language)
    return t["score_said"].format(then=then, day=day, now=number(brief.account.score))


def _receipt(brief: Brief) -> Part | None:
    t = WORDS[brief.language]
    if not brief.receipt:
        return None
    rows = tuple(
        (
            t["blind"] if line.points is None else signed(line.points),
            word(line.signal, "en"),
            _UNNAMED if line.value is None else number(round(line.value, 2)),
            line.because,
        )
        for line in brief.receipt
    )
    columns = (t["points"], t["signal"], t["value"], t["because"])
    blocks: list[Block] = [Grid(caption=t["receipt"], columns=columns, rows=rows, figures=frozenset({0, 2}))]
    if brief.evidence:
        events = tuple((word(one.signal, "en"), one.name, one.at) for one in brief.evidence)
        blocks.append(Grid(caption=t["evidence"], columns=(t["signal"], t["event"], t["at"]), rows=events))
    return Part(title=t["receipt"], blocks=tuple(blocks))


def _earlier(brief: Brief) -> Part:
    t, language = WORDS[brief.language], brief.language
    lines = tuple(
        t["earlier_said"].format(
            number=one.number,
            lane=word(one.lane, language),
            owner=one.owner or t["nobody"],
            begun=long_day(one.created_at.date(), language),
            ended=long_day(one.closed_at.date(), language),
            how=word(one.ended, language) + (f" ({one.reason})" if one.reason else ""),
        )
        for one in brief.earlier
    )
    return Part(title=t["earlier"], blocks=(Items(lines=lines) if lines else Words(text=t["no_earlier"]),))
