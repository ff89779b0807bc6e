"""The invented words of the simulated company: events, features, companies, people.

Nothing here names a real company or person. Company names are put together from syllables, domains are
made-up names ending in `-simulated.com`, and free-mail addresses carry `simulated` in their local part.
"""

import json
from typing import Final

ROLE_EVENTS: Final = (
    "signed_up", "activation", "premium_feature", "feature", "limit_reached", "api_or_integration", "export",
    "invite_sent", "external_share", "pricing_view", "upgrade_started", "upgrade_completed",
    "enterprise_request", "billing_question", "contact_sales", "admin_change", "legal_view",
    "workspace_created", "onboarding_started", "onboarding_completed", "seat_consolidation_request",
    "volume_pricing_question",
)  # fmt: skip
"""Event names equal to the roles of domain.md section 3: they score without any mapping."""

PASSIVE_EVENTS: Final = ("email_delivered", "email_opened", "invite_received")
NOISE_EVENTS: Final = (
    "page_view", "document_opened", "document_edited", "comment_added", "search_performed",
    "notification_clicked", "dashboard_viewed", "file_uploaded",
)  # fmt: skip
EVENT_NAMES: Final = ROLE_EVENTS + PASSIVE_EVENTS + NOISE_EVENTS
CODE: Final = {name: code for code, name in enumerate(EVENT_NAMES)}
"""Event name -> the small integer that stands for it while events are arrays."""

FEATURES: Final = (
    "board", "calendar", "comments", "forms", "gantt", "search", "tags", "tasks", "templates", "timeline",
    "wiki", "whiteboard",
)  # fmt: skip
PREMIUM_FEATURES: Final = (
    "advanced_permissions", "automations", "branding", "custom_reports", "guest_portal", "version_history",
)  # fmt: skip


def _texts(key: str, values: tuple[str | int, ...]) -> tuple[str, ...]:
    return tuple(json.dumps({key: value}) for value in values)


PROPERTY_GROUPS: Final = {
    "feature": _texts("feature", FEATURES),
    "premium_feature": _texts("feature", PREMIUM_FEATURES),
    "invite_sent": _texts("count", (2, 3, 4, 5, 6)),
    "enterprise_request": _texts("request", ("sso", "saml", "scim", "audit_log", "security_review", "dpa")),
    "legal_view": _texts("page", ("terms", "privacy", "dpa")),
    "upgrade_started": _texts("plan", ("team", "business", "enterprise")),
    "upgrade_completed": _texts("plan", ("team", "business")),
    "limit_reached": _texts("metric", ("seats", "projects")),
    "api_or_integration": _texts("integration", ("chat", "code_host", "rest_api", "single_sheet")),
    "export": _texts("format", ("csv", "pdf", "xlsx")),
    "page_view": _texts("path", ("/home", "/inbox", "/projects", "/settings", "/team", "/help")),
}
"""Event name -> the property texts it may carry."""
PROPERTIES: Final = tuple(text for texts in PROPERTY_GROUPS.values() for text in texts)
PROPERTY_SPAN: Final = {
    name: (sum(len(t) for t in list(PROPERTY_GROUPS.values())[:place]), len(texts))
    for place, (name, texts) in enumerate(PROPERTY_GROUPS.items())
}
"""Event name -> (first index in PROPERTIES, how many); -1 stands for no properties at all."""

SIZE_CLASSES: Final = ("solo", "team", "smb", "mid_market", "enterprise")
SOLO, TEAM, SMB, MID, ENTERPRISE = range(5)
PERSONAS: Final = ("power", "regular", "dabbler", "dormant")
POWER, REGULAR, DABBLER, DORMANT = range(4)

INDUSTRIES: Final = (
    "software", "financial services", "healthcare", "manufacturing", "media", "professional services",
    "education", "retail", "logistics", "energy", "construction", "hospitality",
)  # fmt: skip
ICP_INDUSTRIES: Final = (0, 1, 2, 3, 5)
"""Indices of the industries the simulated company sells to best."""

COUNTRIES: Final = (
    ("US", -6.0, 0.30), ("GB", 0.0, 0.10), ("DE", 1.0, 0.10), ("FR", 1.0, 0.06), ("BR", -3.0, 0.06),
    ("IN", 5.5, 0.11), ("CN", 8.0, 0.09), ("JP", 9.0, 0.06), ("AU", 10.0, 0.04), ("UA", 2.0, 0.03),
    ("AE", 4.0, 0.03), ("KR", 9.0, 0.02),
)  # fmt: skip
"""(country, hours ahead of UTC, share)."""

SYLLABLES: Final = (
    "ba", "bro", "cal", "den", "dro", "el", "fa", "for", "gal", "hu", "il", "jo", "ka", "kri", "lu", "lum",
    "ma", "mo", "na", "nor", "ol", "or", "pa", "pel", "qui", "ra", "rin", "sa", "sol", "ta", "tor", "ul",
    "va", "vel", "wen", "xi", "ya", "zan", "zo", "zu",
)  # fmt: skip

NAMES: Final = (
    (("Alindra", "Borvan", "Celwyn", "Dorika", "Elmaro", "Fenja", "Ilvara", "Joruno", "Kelsin", "Mirabo"),
     ("Ashgrovel", "Brennick", "Corvale", "Duskmere", "Eldrow", "Farnholt", "Greywick", "Holvane"), " "),
    (("云舟", "星禾", "若溪", "景行", "清和", "知微", "一帆", "南乔"),
     ("林", "苏", "顾", "沈", "叶", "江"), ""),
    (("Зоряна", "Велимир", "Лукерья", "Радомир"), ("Озерний", "Светлов", "Громыка"), " "),
    (("आरविन", "मीरल", "तरुषी", "निलय"), ("वनराज", "सागरे", "दीपल"), " "),
    (("ليانور", "سامرين", "نوراف"), ("البحيران", "الواديم"), " "),
    (("空羽", "美星", "蒼汰"), ("月島", "風野", "青沢"), ""),
    (("하늘찬", "새벽", "다온"), ("강들", "윤슬"), ""),
)  # fmt: skip
"""(given names, family names, separator) of each script; an empty one means family name first."""
SCRIPT_SHARE: Final = (0.62, 0.12, 0.07, 0.07, 0.04, 0.05, 0.03)

FREE_MAIL: Final = ("gmail.com", "outlook.com", "yahoo.com", "qq.com", "163.com", "gmx.net")
FREE_MAIL_SHARE: Final = (0.5, 0.18, 0.1, 0.1, 0.06, 0.06)

DEPARTMENTS: Final = (
    "engineering", "product", "design", "marketing", "sales", "operations", "finance", "it", "security",
    "human resources", "procurement", "customer success",
)  # fmt: skip
SENIORITIES: Final = (
    ("individual contributor", "{} specialist"), ("lead", "{} lead"), ("manager", "{} manager"),
    ("director", "Director of {}"), ("head", "Head of {}"), ("vp", "VP {}"), ("c_level", "Chief {} officer"),
    ("founder", "Founder"),
)  # fmt: skip
"""(seniority, how the title is written with the department)."""

OFFERS: Final = ("trial_banner", "upgrade_modal", "seat_upsell", "premium_preview", "annual_discount")
LEAD_SOURCES: Final = ("webinar", "ebook", "event", "paid_search", "referral", "newsletter")
CHANNELS: Final = ("email", "call", "social", "in_app")
REJECT_REASONS: Final = ("not ICP", "no budget", "bad timing", "no authority", "student or hobby project")
STAGES: Final = ("new", "discovery", "evaluation", "proposal", "negotiation")
OPPORTUNITY_SOURCES: Final = ("product", "inbound", "outbound")
