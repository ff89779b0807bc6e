"""A company of four accounts, written row by row: one with everything, one without a buyer, one that asks, one lead."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from handraise.ledger import acting
from handraise.records.acting import Handoff
from handraise.service.deciding import refresh_and_decide
from handraise.service.folder import create_project
from handraise.service.project import Project
from support import DAY, HOUR, Row, T, Tables, before, ev, load_folder, with_ids, write

Company = tuple[Project, dict[str, Handoff]]
LATE = datetime(T.year, T.month, T.day, tzinfo=UTC)
WEEK = timedelta(days=7)
PLAYBOOK = """
icp: {min_employees: 10}
handoffs:
  pricing: {currency: EUR, plans: {team: {per_seat: 12}, business: {per_seat: 24}}}
  outreach: {product: Board, sender: Kim Lee}
"""
# Who works at acme: title, department, seniority; on how many of the last days they are active, and how much on each.
PEOPLE: dict[str, tuple[str, str, str, int, int]] = {
    "ann": ("Head of IT", "it", "", 12, 2),
    "bob": ("clerk", "sales", "", 28, 1),
    "cid": ("clerk", "sales", "", 28, 3),
    "dee": ("IT administrator", "it", "", 3, 1),
    "eve": ("buyer", "procurement", "manager", 6, 1),
    "fay": ("CFO", "finance", "", 2, 1),
    "gus": ("clerk", "finance", "", 9, 1),
    "hal": ("clerk", "it", "", 9, 1),
    "ivy": ("clerk", "legal", "", 9, 1),
    "jon": ("clerk", "legal", "", 8, 1),
    "kai": ("clerk", "legal", "", 8, 1),
    "new": ("VP sales", "sales", "", 1, 1),
}
ADMIN = "gus"  # did what only admins do, and no title says so


def events() -> list[Row]:
    """Everybody's days; two use features, one invites, one is an admin; somebody without a name looks around."""
    rows = [
        ev("open", day * DAY + (n + 1) * HOUR, who, "ws-acme")
        for who, (_, _, _, days, acts) in PEOPLE.items()
        for day in range(days)
        for n in range(acts)
    ]
    rows += [ev("feature", n * DAY + HOUR, "bob", "ws-acme", properties={"feature": "guest_portal"}) for n in range(5)]
    rows += [ev("feature", n * DAY + HOUR, "cid", "ws-acme", properties={"feature": "guest_portal"}) for n in range(9)]
    rows += [ev("premium_feature", 2 * DAY, "cid", "ws-acme", properties={"feature": "sso"})]
    rows += [ev("invite_sent", 2 * DAY, "cid", "ws-acme"), ev("admin_change", 200 * DAY, ADMIN, "ws-acme")]
    rows += [ev("pricing_view", n * HOUR + DAY, "ann", "ws-acme") for n in range(7)]
    rows += [ev("enterprise_request", 5 * DAY, "ann", "ws-acme")]
    rows += [ev("open", DAY, None, "ws-acme", anonymous_id="visitor")]
    rows += [ev("open", n * DAY + HOUR, f"u{m}", "ws-byte") for m in range(12) for n in range(20)]
    rows += [ev("limit_reached", DAY, f"u{m}", "ws-byte") for m in range(12)]
    rows += [ev("open", n * DAY, "solo", "ws-cozy") for n in range(1, 5)]
    rows += [ev("contact_sales", 4 * HOUR, "solo", "ws-cozy")]
    rows += [ev("open", 3 * HOUR, "dan", "ws-dull")]
    return rows


def people() -> list[Row]:
    rows = [
        {"person_id": who, "name": who.title(), "title": title, "department": department, "seniority": seniority,
         "email": f"{who}@acme-made-up.com", "created_at": before((5 * HOUR) if who == "new" else 90 * DAY)}
        for who, (title, department, seniority, _, _) in PEOPLE.items()
    ]  # fmt: skip
    rows += [
        {"person_id": f"u{m}", "name": f"U{m}", "title": "clerk", "department": "sales" if m % 2 else "it",
         "email": f"u{m}@byte-made-up.com", "created_at": before(90 * DAY)}
        for m in range(12)
    ]  # fmt: skip
    rows += [{"person_id": "solo", "name": "Solo\u202e <b>X</b>\nBcc: evil.example", "title": "owner",
              "email": "solo@cozy-made-up.com", "created_at": before(6 * HOUR)}]  # fmt: skip
    return [*rows, {"person_id": "dan", "name": "Dan", "email": "dan@dull-made-up.com", "created_at": before(9 * DAY)}]


def tables() -> Tables:
    """The whole company."""
    accounts = [("acme", 200), ("byte", 300), ("cozy", 3), ("dull", 4)]
    measured = [
        {"account_id": "acme", "metric": "seats", "used": 60 + 5 * n, "quota": 100, "measured_at": before((5 - n) * WEEK + HOUR)}
        for n in range(6)
    ]  # fmt: skip
    measured += [{"workspace_id": "ws-acme", "metric": "api", "used": 9, "quota": 10, "measured_at": before(DAY)}]
    return {
        "events": with_ids(events()),
        "people": people(),
        "accounts": [
            {"account_id": one, "name": one.title(), "domain": f"{one}-made-up.com", "employees": size} for one, size in accounts
        ],
        "workspaces": [{"workspace_id": f"ws-{one}", "account_id": one} for one, _ in accounts],
        "subscriptions": [
            {"account_id": "acme", "plan": "team", "started_at": before(80 * DAY), "mrr": 96, "seats": 8, "channel": "self_serve"},
            {"account_id": "acme", "plan": "old", "started_at": before(300 * DAY), "ended_at": before(80 * DAY), "mrr": 9, "seats": 1},
            {"workspace_id": "ws-byte", "plan": "gold", "started_at": before(80 * DAY), "mrr": 96, "seats": 8},
        ],
        "limits": measured,
        "touches": [
            {"account_id": "acme", "at": before(30 * DAY), "person_id": "eve", "channel": "call", "by": "kim"},
            {"account_id": "acme", "at": before(3 * DAY), "person_id": "eve", "channel": "email", "by": "kim", "replied_at": before(2 * DAY)},
            {"account_id": "acme", "at": before(4 * DAY), "person_id": "eve", "channel": "email", "by": "kim"},
        ],
        "leads": [
            {"email": "boss@zeta-made-up.com", "at": before(2 * DAY), "source": "webinar"},
            {"email": "x@mail.acme-made-up.com", "at": before(3 * DAY), "source": "fair"},
            {"email": "x@notacme-made-up.com", "at": before(3 * DAY), "source": "other"},
        ],
    }  # fmt: skip


def begin(folder: Path, files: Path) -> None:
    """Write the playbook and the files."""
    create_project(folder, PLAYBOOK)
    write(files, tables())


def decided(project: Project, files: Path) -> dict[str, Handoff]:
    """Load and decide as of T; account → its handoff."""
    load_folder(project, files)
    refresh_and_decide(project, [T - WEEK, T], now=LATE)
    assert project.ledger
    with project.ledger() as ledger, ledger.reading() as connection:
        return {one.account_id: one for one in acting.list_handoffs(connection)}
