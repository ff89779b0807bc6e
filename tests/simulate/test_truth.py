"""The truth is one: what is written agrees with it, and its effects can be found again."""

from datetime import date

import numpy as np
import numpy.typing as npt
import pytest

from handraise.simulate.world import World, imagine, scored_ids

from .conftest import Simulated

END = "2026-10-28T00:00:00"


@pytest.fixture(scope="module")
def world() -> World:
    """Return a world large enough for effects to show."""
    return imagine(seed=2, accounts=8_000, days=90, end=date(2026, 10, 28))


def _mean(values: npt.NDArray[np.float64], where: npt.NDArray[np.bool_]) -> float:
    return float(values[where].mean())


def test_intent_causes_conversion(world: World) -> None:
    open_ = world.fate.p_without > 0
    keen = open_ & (world.companies.intent > 1.0)
    cool = open_ & (world.companies.intent < 0.0)
    converted = world.fate.converted.astype(np.float64)
    assert _mean(converted, keen) > 4 * _mean(converted, cool)


def test_sales_helps_large_keen_accounts_and_puts_small_teams_off(world: World) -> None:
    effect = world.fate.p_with - world.fate.p_without
    open_ = world.fate.p_without > 0
    large = open_ & (world.companies.size_class == 4) & (world.companies.intent > 0.5)
    small = open_ & (world.companies.size_class == 1)
    assert _mean(effect, large) > 0.2
    assert (effect[small] < 0).all()


def test_the_plain_comparison_is_confounded_and_weighting_by_the_propensity_is_not(world: World) -> None:
    fate = world.fate
    pool = (fate.p_touch > 0) & (fate.p_without > 0)
    touched, p = fate.touched[pool], fate.p_touch[pool]
    outcome = fate.converted[pool].astype(np.float64)
    truth = float(np.average((fate.p_with - fate.p_without)[pool], weights=p * (1 - p)))
    plain = outcome[touched].mean() - outcome[~touched].mean()
    overlap = np.average(outcome[touched], weights=(1 - p)[touched]) - np.average(
        outcome[~touched], weights=p[~touched]
    )
    assert overlap == pytest.approx(truth, abs=0.035)
    assert abs(plain - truth) > abs(overlap - truth)


def test_outcomes_are_the_conversions_before_the_end(company: Simulated) -> None:
    truth = company.table("truth").to_pylist()
    past = {row["account_id"] for row in truth if row["converted"] and row["converted_at"].isoformat() < END}
    written = company.table("outcomes")["account_id"].to_pylist()
    assert len(written) == len(past) > 5
    assert set(written) == past


def test_touches_are_the_touched_accounts(company: Simulated) -> None:
    truth = company.table("truth").to_pylist()
    touched = {row["account_id"]: row["touched_at"] for row in truth if row["touched"]}
    rows = company.table("touches").to_pylist()
    assert {row["account_id"] for row in rows} == set(touched)
    assert all(row["at"] >= touched[row["account_id"]].isoformat()[:19] for row in rows)


def test_won_deals_are_sales_conversions_and_stages_move_forward(company: Simulated) -> None:
    truth = {row["account_id"]: row for row in company.table("truth").to_pylist()}
    history: dict[str, list[dict[str, str]]] = {}
    for row in company.table("opportunities").to_pylist():
        history.setdefault(row["opportunity_id"], []).append(row)
    assert len(history) > 20
    for rows in history.values():
        times = [row["stage_at"] for row in rows]
        assert times == sorted(times)
        assert times[0] == rows[0]["created_at"]
        assert all(row["status"] == "open" for row in rows[:-1])
        if rows[-1]["status"] == "won":
            assert truth[rows[0]["account_id"]]["converted_by_sales"]


def test_use_never_passes_the_quota(company: Simulated) -> None:
    limits = company.table("limits")
    used, quota = (np.array(limits[name].to_pylist(), dtype=np.int64) for name in ("used", "quota"))
    assert (used <= quota).all()
    assert (used >= 0.8 * quota).mean() > 0.03


def test_truth_has_one_row_for_every_account_as_a_scorer_calls_it(company: Simulated, world: World) -> None:
    ids = company.table("truth")["account_id"].to_pylist()
    assert len(ids) == len(set(ids))
    listed = set(company.table("accounts")["account_id"].to_pylist())
    rooms = set(company.table("workspaces")["workspace_id"].to_pylist())
    people = set(company.table("people")["person_id"].to_pylist())
    for name in ids:
        kind, _, rest = name.rpartition(":")
        assert rest in {"": listed, "workspace": rooms, "person": people}[kind]
    assert len(set(scored_ids(world).tolist())) == len(world.companies)


def test_accounts_spread_from_solo_to_large_and_people_are_ten_an_account(world: World) -> None:
    people = np.bincount(world.members.account[: world.members.people], minlength=len(world.companies))
    used = world.companies.has_usage
    assert people[used].mean() == pytest.approx(10.0, rel=0.25)
    assert 0.3 < (people[used] == 1).mean() < 0.6
    assert people.max() >= 150


def test_a_team_member_never_joins_before_the_inviter(world: World) -> None:
    members = world.members
    invited = np.flatnonzero(members.inviter >= 0)
    assert (members.start_ms[members.inviter[invited]] < members.start_ms[invited]).all()
    assert (members.account[members.inviter[invited]] == members.account[invited]).all()
