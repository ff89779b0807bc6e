"""The files keep to the contract: names, columns, times, ids, and the same bytes for the same arguments."""

from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from handraise.simulate import simulate
from handraise.simulate.behaviour import days_of
from handraise.simulate.files import EventsFile
from handraise.simulate.schedule import together, within
from handraise.simulate.signs import signs
from handraise.simulate.world import imagine

from .conftest import DAYS, Simulated

END = datetime(2026, 10, 28, tzinfo=UTC)
COLUMNS = {
    "events": "event_id,person_id,anonymous_id,name,timestamp,workspace_id,received_at,properties",
    "people": "person_id,email,name,title,department,seniority,created_at,workspace_id",
    "workspaces": "workspace_id,account_id,name,created_at",
    "accounts": ("account_id,name,domain,domains,employees,industry,icp,country,owner,crm_id,target,created_at"),
    "subscriptions": "account_id,workspace_id,plan,started_at,ended_at,mrr,seats,channel",
    "limits": "account_id,metric,used,quota,measured_at",
    "opportunities": (
        "opportunity_id,account_id,created_at,stage,stage_at,amount,closed_at,status,accepted,reject_reason,source"
    ),
    "touches": "account_id,at,person_id,channel,by,replied_at,meeting_at",
    "leads": "email,at,source",
    "nps": "person_id,score,at",
    "prompts": "person_id,at,offer",
    "outcomes": "account_id,person_id,outcome,at,value",
}


def _bytes(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(directory.iterdir())}


def test_the_same_arguments_give_the_same_bytes_and_another_seed_gives_others(tmp_path: Path) -> None:
    for name, seed in (("one", 3), ("two", 3), ("other", 4)):
        simulate(tmp_path / name, accounts=60, days=20, seed=seed)
    one, two, other = (_bytes(tmp_path / name) for name in ("one", "two", "other"))
    assert len(one) == 13
    assert one == two
    assert all(one[name] != other[name] for name in ("events.parquet", "people.csv", "truth.parquet"))


@pytest.mark.parametrize("name", sorted(COLUMNS))
def test_every_file_has_the_columns_of_the_contract(company: Simulated, name: str) -> None:
    assert ",".join(company.table(name).column_names) == COLUMNS[name]


def test_the_summary_counts_the_rows_of_every_file(company: Simulated) -> None:
    counts = asdict(company.summary)
    copies = counts.pop("duplicates")
    assert {name: company.table(name).num_rows for name in counts} == counts
    ids = company.table("events")["event_id"]
    assert len(ids) - pc.count_distinct(ids).as_py() == copies
    assert copies / len(ids) == pytest.approx(0.001, rel=0.4)


def test_copies_are_exact(company: Simulated) -> None:
    events = company.table("events")
    assert events.group_by(events.column_names).aggregate([]).num_rows == (
        company.summary.events - company.summary.duplicates
    )


def test_event_times_are_sorted_and_inside_the_span(company: Simulated) -> None:
    events = company.table("events")
    assert events.schema.field("timestamp").type == pa.timestamp("us", tz="UTC")
    assert events.schema.field("name").type == pa.string()
    at, received = (events[name].to_numpy() for name in ("timestamp", "received_at"))
    start, end = (np.datetime64(t.replace(tzinfo=None)) for t in (END - timedelta(days=DAYS), END))
    assert (np.diff(at) >= np.timedelta64(0)).all()
    assert start <= at[0]
    assert at[-1] < end
    assert (received >= at).all()
    late = (received - at) > np.timedelta64(50, "m")
    assert 0.01 < late.mean() < 0.02


def test_every_person_and_workspace_of_an_event_is_listed_and_not_younger(company: Simulated) -> None:
    events = company.table("events")
    for key, name in (("person_id", "people"), ("workspace_id", "workspaces")):
        made = company.table(name).select([key, "created_at"])
        first = events.filter(pc.is_valid(events[key])).group_by(key).aggregate([("timestamp", "min")])
        both = first.join(made, key, join_type="left outer")
        created = np.array([text.rstrip("Z") for text in both["created_at"].to_pylist()], "datetime64[us]")
        assert (created <= both["timestamp_min"].to_numpy()).all()


def test_anonymous_events_have_no_person_until_sign_up_links_the_two(company: Simulated) -> None:
    events = company.table("events")
    anonymous, person = pc.is_valid(events["anonymous_id"]), pc.is_valid(events["person_id"])
    assert pc.all(pc.or_(anonymous, person)).as_py()
    linked = events.filter(pc.and_(anonymous, person))
    assert set(linked["name"].to_pylist()) == {"signed_up"}
    visits = events.filter(pc.invert(person))
    before = visits.join(linked.select(["anonymous_id", "timestamp"]), "anonymous_id", right_suffix="_link")
    known = before.filter(pc.is_valid(before["timestamp_link"]))
    assert known.num_rows > 100
    assert pc.all(pc.less(known["timestamp"], known["timestamp_link"])).as_py()


def test_an_unlinked_workspace_is_found_by_its_peoples_domain(company: Simulated) -> None:
    truth = company.table("truth")
    owner = {room: row["account_id"] for row in truth.to_pylist() for room in row["workspace_ids"]}
    domains: dict[str, str] = {}
    for row in company.table("accounts").to_pylist():
        domains |= {domain: row["account_id"] for domain in (row["domain"], row["domains"]) if domain}
    unlinked = {row["workspace_id"] for row in company.table("workspaces").to_pylist() if not row["account_id"]}
    found = [
        (owner[row["workspace_id"]], domains.get((row["email"] or "@").split("@")[1]))
        for row in company.table("people").to_pylist()
        if row["workspace_id"] in unlinked and owner[row["workspace_id"]].startswith("acc-")
    ]
    assert len(found) > 20
    assert all(account == domain_owner for account, domain_owner in found)


@pytest.mark.parametrize("wanted", [3_000.0, 30_000.0])
def test_events_per_day_is_kept_within_a_tenth(tmp_path: Path, wanted: float) -> None:
    summary = simulate(tmp_path, accounts=150, days=14, seed=5, events_per_day=wanted)
    assert summary.events / 14 == pytest.approx(wanted, rel=0.1)


def test_too_few_events_a_day_are_refused_with_the_least_possible(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="meaningful events a day"):
        simulate(tmp_path, accounts=150, days=14, seed=5, events_per_day=1.0)


@pytest.mark.parametrize(("accounts", "days", "seed"), [(0, 5, 5), (5, 0, 5), (5, 5, -1)])
def test_numbers_out_of_range_are_refused(tmp_path: Path, accounts: int, days: int, seed: int) -> None:
    with pytest.raises(ValueError, match="at least"):
        simulate(tmp_path, accounts=accounts, days=days, seed=seed)


def test_the_size_of_a_row_group_changes_no_event(tmp_path: Path) -> None:
    world = imagine(seed=9, accounts=40, days=15, end=date(2026, 10, 28))
    planned = within(together([signs(world)]), world.span)
    tables = []
    for size in (100, 4_096):
        path = tmp_path / f"{size}.parquet"
        with EventsFile(path, world.members, world.spaces, row_group=size) as sink:
            for day in days_of(world, planned, scale=1.0):
                sink.add(day)
        assert pq.ParquetFile(path).num_row_groups == -(-sink.rows // size)
        tables.append(pq.read_table(path))
    assert tables[0].equals(tables[1])


def test_one_account_for_one_day_is_enough_and_progress_is_told(tmp_path: Path) -> None:
    told: list[tuple[str, int, int]] = []
    summary = simulate(
        tmp_path,
        accounts=1,
        days=1,
        seed=1,
        progress=lambda what, done, total: told.append((what, done, total)),
    )
    assert summary.truth == 1
    assert told[-1] == ("writing events", 1, 1)
