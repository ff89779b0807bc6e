"""One company with everything in it that engines could tell differently."""

import json
import random
from typing import Any

import pyarrow as pa

from handraise.accounts.leads import find_lead_accounts
from handraise.handoffs.edges import hold_known, make_edges
from handraise.handoffs.facts import make_facts
from handraise.service.project import Project
from path.messy import tables_of
from support import DAY, HOUR, Row, Tables, before, ev

PLAYBOOK = """
signals:
  person:
    faded:
      {category: usage, measure: {kind: count, role: feature}, half_life: 7, points: {'>=0.5': 3, '>=2.25': 7}, because: 'faded {value}'}
    faded_sum:
      {category: usage, measure: {kind: sum, role: invite_sent, property: count}, half_life: 1, points: {'>0.0009': 1, '>=1': 5}, because: 'sum {value}'}
    by_plan:
      {category: usage, measure: {kind: count, role: by_plan}, points: {'>=1': 2}, because: 'by plan'}
roles:
  by_plan: [{event: open, where: {plan: [pro, '1.5', 'true', 'ü"x']}}]
"""

_PROPERTIES: list[Any] = [
    {"count": 1.50}, {"count": "1_0"}, {"count": " 2 "}, {"count": 1e12}, {"count": -2.5}, {"count": "1e2"},
    {"count": "1e999"}, {"count": "0x1F"}, {"count": "5d"}, {"count": "nan"}, {"count": True}, {"count": None},
]  # fmt: skip
_FEATURES: list[Any] = [1.50, 12345678.25, "1.50", "é😀", None, True, "", " x ", "a'b\\c", 2**70, 0.1]
_PEOPLE = [
    ("Zoë 😀", "Vice-President", "ÉCOLE", "VP"),
    ("李雷", " head  of\tİT", "it ", "C-Level"),
    ("a\nb", "ΣΑΣ", "Sales", "manager"),
    ('q"uo,te', "chief\vx", "procurement", "lead"),
    ("", None, " ", None),
]


# What others say of companies and people: by URL and by address, with ties, gaps, and of everybody's domains.
_SAID: list[tuple[str, str, str, Row]] = [
    (
        "alpha",
        "https://www.Acme.com/x",
        "",
        {"name": "Ácme 😀", "employees": "700", "industry": " Banking", "country": ""},
    ),
    ("beta", "acme.com", "", {"name": "Acme", "employees": "90", "country": "DE", "tags": "crm; api"}),
    ("alpha", "acme.com", "", {"employees": "90", "industry": ""}),
    ("self_report", "", "N1@straße-1.de", {"title": "chief  Buyer", "seniority": "C-Level", "employees": "60"}),
    ("beta", "", " n2@STRASSE-0.de", {"department": "Procurement ", "title": ""}),
    ("beta", "xn--strae-0-kva.de", "", {"employees": "1", "industry": "ÉCOLE"}),
    ("alpha", "straße-0.de", "", {"employees": "5000", "name": "Straße"}),
    ("beta", "straße-0.de", "", {"employees": "5000", "name": "STRASSE"}),
    ("alpha", "gmail.com", "", {"employees": "9999"}),
]


def company(seed: int = 20261028, count: int = 300) -> Tables:
    """Late events, copies of ids on other days, ties, anonymous people, odd texts and numbers."""
    tables = tables_of(random.Random(seed), count)
    rows = [("invite_sent", {**p}) for p in _PROPERTIES] + [("premium_feature", {"feature": f}) for f in _FEATURES]
    rows += [("open", {"plan": plan}) for plan in ("pro", 1.5, True, 'ü"x')]
    more = [
        {**ev(name, (n % 9) * DAY + HOUR, f"n{n % 5}", f"w{n % 3}"), "event_id": f"ü{n}", "properties": json.dumps(p)}
        for n, (name, p) in enumerate(rows)
    ]
    tables["events"] = [*tables["events"], *more]
    tables["people"] = [
        *tables["people"],
        *(
            {
                "person_id": f"n{n}", "email": f"N{n}@Straße-{n % 2}.de", "name": name, "title": title,
                "department": department, "seniority": seniority, "workspace_id": "w1", "created_at": before(9 * DAY),
            }
            for n, (name, title, department, seniority) in enumerate(_PEOPLE)
        ),
    ]  # fmt: skip
    tables["enrichment"] = [
        {"source": source, "domain": domain, "email": email, "known_at": before((n % 7) * 5 * DAY + HOUR), **said}
        for n, (source, domain, email, said) in enumerate(_SAID)
    ]
    mails = ("N1@straße-1.de", "n1@STRASSE-1.de", "boss@led.com", "Boss@led.com", "who@gmail.com", "late@led.com")
    tables["leads"] = [
        {"email": email, "at": before((n % 5 - 1) * 20 * DAY + HOUR), "source": "fair"} for n, email in enumerate(mails)
    ]
    accounts = ("workspace:w0", "workspace:w1", "workspace:w2", "domain:straße-1.de", "elsewhere")
    tables["touches"] = [
        {
            "account_id": accounts[n % 5],
            "at": before((n - 2) * DAY),
            "person_id": f"n{n % 4}" if n % 3 else "",
            "by": "rep",
        }
        for n in range(20)
    ]
    return tables


def arrow(rows: list[Row]) -> pa.Table:
    """Rows as a table of texts; an empty cell is NULL."""
    columns = sorted({column for row in rows for column in row})
    values = [[None if row.get(c) in {None, ""} else str(row[c]) for row in rows] for c in columns]
    return pa.table([pa.array(column, pa.string()) for column in values], names=columns)


def edges_of(project: Project) -> dict[str, list[Row]]:
    """What fired, what ended and what deciding reads, after a refresh; everything was unknown before but one condition."""
    warehouse = project.warehouse
    find_lead_accounts(warehouse, project.loaded.playbook.domains)
    gone = {"trigger": "became_hot", "account_id": "gone", "person_id": "", "asked_at": None}
    hold_known(warehouse, [gone])
    make_edges(warehouse, project.loaded.playbook, within_scope=False)
    fired = warehouse.whole("fired").to_pylist()
    accounts = sorted({row["account_id"] for row in fired})
    warehouse.hold("candidates", pa.table({"account_id": pa.array(accounts, pa.string())}))
    make_facts(warehouse, lead_days=30)
    tables = ("fired", "ended", "acting_accounts", "acting_people", "acting_touches", "acting_leads")
    return {name: sorted(warehouse.whole(name).to_pylist(), key=repr) for name in tables}
