"""A rich overview to render: friendly companies, an unfriendly one, and nothing at all."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from handraise.records import AccountScore, BandCount, Overview, PersonScore, ReceiptLine, TierCount

AS_OF = date(2026, 10, 28)
HOSTILE = "<script>alert('x')</script>\"><img src=x onerror=alert(1)>{{ 7*7 }}&amp;"
WORDY = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft" * 4
RTL = "\u202eشركة النور للتقنية والحلول 🚀👩🏽‍💻"
ZH_REASONS = {
    "people": "9 人的行为得分",
    "active_people": "30 天内有 9 人活跃",
    "departments": "3 个部门在使用",
    "people_growth": "活跃人数较前 30 天增长 50%",
    "icp_match": "公司符合理想客户画像",
    "admin_change": "30 天内管理员变更 2 次",
    "company_size": "公司有 640 名员工",
    "inactive": "已超过 7 天不活跃",
}
EN_REASONS = {
    "people": "points of 9 people for what they did",
    "active_people": "9 people active in 30 days",
    "departments": "3 departments use it",
    "people_growth": "active people up 50% on the 30 days before",
    "icp_match": "company fits the ideal customer profile",
    "admin_change": "an admin changed 2× in 30 days",
    "company_size": "company of 640 employees",
    "inactive": "not active for 7 days or more",
}
LINES = (
    ("people", "people", None, 148),
    ("departments", "adoption", 3.0, 30),
    ("people_growth", "growth", 0.5, 25),
    ("active_people", "adoption", 9.0, 25),
    ("company_size", "firmographic", 640.0, 20),
    ("admin_change", "buying", 2.0, 20),
    ("icp_match", "firmographic", 1.0, 15),
    ("inactive", "absence", 1.0, -20),
)
NAMES = ("Northwind Robotics", "Halden & Søn", "Blue Kite Analytics", "Tamarind Health", "Ostrava Freight")
PEOPLE = (
    ("Maya Lindqvist", "VP Operations", "Operations"),
    ("Tomás Ferreira", "Platform engineer", "Engineering"),
    (None, None, None),
)


def person(place: int, account: str, **more: Any) -> PersonScore:
    name, title, department = PEOPLE[place % len(PEOPLE)]
    bands = ("hot", "warm", "emerging", "none")
    made = PersonScore(
        person_id=f"{account}-u{place}",
        account_id=account,
        name=name,
        title=title,
        department=department,
        score=max(0, 95 - 24 * place),
        band=bands[min(place, 3)],
        behaviour_points=max(0, 80 - 22 * place),
        is_pql=place == 0,
        is_buyer=place == 0,
    )
    return replace(made, **more)


def account(place: int, reasons: dict[str, str], **more: Any) -> AccountScore:
    account_id = f"acc_{1000 + place}"
    receipt = tuple(
        ReceiptLine(signal=s, category=c, value=v, points=p - (10 * place if s == "people" else 0), because=reasons[s])
        for s, c, v, p in LINES
    )
    people_points = 148 - 10 * place
    made = AccountScore(
        account_id=account_id,
        name=NAMES[place % len(NAMES)],
        domain=f"company{place}.example",
        score=sum(line.points or 0 for line in receipt),
        tier=1 if place < 2 else 2,
        tier_name="enterprise" if place < 2 else "mid_market",
        action="dedicated account executive and executive outreach",
        segment="enterprise",
        segment_is_guess=False,
        segment_sells=True,
        is_pqa=True,
        active_people=9,
        people_points=people_points,
        account_points=80,
        firmographic_points=35,
        pqls=1,
        risen=(85, 12, 0, -15, None)[place % 5],
        receipt=receipt,
        people=tuple(person(i, account_id) for i in range(3)),
    )
    return replace(made, **more)


def awkward(reasons: dict[str, str]) -> tuple[AccountScore, ...]:
    hostile = account(5, reasons, name=HOSTILE, account_id=f"id{HOSTILE}", domain=f"{HOSTILE}.com", pqls=0)
    lines = tuple(replace(line, because=HOSTILE, signal=HOSTILE, category=HOSTILE) for line in hostile.receipt[:2])
    blind = ReceiptLine(signal="legal_view", category="buying", value=None, points=None, because=HOSTILE)
    hostile = replace(
        hostile,
        receipt=(*lines, blind),
        people=(person(0, hostile.account_id, name=HOSTILE, title=HOSTILE, band=HOSTILE, is_pql=False),),
    )
    return (
        hostile,
        account(6, reasons, name=WORDY, domain=None, account_id="domain:long", segment_sells=False),
        account(7, reasons, name=RTL, is_pqa=False, tier=3, tier_name="smb", people=(), receipt=(), score=0),
        account(8, reasons, name=None, domain=None, tier=3, tier_name="smb", is_pqa=False, segment_is_guess=True),
    )


def sample(language: str = "en") -> Overview:
    reasons = ZH_REASONS if language == "zh" else EN_REASONS
    top = (*(account(place, reasons) for place in range(5)), *awkward(reasons))
    course = ((3, 12, 60, 900), (3, 13, 66, 960), (5, 15, 61, 1010), (6, 14, 70, 1090), (8, 17, 74, 1134))
    tiers = tuple(
        TierCount(as_of=AS_OF - timedelta(days=7 * (len(course) - 1 - week)), tier=tier, accounts=count)
        for week, counts in enumerate(course)
        for tier, count in enumerate(counts, start=1)
    )
    elsewhere = account(3, reasons, account_id="acc_elsewhere", name="Lumen Textiles", risen=64)
    return Overview(
        as_of=AS_OF,
        language=language,
        simulated=True,
        playbook_hash="9f2c41d07b3e",
        events=3_214_551,
        accounts=1233,
        people=12_408,
        tiers=tiers,
        tier_names={1: "enterprise", 2: "mid_market", 3: "smb", 4: "individual"},
        selling_tiers=(1, 2),
        bands=tuple(
            BandCount(band=b, people=n)
            for b, n in zip(("hot", "warm", "emerging", "none"), (61, 240, 1105, 11_002), strict=True)
        ),
        top=top,
        risen=(top[0], elsewhere, top[4], top[3]),
        top_people=(*(person(i % 4, top[i].account_id) for i in range(6)), person(2, "domain:unseen")),
        blind={
            "volume": "set the value metric's event and threshold in the playbook",
            "near_limit": "no limits file: add usage and quota per workspace",
            HOSTILE: HOSTILE,
        },
    )


def nothing(language: str = "en") -> Overview:
    return Overview(
        as_of=AS_OF,
        language=language,
        simulated=False,
        playbook_hash="9f2c41d07b3e",
        events=0,
        accounts=0,
        people=0,
        tiers=(),
        tier_names={1: "enterprise"},
        selling_tiers=(1, 2),
        bands=(),
        top=(),
        risen=(),
        top_people=(),
    )
