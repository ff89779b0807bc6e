"""The live stream: the same calls for the same seed, of people who are there, in stories that can be followed."""

from datetime import date
from itertools import islice
from pathlib import Path

import pytest

from handraise.errors import InputError
from handraise.simulate import simulate
from handraise.simulate.cast import Team, read_cast
from handraise.simulate.live import STORIES, LiveCall, live_calls
from handraise.simulate.vocabulary import EVENT_NAMES, FREE_MAIL


@pytest.fixture(scope="module")
def teams(tmp_path_factory: pytest.TempPathFactory) -> tuple[Team, ...]:
    data = tmp_path_factory.mktemp("live")
    simulate(data, accounts=60, days=40, seed=5, end=date(2026, 9, 1))
    return read_cast(data)


def calls_of(teams: tuple[Team, ...], seed: int, count: int = 2_000) -> list[LiveCall]:
    return list(islice(live_calls(teams, seed), count))


def test_the_same_seed_gives_the_same_calls_and_another_one_others(teams: tuple[Team, ...]) -> None:
    assert calls_of(teams, 1) == calls_of(teams, 1)
    assert calls_of(teams, 1) != calls_of(teams, 2)


def test_known_people_do_things_where_they_belong_and_new_ones_are_introduced_first(teams: tuple[Team, ...]) -> None:
    members = {(team.workspace_id, person.person_id) for team in teams for person in team.people}
    introduced: dict[str, set[str]] = {}
    for call in calls_of(teams, 3):
        assert call.person_id or call.anonymous_id
        assert (call.event in EVENT_NAMES) == (call.kind == "track")
        if (call.workspace_id, call.person_id) in members:
            continue
        if call.kind == "track" and call.person_id:
            assert introduced[call.person_id] == {"identify", "group"}
        elif call.kind == "track":
            assert call.workspace_id == ""
        else:
            introduced.setdefault(call.person_id, set()).add(call.kind)
            assert call.kind == "group" or {"name", "email", "title", "department", "seniority"} == set(call.content)
    assert introduced


def test_a_story_begins_with_its_first_call_and_goes_on_in_one_company(teams: tuple[Team, ...]) -> None:
    calls = calls_of(teams, 4)
    begun = [call for call in calls if call.begins]
    assert calls[0].begins or any(call.begins for call in calls[:5]), "there is something to see at once"
    assert len(begun) > 50
    companies = {team.workspace_id: team.company for team in teams}
    assert all(companies[call.workspace_id] in call.begins for call in begun)
    events = {call.event for call in begun}
    assert len(events) == len(STORIES), "every kind of story comes"


def test_a_story_is_first_of_people_for_whom_it_is_news(teams: tuple[Team, ...]) -> None:
    done = {person.person_id: person.done for team in teams for person in team.people}
    told = [call for call in calls_of(teams, 6, 150) if call.event == "limit_reached"]
    assert told
    assert not any("limit_reached" in done[call.person_id] for call in told[:2])


def test_teams_are_those_who_were_active_lately(teams: tuple[Team, ...]) -> None:
    assert [team.workspace_id for team in teams] == sorted(team.workspace_id for team in teams)
    assert all(team.people and team.domain not in FREE_MAIL for team in teams)
    assert not any("(simulated)" in team.company for team in teams)


def test_a_real_company_never_gets_made_up_activity(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no simulated company"):
        read_cast(tmp_path)
    simulate(tmp_path, accounts=5, days=5, seed=1)
    (tmp_path / "truth.parquet").unlink()
    with pytest.raises(InputError, match="no simulated company"):
        read_cast(tmp_path)
