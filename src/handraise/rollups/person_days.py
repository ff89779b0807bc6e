"""What one roll-up row holds, as expressions over a stretch of events.

Tables kept (`who` numbers an actor, identified or not, in a workspace; it has no meaning outside the warehouse):
    person_days: who × day, how much was done and when first.
    person_role_days: who × day × role, how often the role, when first and last, and the sums its properties need.
    person_feature_days: who × day × role × feature.
    person_firsts: who → actor, identified, workspace_id and the first instants of all history. `first_x < T` answers
        "ever x before T" for any as-of T, so lifetime facts never need the history again.
    identity_links: anonymous_id → person_id with the first instant an event carried both.

Few events carry a role that counts, so roles have rows of their own instead of columns in every day.
"""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from handraise.playbook.plan import RollupPlan
from handraise.rollups.roles import carries_role, feature_key
from handraise.warehouse.functions import FALSE, TRUE, property_text

WHO = ("actor", "identified", "workspace_id")
NUMBER = "decimal(18, 6)"
_TOTAL = "decimal(38, 6)"
_DAY = {"who": "int64", "day": "date"}
_INSTANT = "timestamp(6)"


def schemas(plan: RollupPlan) -> dict[str, ibis.Schema]:
    """Table → columns of every roll-up that a plan needs."""
    firsts = {f"first_{role}": _INSTANT for role in plan.firsts}
    return {
        "person_days": ibis.schema(
            {**_DAY, "n_events": "int64", "n_active": "int64", "first_at": _INSTANT, "first_active_at": _INSTANT}
        ),
        "person_role_days": ibis.schema(
            {
                **_DAY,
                "role": "string",
                "n": "int64",
                "role_first_at": _INSTANT,
                "role_last_at": _INSTANT,
                **dict.fromkeys(plan.sums, _TOTAL),
            }
        ),
        "person_feature_days": ibis.schema({**_DAY, "role": "string", "feature": "string"}),
        "person_firsts": ibis.schema(
            {
                "who": "int64",
                "actor": "string",
                "identified": "boolean",
                "workspace_id": "string",
                "first_at": _INSTANT,
                "first_active_at": _INSTANT,
                **firsts,
            }
        ),
        "identity_links": ibis.schema({"anonymous_id": "string", "person_id": "string", "linked_at": _INSTANT}),
    }


def with_keys(events: ir.Table) -> ir.Table:
    """Events with who did it where, and on which day."""
    return events.mutate(
        actor=ibis.coalesce(events.person_id, events.anonymous_id),
        identified=events.person_id.notnull(),
        workspace_id=ibis.coalesce(events.workspace_id, ""),
        day=events.timestamp.date(),
    )


def person_days(events: ir.Table, plan: RollupPlan) -> ir.Table:
    """One row per who and day. `events` carries the key columns."""
    active = ~events.name.isin(plan.passive) if plan.passive else TRUE
    return events.group_by([*WHO, "day"]).agg(
        n_events=events.count(),
        n_active=events.count(where=active),
        first_at=events.timestamp.min(),
        first_active_at=events.timestamp.min(where=active),
    )


def person_role_days(events: ir.Table, role_names: ir.Table, plan: RollupPlan) -> ir.Table:
    """One row per who, day and role, for the roles that signals count, date or sum.

    Args:
        events: With the key columns.
        role_names: `event_name`, `role`: names that carry a role whatever their properties.
        plan: Which roles, and which sums.
    """
    columns = (*WHO, "day", "timestamp", "name", "properties")
    rows = events.inner_join(role_names, events.name == role_names.event_name).select(*columns, "role")
    for role in plan.dated:
        extra = _by_properties(events, plan, role)
        if extra is not None:
            chosen = events.filter(extra).select(*columns, role=ibis.literal(role))
            rows = rows.union(chosen, distinct=False)
    sums = {
        column: _summed(rows, rows.role == role, name, default) for column, (role, name, default) in plan.sums.items()
    }
    return rows.group_by([*WHO, "day", "role"]).agg(
        n=rows.count(), role_first_at=rows.timestamp.min(), role_last_at=rows.timestamp.max(), **sums
    )


def _by_properties(events: ir.Table, plan: RollupPlan, role: str) -> ir.BooleanValue | None:
    """Events that carry a role by their properties and not already by their name; None where no pattern asks."""
    asking = tuple(pattern for pattern in plan.roles[role] if pattern.where)
    if not asking:
        return None
    plain = tuple(pattern for pattern in plan.roles[role] if not pattern.where)
    found: ir.BooleanValue = carries_role(events, asking) & ~carries_role(events, plain)
    return found


def _summed(rows: ir.Table, has_role: ir.BooleanValue, name: str, default: float) -> ir.DecimalValue:
    """Exact decimals, so that no order of adding changes a digit; what is not a number counts as the default."""
    number = property_text(rows.properties, name).try_cast(NUMBER)
    value = ibis.coalesce(number, ibis.literal(default).cast(NUMBER))
    total: ir.DecimalValue = has_role.ifelse(value, ibis.null(NUMBER)).sum()
    return total


def named_features(plan: RollupPlan) -> dict[str, str]:
    """Name of an event → the one role whose feature it names, whatever its properties, under `feature`.

    Roles that need more to be told are not among them.
    """
    simple = [role for role in plan.features if not any(p.where or p.feature != "feature" for p in plan.roles[role])]
    names = [(pattern.event, role) for role in simple for pattern in plan.roles[role] if pattern.event]
    many = {name for name, role in names if any(name == other and role != its for other, its in names)}
    shared = {role for name, role in names if name in many}
    return {name: role for name, role in names if role not in shared}


def person_feature_days(events: ir.Table, plan: RollupPlan) -> ir.Table:
    """One row per who, day, role and feature used."""
    parts, named = [], named_features(plan)
    if named:
        # All of them at once: reading and comparing texts for each role by itself takes longer.
        used = events.filter(events.name.isin(sorted(named)))
        role = ibis.cases(*((used.name == name, of) for name, of in sorted(named.items())))
        feature = feature_key(used, ())
        parts.append(used.select(*WHO, "day", role=role, feature=feature).distinct())
    for name in plan.features:
        if name not in named.values():
            used = events.filter(carries_role(events, plan.roles[name]))
            key = feature_key(used, plan.roles[name])
            parts.append(used.select(*WHO, "day", role=ibis.literal(name), feature=key).distinct())
    if not parts:
        nothing = events.filter(FALSE)
        return nothing.select(*WHO, "day", role=ibis.literal(""), feature=nothing.name)
    return parts[0] if len(parts) == 1 else ibis.union(*parts, distinct=False)


def person_firsts(days: ir.Table, roles: ir.Table, plan: RollupPlan, key: tuple[str, ...]) -> ir.Table:
    """First instants per `key`, over roll-up rows that carry it."""
    firsts = days.group_by(list(key)).agg(first_at=days.first_at.min(), first_active_at=days.first_active_at.min())
    if not plan.firsts:
        return firsts
    of_roles = roles.group_by(list(key)).agg(
        **{f"first_{role}": roles.role_first_at.min(where=roles.role == role) for role in plan.firsts}
    )
    joined = firsts.left_join(of_roles, list(key))
    return joined.select(*(joined[c] for c in firsts.columns), *(joined[f"first_{role}"] for role in plan.firsts))


def identity_links(events: ir.Table) -> ir.Table:
    """The first instant that an event carried both an anonymous id and a person's id."""
    both = events.filter(events.person_id.notnull() & events.anonymous_id.notnull())
    return both.group_by(["anonymous_id", "person_id"]).agg(linked_at=both.timestamp.min())
