"""Roll-ups to which events were added as they came equal roll-ups that are made of all events at once."""

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from handraise.events.call_intake import ReceivedCall, take_calls
from handraise.playbook.plan import plan_rollups
from handraise.rollups.upkeep import refresh_rollups
from handraise.service.project import Project
from handraise.warehouse.tables import write_fact
from live.sending import track
from support import load_folder, memory_project, write

START = datetime(2026, 8, 25, tzinfo=UTC)
RECEIVED = datetime(2026, 8, 31, 22, tzinfo=UTC)
NAMES = ("open", "premium_feature", "feature", "invite_sent", "limit_reached", "pricing_view", "email_opened")
TABLES = ("person_days", "person_role_days", "person_feature_days", "person_firsts")


def calls(chance: random.Random, count: int) -> list[dict[str, Any]]:
    """Events of a few people over some days, some of them sent again, some with other words under the same id."""
    made = []
    for number in range(count):
        at = START + timedelta(seconds=chance.randrange(6 * 86_400))
        more = {"feature": chance.choice(("a", "b", "c")), "count": chance.choice((1, 2, "many", 0.1))}
        who = f"p{chance.randrange(6)}"
        _, said = track(
            number, who, chance.choice(NAMES), at.isoformat(), workspace=chance.choice(("w", "v", None)), **more
        )
        if chance.random() < 0.4:
            said["anonymousId"] = f"a{chance.randrange(4)}"
        if chance.random() < 0.3:
            del said["userId"]
            said["anonymousId"] = f"a{chance.randrange(4)}"
        made.append(said)
        if chance.random() < 0.1:
            made.append(said | {"event": chance.choice(NAMES)})
        if chance.random() < 0.1:
            made.append(said)
    chance.shuffle(made)
    return made


def rolled_up(project: Project) -> dict[str, list[Any]]:
    """The content of every roll-up, with whoever it is about in the place of a number."""
    warehouse, found = project.warehouse, {}
    firsts = warehouse.table("person_firsts").select("who", "actor", "identified", "workspace_id")
    for name in TABLES:
        rows = warehouse.table(name)
        named = rows.drop("who") if name == "person_firsts" else rows.inner_join(firsts, "who").drop("who")
        found[name] = sorted(map(str, warehouse.rows(named.select(*sorted(named.columns))).to_pylist()))
    found["identity_links"] = sorted(map(str, warehouse.rows(warehouse.table("identity_links")).to_pylist()))
    return found


@pytest.mark.parametrize("seed", range(6))
def test_what_is_added_bit_by_bit_equals_what_is_made_at_once(seed: int, tmp_path: Path) -> None:
    chance = random.Random(seed)
    sent = [_received(place, said) for place, said in enumerate(calls(chance, 150))]
    event = {"event_id": "m3", "person_id": "filed", "name": "feature", "timestamp": "2026-08-26T01:00:00Z"}
    files = write(tmp_path, {"events": [event, event | {"event_id": "f1", "timestamp": "2026-08-27T01:00:00Z"}]})
    with memory_project() as project:
        plan = plan_rollups(project.loaded.playbook)
        refresh_rollups(project.warehouse, plan)
        filed = chance.randrange(len(sent))
        place = 0
        while place < len(sent):
            size = chance.choice((1, 3, 20, 60))
            take_calls(project.warehouse, sent[place : place + size])
            if place <= filed < place + size:
                load_folder(project, files)
            if chance.random() < 0.7:
                refresh_rollups(project.warehouse, plan)
            place += size
        refresh_rollups(project.warehouse, plan)
        grown = rolled_up(project)
        assert project.warehouse.count(project.warehouse.table("unrolled_events")) == 0
        write_fact(project.warehouse, "rollup_plan", "")
        refresh_rollups(project.warehouse, plan)
        assert grown == rolled_up(project)
        assert len(grown["person_days"]) > 10


def _received(place: int, said: dict[str, Any]) -> ReceivedCall:
    import msgspec

    event = msgspec.json.encode({"type": "track", **said})
    return ReceivedCall(source="web", kind="segment", shared=b"{}", event=event, received_at=RECEIVED, place=(place, 0))


def test_a_table_of_nothing_new_changes_nothing() -> None:
    with memory_project() as project:
        plan = plan_rollups(project.loaded.playbook)
        assert refresh_rollups(project.warehouse, plan) == 0
        assert refresh_rollups(project.warehouse, plan) == 0
        assert isinstance(project.warehouse.whole("unrolled_events"), pa.Table)
