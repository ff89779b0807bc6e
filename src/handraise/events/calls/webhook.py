"""What a CRM, a billing system or the company's own backend says by webhook: canonical rows under the name of their input."""

from __future__ import annotations

from handraise.events.calls.call import Call, Rows
from handraise.events.calls.json_text import write_json
from handraise.events.calls.values import BadCallError, as_id
from handraise.warehouse.tables import INPUTS, Input

_SHOWN = 5


def translate_webhook(call: Call) -> Rows:
    """Rows of one message: `{"type": INPUT, "data": ROW or [ROW, …]}`; what stands behind a dot in `type` is the sender's."""
    body = call.said.get("body")
    if not isinstance(body, dict):
        raise BadCallError("the message is not a JSON object")
    name = str(body.get("type", "")).partition(".")[0]
    item = INPUTS.get(name)
    if item is None:
        raise BadCallError(f"`type` is not the name of an input: {name[:60] or 'there is none'}")
    data = body.get("data")
    rows = data if isinstance(data, list) else [data]
    return [(name, _row(item, row)) for row in rows]


def _row(item: Input, row: object) -> dict[str, str]:
    if not isinstance(row, dict):
        raise BadCallError("`data` is neither a JSON object nor a list of them")
    unknown = [column for column in row if column not in item.columns]
    if unknown:
        shown = ", ".join(map(str, unknown[:_SHOWN]))
        raise BadCallError(f"{item.name} have no column {shown}; they have {', '.join(item.columns)}")
    texts = ((column, _text(column, value)) for column, value in row.items() if value is not None)
    return {column: text for column, text in texts if text is not None}


def _text(column: str, value: object) -> str | None:
    if column.endswith("_id"):
        return as_id(value, column)
    return value if isinstance(value, str) else write_json(value).decode()
