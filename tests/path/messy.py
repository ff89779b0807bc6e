"""A company small enough to be scored many times, with everything in it that order could change."""

import random
from datetime import timedelta

from support import DAY, HOUR, TINY, Row, Tables, ev, with_ids

ROLES = (
    "open", "export", "feature", "premium_feature", "limit_reached", "invite_sent", "activation", "signed_up",
    "pricing_view", "upgrade_started", "upgrade_completed", "legal_view", "admin_change", "email_opened",
)  # fmt: skip
PEOPLE = [f"p{n}" for n in range(14)]
HOSTS = ("acme.com", "acme.com", "globex.io", "globex.io", "gmail.com", "mit.edu")


def some_events(chance: random.Random, count: int) -> list[Row]:
    """Events of a few people in a few places; ids come twice, with other contents, and anonymous ids get linked."""
    events = []
    for _ in range(count):
        ago = chance.randrange(-3 * 24, 70 * 24) * HOUR + chance.choice((0, 0, 1, -1)) * TINY
        person = chance.choice([*PEOPLE, None, None])
        anonymous = chance.choice([f"a{n}" for n in range(5)]) if person is None or chance.random() < 0.15 else ""
        properties = {"feature": f"f{chance.randrange(7)}", "count": chance.choice((1, 2, 0.1, "x", None))}
        event = ev(
            chance.choice(ROLES), ago, person, chance.choice(["w0", "w1", "w2", "w3", ""]), anonymous_id=anonymous,
            event_id=f"e{chance.randrange(count)}", properties=chance.choice([properties, {}]),
        )  # fmt: skip
        events.append(event)
    return events


def tables_of(chance: random.Random, count: int) -> Tables:
    """A company's files; only ids of events come more than once."""

    def some_time(first: int = -3, last: int = 90) -> str:
        return ev("", chance.randrange(first, last) * DAY + timedelta(seconds=chance.randrange(86_400)))["timestamp"]

    levels, titles = ("vp", "manager", ""), ("CEO", "Engineer", "Head of IT", "")
    people = [
        {
            "person_id": person, "email": f"{person}@{chance.choice(HOSTS)}", "workspace_id": chance.choice(["w0", "w4", ""]),
            "created_at": chance.choice([some_time(), some_time(), ""]), "department": chance.choice(["it", "sales", ""]),
            "seniority": chance.choice(levels), "title": chance.choice(titles),
        }
        for person in PEOPLE
    ]  # fmt: skip
    return {
        "events": with_ids(some_events(chance, count)),
        "people": people,
        "aliases": [{"alias_id": chance.choice(ids), "person_id": chance.choice(ids), "at": some_time(-3, 60)}
                    for ids in [[*PEOPLE[:5], "a0", "a1", "former"]] * 6],
        "workspaces": [{"workspace_id": "w3", "account_id": "acc-9", "created_at": some_time()},
                       {"workspace_id": "w2", "account_id": "", "created_at": some_time()}],
        "accounts": [{"account_id": "acc-1", "domain": "https://www.acme.com/", "employees": 120, "icp": "true",
                      "created_at": some_time(50)},
                     {"account_id": "acc-9", "domain": "", "employees": "", "icp": "", "created_at": ""}],
        "subscriptions": [{"workspace_id": ws, "plan": "t", "started_at": some_time(30), "ended_at": some_time(-3, 30),
                           "mrr": 9} for ws in ("w0", "w1")],
        "limits": [{"workspace_id": f"w{n % 3}", "metric": "seats", "used": n, "quota": 10, "measured_at": some_time()}
                   for n in range(12)],
    }  # fmt: skip
