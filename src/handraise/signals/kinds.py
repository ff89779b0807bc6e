"""How a kind of measure becomes expressions: functions dispatched on the kind.

`day_columns` and `role_columns` name the aggregates that a signal needs: from `used_days` (one row per pair and day of
age: `n_active`) or from `role_days` (one row per pair, day of age and role: `n`, `role_first_at`, `role_last_at`, and
a column for each summed property). `value` turns the wide row of a person or an account into the signal's value.
Values are numbers; yes/no signals are 1 or 0; NULL means unknown. To add a kind: a model in `playbook/measures.py`,
these functions (those it needs) in the category's module here, and its name is usable in every playbook.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import singledispatch

import ibis.expr.types as ir

from handraise.playbook.measures import Measure
from handraise.playbook.schema import Playbook, Signal
from handraise.warehouse.functions import FALSE

# Ages run from 0 (the day before as-of) to this for `window: lifetime`.
LIFETIME = 100_000


@dataclass(frozen=True, kw_only=True)
class Ask:
    """One signal to be measured.

    Attributes:
        name: The signal's name; its helper columns start with it.
        window: Days.
        half_life: Days, or None for a hard window.
        playbook: For rules that signals share, such as the executive rule.
    """

    name: str
    window: int
    half_life: float | None
    playbook: Playbook

    @property
    def column(self) -> str:
        """The helper column of the signal's main aggregate."""
        return f"{self.name}__total"


def ask(name: str, signal: Signal, playbook: Playbook) -> Ask:
    """What is to be measured for one signal of the playbook."""
    window = LIFETIME if signal.window == "lifetime" else signal.window
    return Ask(name=name, window=window, half_life=signal.half_life, playbook=playbook)


@singledispatch
def day_columns(measure: Measure, wanted: Ask, days: ir.Table) -> dict[str, ir.Value]:
    """Aggregates over `used_days` that the signal's value needs; none unless the kind says so."""
    del measure, wanted, days
    return {}


@singledispatch
def role_columns(measure: Measure, wanted: Ask, roles: ir.Table) -> dict[str, ir.Value]:
    """Aggregates over `role_days` that the signal's value needs; none unless the kind says so."""
    del measure, wanted, roles
    return {}


@singledispatch
def value(measure: Measure, wanted: Ask, row: ir.Table) -> ir.Value:
    """The signal's value for each row.

    Raises:
        NotImplementedError: The kind has no expression; a programming error.
    """
    raise NotImplementedError(f"{type(measure).__name__} of {wanted.name} over {row.columns}")


def flag(condition: ir.BooleanValue) -> ir.IntegerValue:
    """1 where a condition holds, 0 where it does not or cannot be told."""
    number: ir.IntegerValue = condition.fill_null(FALSE).cast("int64")
    return number
