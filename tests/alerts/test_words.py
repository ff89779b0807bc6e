"""What messages say, and when they may be said."""

from datetime import UTC, datetime, time, timedelta
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.messages import HOSTILE_NAME, ITEM, NOW, item, message
from handraise.alerts.timing import first_at, is_quiet
from handraise.alerts.words import happened_to, headline, plain, text_of
from handraise.playbook.alerts import Quiet, SlackTo
from handraise.records.acting import Lane, Priority
from handraise.records.alerting import AlertKind

EN = """\
New handoff 4: Orbaden (high)
  talk to Ann Ozerny, Head of IT
  • asked to talk to sales
  • ten or more people close to a plan limit
  owner: nobody yet
  due: 2026-11-25 11:00 Europe/Berlin
  answer with: handraise handoff 4 claim --by NAME"""
ZH = """\
新的交接 4：Orbaden（高优先级）
  联系 Ann Ozerny, Head of IT
  • asked to talk to sales
  • ten or more people close to a plan limit
  负责人: 暂无
  截止: 2026-11-25 11:00 Europe/Berlin
  回复命令: handraise handoff 4 claim --by NAME"""


def test_a_message_says_who_why_until_when_and_how_to_answer() -> None:
    assert text_of(message(ITEM)) == EN
    assert text_of(message(ITEM, language="zh")) == ZH


def test_what_has_ended_asks_for_nothing() -> None:
    said = text_of(message(item(kinds=("created", "ended"), closed_at=NOW, status="closed", owner="kim")))
    assert said.splitlines()[0] == "Ended 4: Orbaden (high)"
    assert "owner: kim" in said
    assert "claim" not in said
    assert "due" not in said


def test_what_is_automated_asks_nobody() -> None:
    said = text_of(message(item(object="decision 9", kinds=("nurture",), lane="self_serve", priority="low")))
    assert said.splitlines()[0] == "Automated: Orbaden (low)"
    assert "handoff" not in said
    assert "owner" not in said


@pytest.mark.parametrize(
    ("kinds", "said"),
    [
        (("created", "joined"), "created"),
        (("created", "assigned", "ended"), "ended"),
        (("ended", "reopened"), "reopened"),
        (("joined", "assigned"), "assigned"),
        (("created", "ended", "reopened"), "reopened"),
    ],
)
def test_of_several_things_the_one_that_counts_is_said(kinds: tuple[AlertKind, ...], said: str) -> None:
    assert happened_to(item(kinds=kinds)) == said


def test_everything_that_can_happen_has_words_in_both_languages() -> None:
    for language in ("en", "zh"):
        for kind in get_args(AlertKind):
            for lane in get_args(Lane):
                for priority in get_args(Priority):
                    shown = text_of(message(item(kinds=(kind,), lane=lane, priority=priority), language=language))
                    assert "Orbaden" in shown
        assert headline(message(language=language))
        assert "2" in headline(message(ITEM, ITEM, language=language))


def test_more_reasons_than_fit_are_counted() -> None:
    said = text_of(message(item(because=tuple(f"reason {n}" for n in range(8)))))
    assert "reason 4" in said
    assert "reason 5" not in said
    assert "and 3 more reasons" in said


@settings(max_examples=50)
@given(st.text())
def test_a_name_is_one_short_line_of_signs_that_do_not_act(name: str) -> None:
    shown = plain(name)
    assert len(shown) <= 120
    assert shown.isprintable() or shown == ""
    assert shown == shown.strip()


def test_a_hostile_name_stays_one_line() -> None:
    assert len(text_of(message(item(account_name=HOSTILE_NAME))).splitlines()) == 7


def rules(**more: object) -> SlackTo:
    return SlackTo.model_validate({"kind": "slack", "url_env": "X", **more})


def berlin(day: int, clock: str) -> datetime:
    return datetime.fromisoformat(f"2026-11-{day:02}T{clock}+01:00")


@pytest.mark.parametrize(
    ("now", "due"),
    [
        (berlin(25, "08:00"), berlin(25, "09:00")),
        (berlin(25, "09:00"), berlin(25, "09:00")),
        (berlin(25, "09:01"), berlin(25, "15:30")),
        (berlin(25, "15:31"), berlin(26, "09:00")),
    ],
)
def test_a_digest_goes_out_at_the_next_of_its_local_times(now: datetime, due: datetime) -> None:
    digest = rules(digest=["15:30", 9])
    assert first_at(digest, "Europe/Berlin", now, urgent=False) == due
    assert first_at(digest, "Europe/Berlin", now, urgent=True) == due
    assert first_at(rules(digest=[9], urgent_at_once=True), "Europe/Berlin", now, urgent=True) == now
    assert first_at(rules(), "Europe/Berlin", now, urgent=False) == now


def test_a_digest_keeps_to_the_clock_when_the_clock_is_changed() -> None:
    before = datetime(2026, 10, 24, 20, tzinfo=UTC)  # summer time ends in the night
    assert first_at(rules(digest=[9]), "Europe/Berlin", before, urgent=False) == datetime(2026, 10, 25, 8, tzinfo=UTC)
    spring = datetime(2026, 3, 28, 12, tzinfo=UTC)  # 02:30 is no time of the next day
    assert first_at(rules(digest=["02:30"]), "Europe/Berlin", spring, urgent=False) - spring < timedelta(days=1)


@pytest.mark.parametrize(
    ("clock", "quiet"),
    [("18:59", False), ("19:00", True), ("23:59", True), ("00:00", True), ("07:59", True), ("08:00", False)],
)
def test_quiet_hours_go_over_midnight(clock: str, quiet: bool) -> None:
    night = Quiet(start=time(19), end=time(8), days_off=(6, 7))
    assert is_quiet(night, "Europe/Berlin", berlin(25, clock)) is quiet
    assert is_quiet(night, "Europe/Berlin", berlin(28, clock)), "on Saturday all day"
    assert not is_quiet(Quiet(), "Europe/Berlin", berlin(28, clock))
