"""truth.parquet: what the simulation knows and no method sees, one row per account."""

from pathlib import Path

import numpy as np
import pyarrow as pa

from handraise.simulate.chance import BoolArray, IntArray
from handraise.simulate.company import segment
from handraise.simulate.files import INSTANT, write_parquet
from handraise.simulate.market import nps_effect
from handraise.simulate.vocabulary import PERSONAS, SIZE_CLASSES
from handraise.simulate.world import World, scored_ids


def write_truth(path: Path, world: World) -> int:
    """Write the truth; conversions and decisions may lie after the end of the span, as the future does."""
    companies, fate, members = world.companies, world.fate, world.members
    total = len(companies)
    home = members.account[: members.people]
    persona = world.habits.persona[: members.people]
    counts = {
        f"{name}_people": pa.array(np.bincount(home[persona == number], minlength=total))
        for number, name in enumerate(PERSONAS)
    }
    table = pa.table(
        {
            "account_id": pa.array(scored_ids(world).tolist(), pa.string()),
            "size_class": pa.array(np.asarray(SIZE_CLASSES)[companies.size_class].tolist(), pa.string()),
            "segment": pa.array(segment(companies).tolist(), pa.string()),
            "employees": pa.array(companies.employees),
            "icp": pa.array(companies.icp),
            "has_usage": pa.array(companies.has_usage),
            "paying_before": pa.array(companies.paying_before),
            "intent": pa.array(companies.intent),
            "trend": pa.array(companies.trend),
            "people": pa.array(np.bincount(home, minlength=total)),
            **counts,
            "workspace_ids": _rooms(world),
            "decision_at": _instants(fate.decision_ms, companies.has_usage),
            "visible_use": pa.array(fate.visible_use),
            "p_touch": pa.array(fate.p_touch),
            "touched": pa.array(fate.touched),
            "touched_at": _instants(fate.touch_ms, fate.touched),
            "p_convert_without_sales": pa.array(fate.p_without),
            "p_convert_with_sales": pa.array(fate.p_with),
            "true_effect": pa.array(fate.p_with - fate.p_without),
            "nps_effect": pa.array(nps_effect(world)),
            "converted": pa.array(fate.converted),
            "converted_at": _instants(fate.converted_ms, fate.converted),
            "converted_by_sales": pa.array(fate.by_sales),
            "contract_value": pa.array(world.contract),
        }
    )
    return write_parquet(path, table)


def _instants(at_ms: IntArray, known: BoolArray) -> pa.Array:
    return pa.array(at_ms * 1000, pa.int64(), mask=~known).cast(INSTANT)


def _rooms(world: World) -> pa.Array:
    """Return the workspaces of every account as lists; workspaces are stored account by account."""
    size = np.bincount(world.spaces.account, minlength=len(world.companies))
    offsets = np.concatenate(([0], np.cumsum(size))).astype(np.int32)
    ids = pa.array(world.spaces.workspace_id.tolist(), pa.string())
    return pa.ListArray.from_arrays(pa.array(offsets), ids)
