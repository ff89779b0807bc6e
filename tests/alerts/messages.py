"""Messages for tests of what is sent."""

from datetime import UTC, datetime, timedelta
from typing import Any

from handraise.records.alerting import AlertItem, AlertLanguage, AlertMessage

NOW = datetime(2026, 11, 25, 9, 30, tzinfo=UTC)
ITEM = AlertItem(
    object="handoff 4",
    number=4,
    kinds=("created",),
    account_id="acc-000025",
    account_name="Orbaden",
    person_id="p7",
    person_name="Ann Ozerny",
    person_title="Head of IT",
    lane="sales",
    priority="high",
    status="open",
    due_at=NOW + timedelta(minutes=30),
    because=("asked to talk to sales", "ten or more people close to a plan limit"),
    version=1,
)
HOSTILE_NAME = "<!channel> <@U1> <http://evil.example|free>\r\nBcc: x@evil.example\r\n\r\n<script>alert(1)</script> & \u202eevil\0*b*_i_`c`"


def item(**more: Any) -> AlertItem:
    return AlertItem(**{**{name: getattr(ITEM, name) for name in ITEM.__dataclass_fields__}, **more})


def message(*items: AlertItem, language: AlertLanguage = "en", number: int = 17) -> AlertMessage:
    return AlertMessage(
        id=f"msg_{number}", sequence=number, at=NOW, language=language, timezone="Europe/Berlin", items=items
    )
