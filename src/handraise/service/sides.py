"""The two sides of a comparison: which playbooks, and which columns of the scored rows are held against each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from handraise.playbook.load import LoadedPlaybook
from handraise.playbook.section import Language
from handraise.scores import receipt
from handraise.scores.pql import firmographic_signals
from handraise.warehouse.engine import Warehouse

Side = Literal["old", "new"]
SIDES: tuple[Side, Side] = ("old", "new")


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """What is compared, and how much of it is told.

    Attributes:
        warehouse: Has `old_scored_people`, `new_scored_people` and the same of accounts.
        both: The playbooks that made them.
        limit: Movers that come out as records; None = all.
        language: Of the reasons.
    """

    warehouse: Warehouse
    both: dict[Side, LoadedPlaybook]
    limit: int | None
    language: Language


@dataclass(frozen=True, kw_only=True)
class Kind:
    """How one kind of scored rows is compared.

    Attributes:
        entity: person or account.
        table: Name of the scored rows.
        key: Columns that say who it is.
        named_in: Input that has their names.
        label: Column of the band or tier.
        qualified: Column of PQL or PQA.
        points: Side → signal → column of its points.
        names: Side → label → how it is shown, best first.
    """

    entity: str
    table: str
    key: tuple[str, ...]
    named_in: str
    label: str
    qualified: str
    points: dict[Side, dict[str, str]]
    names: dict[Side, dict[str, str]]

    @property
    def signals(self) -> list[str]:
        """Signals of either playbook."""
        return list(dict.fromkeys([*self.points["old"], *self.points["new"]]))

    def shown(self, side: Side, label: str | None) -> str | None:
        """How a band or tier of one side is shown; None = not there."""
        return None if label is None else self.names[side][label]


def person_kind(both: dict[Side, LoadedPlaybook]) -> Kind:
    """People in their accounts."""
    return Kind(
        entity="person",
        table="scored_people",
        key=("person_id", "account_id"),
        named_in="people",
        label="band",
        qualified="is_pql",
        points={side: {name: f"p_{name}" for name in both[side].playbook.signals.person} for side in SIDES},
        names={side: {band.name: band.name for band in both[side].playbook.bands} for side in SIDES},
    )


def account_kind(both: dict[Side, LoadedPlaybook]) -> Kind:
    """Accounts."""
    playbooks = {side: both[side].playbook for side in SIDES}
    return Kind(
        entity="account",
        table="scored_accounts",
        key=("account_id",),
        named_in="accounts",
        label="tier",
        qualified="is_pqa",
        points={
            side: {
                receipt.PEOPLE: "people_points",
                **{name: f"p_{name}" for name in (*playbook.signals.account, *firmographic_signals(playbook))},
            }
            for side, playbook in playbooks.items()
        },
        names={
            side: {str(tier.tier): f"{tier.tier} {tier.name}" for tier in playbook.tiers}
            for side, playbook in playbooks.items()
        },
    )
