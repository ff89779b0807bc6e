"""What others know of companies and people reaches the scores as it was known at each day, in the stated order of belief."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, time
from pathlib import Path
from typing import Any

import pytest

from handraise.accounts.enrichment import told
from handraise.accounts.enrichment.values import at_pointer, plain_value
from handraise.errors import PlaybookError
from handraise.playbook.load import load_template, parse_playbook
from handraise.service.project import Project, ensure_scored, refresh
from handraise.service.refresh import score_as_of
from handraise.service.rescore import rescore
from support import DAY, HOUR, NOW, Row, T, before, ev, export_bytes, load_folder, memory_project, scores, write

RULES = "icp: {min_employees: 100}\nindustries: [banking]\n"


def said(ago: Any, source: str = "acme_data", **more: object) -> Row:
    return {"source": source, "known_at": before(ago), **{name: str(value) for name, value in more.items()}}


@contextmanager
def company(tmp_path: Path, rows: list[Row], playbook: str = RULES) -> Iterator[Project]:
    tables = {
        "events": [ev("open", DAY, "ann", "w"), ev("open", DAY, "bob", "v"), ev("open", DAY, "cy", "u")],
        "people": [
            {"person_id": "ann", "email": "Ann@acme.com", "created_at": before(20 * DAY), "title": ""},
            {"person_id": "bob", "email": "bob@byte.io", "created_at": before(20 * DAY), "title": "Engineer"},
            {"person_id": "cy", "email": "cy@gmail.com", "created_at": before(20 * DAY), "title": ""},
        ],
        "accounts": [{"account_id": "byte", "domain": "byte.io", "employees": "20", "industry": ""}],
        "enrichment": rows,
    }
    with memory_project(playbook) as project:
        load_folder(project, write(tmp_path / "files", tables))
        yield project


def test_a_score_sees_what_was_known_before_its_day(tmp_path: Path) -> None:
    rows = [
        said(3 * DAY, domain="https://www.acme.com/about", name="Acme", employees=420, industry=" Banking "),
        said(1 * DAY, domain="mail.acme.com", employees=30),
        said(DAY * 0, domain="acme.com", employees=9000),
        said(2 * DAY, "self_report", email="ann@ACME.com", title="CEO"),
    ]
    with company(tmp_path, rows) as project:
        found = scores(project, T, T - DAY, T - 2 * DAY, T - 5 * DAY)
        names = {
            row["as_of"]: row["name"]
            for row in project.warehouse.rows(project.warehouse.table("scored_accounts")).to_pylist()
            if row["account_id"] == "domain:acme.com"
        }
        buyers = {
            row["as_of"]
            for row in project.warehouse.rows(project.warehouse.table("scored_people")).to_pylist()
            if row["person_id"] == "ann" and row["is_buyer"]
        }
    told_of = {day: found.accounts[day, "domain:acme.com"] for day in (T, T - DAY, T - 2 * DAY, T - 5 * DAY)}
    assert [(row["segment"], row["firmographic_points"]) for row in told_of.values()] == [
        ("smb", 10),  # thirty people, and of banking still
        ("mid_market", 35),  # what is known at an as-of itself is not known before it
        ("mid_market", 35),
        ("smb", 0),
    ]
    assert names == {T: "Acme", T - DAY: "Acme", T - 2 * DAY: "Acme", T - 5 * DAY: None}
    assert buyers == {T, T - DAY}


def test_the_company_s_own_files_go_first_unless_the_playbook_says_otherwise(tmp_path: Path) -> None:
    rows = [
        said(3 * DAY, domain="byte.io", employees=900, industry="Banking"),
        said(3 * DAY, "self_report", email="bob@byte.io", employees=5, title="CEO"),
    ]
    orders = {
        "": ("smb", 10),
        "enrichment: {order: {company: [provider, accounts, self_report]}}\n": ("enterprise", 45),
        "enrichment: {order: {company: [self_report, acme_data, accounts]}}\n": ("smb", 10),
        "enrichment: {order: {company: [accounts, self_report]}}\n": ("smb", 0),
        "enrichment: {order: {person: [provider, self_report, people]}}\n": ("smb", 10),
    }
    for number, (order, wanted) in enumerate(orders.items()):
        with company(tmp_path / str(number), rows, RULES + order) as project:
            row = scores(project).accounts[T, "byte"]
            people = project.warehouse.rows(project.warehouse.table("scored_people")).to_pylist()
        assert (row["segment"], row["firmographic_points"]) == wanted, order
        assert {p["person_id"] for p in people if p["is_buyer"]} == ({"bob"} if "person" in order else set())


def test_addresses_of_everybody_say_nothing_of_a_company(tmp_path: Path) -> None:
    rows = [said(DAY, domain=one, employees=5000) for one in ("gmail.com", "mailinator.com", "mit.edu", "own.example")]
    rows += [said(DAY, "self_report", email="cy@gmail.com", employees=5000, title="CFO")]
    with company(tmp_path, rows, f"{RULES}domains: {{free_mail: [own.example]}}\n") as project:
        found = scores(project)
        assert {row["segment"] for row in found.accounts.values()} == {"smb"}
        people = project.warehouse.rows(project.warehouse.table("scored_people")).to_pylist()
        kept = project.warehouse.rows(project.warehouse.table("company_said")).to_pylist()
    assert {row["person_id"] for row in people if row["is_buyer"]} == {"cy"}, "the person's own title is theirs"
    assert kept == []


def test_nobody_is_blind_where_somebody_else_can_see(tmp_path: Path) -> None:
    with company(tmp_path, [said(DAY, domain="byte.io", country="DE", seniority="x")]) as project:
        done = score_as_of(project.warehouse, project.loaded, [T])
    assert {"target_industry"} & done.blind.keys() == set()
    with memory_project(RULES) as project:
        load_folder(
            project, write(tmp_path / "none", {"events": [ev()], "enrichment": [said(DAY, domain="a.com", name="A")]})
        )
        done = score_as_of(project.warehouse, project.loaded, [T])
    assert {"company_size", "target_industry", "icp_match", "departments"} <= done.blind.keys() | {"departments"}


def test_bad_rows_are_set_aside_and_a_later_load_completes(tmp_path: Path) -> None:
    rows = [
        said(DAY, domain="byte.io", employees=900),
        said(DAY, domain="byte.io", employees="many"),
        said(DAY, employees=7),
        {"source": "acme_data", "known_at": "", "domain": "byte.io"},
        {"source": "", "known_at": before(DAY), "domain": "byte.io"},
    ]
    with memory_project() as project:
        folder = write(tmp_path / "a", {"events": [ev()], "enrichment": rows})
        [count] = [one for one in load_folder(project, folder) if one.input == "enrichment"]
        assert (count.read, count.loaded, count.quarantined) == (5, 1, 4)
        reasons = {row["reason"] for row in project.warehouse.whole("quarantine").to_pylist()}
        assert reasons == {
            "employees is not a whole number of 0 or more: many",
            "domain or email is missing",
            "known_at is missing",
            "source is missing",
        }


def oracle(rows: list[Row], own: dict[str, Any], order: list[str], field: str, until: datetime) -> Any:
    """The first value in the order of belief, later knowledge first."""
    known = [row for row in rows if row.get(field) and datetime.fromisoformat(row["known_at"]) < until]
    known.sort(key=lambda row: (row["source"], row["domain"]))
    known.sort(key=lambda row: row["known_at"], reverse=True)
    for source in order:
        if source in {"accounts", "people"}:
            if own.get(field):
                return own[field]
            continue
        mine = [
            row for row in known if row["source"] == source or (source == "provider" and row["source"] not in order)
        ]
        if mine:
            return mine[0][field]
    return None


@pytest.mark.parametrize("seed", range(4))
def test_belief_is_that_of_a_small_oracle(seed: int, tmp_path: Path) -> None:
    chance = random.Random(seed)
    order = chance.sample(["accounts", "provider", "self_report", "beta"], 4)
    domains = [f"customer-{n}.com" for n in range(12)]
    rows = [
        {
            **said(
                chance.randrange(0, 9) * DAY + chance.choice([HOUR, 2 * HOUR]),
                chance.choice(["alpha", "beta", "gamma", "self_report"]),
            ),
            "domain": domain,
            "employees": chance.choice(["", "3", "80", "700"]),
            "country": chance.choice(["", "DE", "FR"]),
        }
        for domain in domains
        for _ in range(chance.randrange(0, 7))
    ]
    unique = {(row["domain"], row["source"], row["known_at"]): row for row in rows}
    rows = list(unique.values())
    own = {d: {"employees": chance.choice(["", "60"]), "country": chance.choice(["", "CN"])} for d in domains}
    tables = {
        "events": [ev("open", DAY, f"p{n}", f"w{n}") for n in range(12)],
        "workspaces": [{"workspace_id": f"w{n}", "account_id": f"a{n}"} for n in range(12)],
        "accounts": [{"account_id": f"a{n}", "domain": d, **own[d]} for n, d in enumerate(domains)],
        "enrichment": rows,
    }
    days = [T - n * DAY for n in (0, 2, 5)]
    with memory_project(f"enrichment: {{order: {{company: {order}}}}}\n") as project:
        load_folder(project, write(tmp_path, tables))
        score_as_of(project.warehouse, project.loaded, days)
        facts = project.warehouse.rows(project.warehouse.table("account_facts")).to_pylist()
        shown = project.warehouse.rows(told.told(project.warehouse, "company", datetime(2026, 10, 28)))  # noqa: DTZ001
    used = {(row["id"], row["field"]): row["value"] for row in shown.to_pylist() if row["choice"] == 0}
    assert len(facts) == 36
    for row in facts:
        domain = domains[int(row["account_id"][1:])]
        mine = [one for one in rows if one["domain"] == domain]
        until = datetime.combine(row["as_of"], time(), UTC)
        for field in ("employees", "country"):
            wanted = oracle(mine, own[domain], order, field, until)
            assert (row[field] if row[field] is None else str(row[field])) == wanted, (row, field, order)
            if row["as_of"] == T:
                assert used.get((row["account_id"], field)) == wanted


def test_scoring_a_few_again_is_scoring_everybody(tmp_path: Path) -> None:
    rows = [
        said(3 * DAY, domain="acme.com", employees=420, industry="banking"),
        said(3 * DAY, domain="byte.io", industry="banking"),
        said(2 * DAY, "self_report", email="ann@acme.com", title="CEO"),
    ]
    more = {"events": [{**ev("contact_sales", HOUR, "ann", "w"), "event_id": "more"}]}
    later = write(tmp_path / "later", more)
    with company(tmp_path / "a", rows) as project:
        refresh(project, [T], now=NOW)
        load_folder(project, later)
        assert not rescore(project, ["ann"], now=NOW).everybody
        ensure_scored(project, T, NOW)
        found = export_bytes(project)
    with company(tmp_path / "b", rows) as project:
        load_folder(project, later)
        refresh(project, [T], now=NOW)
        ensure_scored(project, T, NOW)
        assert found == export_bytes(project)


def test_who_contradicts_whom(tmp_path: Path) -> None:
    rows = [
        said(9 * DAY, domain="byte.io", employees=700),
        said(3 * DAY, domain="byte.io", employees=24, industry="Soft-ware ", name="BYTE"),
        said(3 * DAY, "beta", domain="byte.io", employees=90, industry="software"),
        said(2 * DAY, "self_report", email="bob@byte.io", title="Engineer,", industry="Toys"),
        said(2 * DAY, "beta", email="bob@byte.io", title="Owner"),
    ]
    with company(tmp_path, rows) as project:
        scores(project)
        at = datetime(2026, 10, 28)  # noqa: DTZ001
        rows_of = {
            about: project.warehouse.rows(told.conflicts(told.told(project.warehouse, about, at))).to_pylist()
            for about in ("company", "person")
        }
        ids = project.warehouse.table("scored_accounts").select(id="account_id")
        coverage = project.warehouse.rows(told.coverage(told.told(project.warehouse, "company", at), ids)).to_pylist()
    found = {
        (r["id"], r["field"], r["value"], r["source"], r["other_value"], r["other_source"])
        for rows in rows_of.values()
        for r in rows
    }
    assert found == {
        ("byte", "employees", "20", "accounts", "90", "beta"),  # 24 is about the same, and 700 was taken back
        ("byte", "industry", "Soft-ware ", "acme_data", "Toys", "self_report"),
        ("bob", "title", "Engineer", "people", "Owner", "beta"),
    }
    assert [(r["field"], r["source"], r["known"], r["used"]) for r in coverage] == [
        ("employees", "accounts", 1, 1),
        ("employees", "acme_data", 1, 0),
        ("employees", "beta", 1, 0),
        ("industry", "acme_data", 1, 1),
        ("industry", "beta", 1, 0),
        ("industry", "self_report", 1, 0),
        ("name", "acme_data", 1, 1),
    ]


def test_only_the_order_of_belief_makes_another_playbook() -> None:
    def hashes(text: str) -> tuple[str, str]:
        loaded = parse_playbook(text, name="handraise.yaml", path=None)
        return loaded.content_hash, loaded.handoffs_hash

    template = load_template()
    provider = "{url: 'https://a.example/{domain}', fields: {employees: /size}}"
    assert hashes(f"enrichment: {{providers: {{acme: {provider}}}}}\n") == (
        template.content_hash,
        template.handoffs_hash,
    )
    assert hashes("enrichment: {order: {company: [accounts, provider, self_report]}}\n")[0] == template.content_hash
    assert hashes("enrichment: {order: {company: [provider, accounts]}}\n")[0] != template.content_hash


@pytest.mark.parametrize(
    ("text", "said_of_it"),
    [
        ("order: {company: [provider]}", "'accounts'"),
        ("order: {person: [people, people]}", "'people'"),
        ("providers: {people: {url: 'https://a.example/{domain}', fields: {name: /n}}}", "cannot be called 'people'"),
        ("providers: {a: {url: 'ftp://a.example/{domain}', fields: {name: /n}}}", "https://"),
        ("providers: {a: {url: 'https://a.example/', fields: {name: /n}}}", "{domain}"),
        ("providers: {a: {url: 'https://{domain}/x', fields: {name: /n}}}", "never in the host"),
        ("providers: {a: {url: 'https://a.example/{domain}', fields: {title: /n}}}", "nothing of a company"),
        ("providers: {a: {url: 'https://a.example/{email}', fields: {title: /n}}}", "{domain}"),
        ("providers: {a: {url: 'https://a.example/{domain}', fields: {name: n}}}", "no JSON pointer"),
        (
            'providers: {a: {url: "https://a.example/{domain}", headers: {X: "a\\r\\nb"}, fields: {name: /n}}}',
            "no header",
        ),
        ("providers: {a: {url: 'https://a.example/{domain}', fields: {name: /n}, key: x}}", "not known"),
    ],
)
def test_a_mistake_of_the_playbook_is_told(text: str, said_of_it: str) -> None:
    with pytest.raises(PlaybookError) as refused:
        parse_playbook(f"enrichment:\n  {text}\n", name="handraise.yaml", path=None)
    assert said_of_it in str(refused.value)


@pytest.mark.parametrize(
    ("field", "given", "kept"),
    [
        ("employees", 420, 420), ("employees", 51.0, 51), ("employees", "1,200", 1200), ("employees", "51-200", 51),
        ("employees", "10,001+", 10001), ("employees", " 51 – 200 ", 51), ("employees", "2 to 10", 2), ("employees", True, None),
        ("employees", 0, None), ("employees", -5, None), ("employees", 1e300, None), ("employees", "lots", None),
        ("employees", "9" * 500, None), ("employees", [5], None), ("employees", float("nan"), None),
        ("name", " A\u200bc\x1b[31mme\r\n Inc ", "Ac[31mme Inc"), ("name", "\u202e\u2066", None), ("name", "x" * 5000, "x" * 200),
        ("name", 7, None), ("name", {"a": 1}, None), ("name", "\U000e0041\ud800ok", "ok"),
        ("tags", ["a", 3, "b\u0007"], "a; b"), ("tags", "crm", "crm"), ("tags", [], None),
    ],
)  # fmt: skip
def test_values_are_made_plain(field: str, given: Any, kept: Any) -> None:
    assert plain_value(field, given) == kept


def test_pointers_are_those_of_the_standard() -> None:
    document = {"a/b": {"~m": [10, {"x": None}]}, "": 5, "list": ["zero"]}
    assert at_pointer(document, "/a~1b/~0m/0") == 10
    assert at_pointer(document, "/") == 5
    assert at_pointer(document, "") == document
    for nothing in ("/a~1b/~0m/1/x/y", "/list/-1", "/list/1", "/list/x", "/no", "/list/99999999999999999999"):
        assert at_pointer(document, nothing) is None
