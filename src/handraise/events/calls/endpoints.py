"""The paths that tracking libraries send to, told by how a path ends; anything may stand in front.

Several vendors share a path. Then the body tells them apart, and `bodies` says how.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec

from handraise.events.calls.parcel import Parcel

_JSON = "application/json"
# Segment's and RudderStack's libraries look at `success`, PostHog's at `status`; all want 200 and no other status.
_DONE = msgspec.json.encode({"success": True, "status": 1, "code": 200})
_PIXEL = (
    b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\x00\x00\x00!\xf9\x04\x01\x00\x00\x00\x00,"
    b"\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Endpoint:
    """One way of sending.

    Attributes:
        name: What it is called in counts and logs.
        vendor: Whose path it is; where several share one, the one that its answer is made for unless the body says
            otherwise.
        methods: HTTP methods that it takes, apart from OPTIONS.
        call: The call that the path itself names (`track`, `identify`), or empty.
    """

    name: str
    vendor: str
    methods: tuple[str, ...] = ("POST",)
    call: str = ""

    def answer(self, parcel: Parcel, *, received_at: datetime) -> tuple[int, str, bytes]:
        """Status, content type and body that make the vendor's library believe that everything arrived.

        Args:
            parcel: What was read from the request.
            received_at: When it came.
        """
        vendor = parcel.kind.partition("/")[0]
        if vendor == "amplitude":
            return 200, _JSON, _for_amplitude(parcel, received_at)
        if vendor.startswith("mixpanel"):
            return self._for_mixpanel(parcel)
        if vendor == "snowplow" and self.name == "snowplow/pixel":
            return 200, "image/gif", _PIXEL
        return 200, _JSON, _DONE

    def _for_mixpanel(self, parcel: Parcel) -> tuple[int, str, bytes]:
        # Verbose or not, libraries that send forms want the same answer from /import as from /track.
        if self.name == "mixpanel/import" and b'"form"' not in parcel.shared:
            told = {"code": 200, "status": "OK", "num_records_imported": len(parcel.events)}
            return 200, _JSON, msgspec.json.encode(told)
        if b'"verbose"' in parcel.shared:
            return 200, _JSON, b'{"status":1,"error":null}'
        return 200, "text/plain", b"1"


def _for_amplitude(parcel: Parcel, received_at: datetime) -> bytes:
    milliseconds = int(received_at.astimezone(UTC).timestamp() * 1000)
    return msgspec.json.encode(
        {
            "code": 200,
            "events_ingested": len(parcel.events),
            "payload_size_bytes": sum(map(len, parcel.events)),
            "server_upload_time": milliseconds,
        }
    )


_SHORT = {"i": "identify", "t": "track", "p": "page", "s": "screen", "g": "group", "a": "alias", "b": "batch"}
_SEGMENT_CALLS = ("identify", "track", "page", "screen", "group", "alias")
_GET_TOO = ("GET", "POST")


def _segment() -> dict[tuple[str, ...], Endpoint]:
    words = {**{call: call for call in _SEGMENT_CALLS}, "batch": "batch", "import": "batch", **_SHORT}
    found: dict[tuple[str, ...], Endpoint] = {
        ("v1", word): Endpoint(name=f"segment/{call}", vendor="segment", call="" if call == "batch" else call)
        for word, call in words.items()
    }
    found["v1", "m"] = Endpoint(name="segment/metrics", vendor="segment", call="metrics")
    return found


def _mixpanel(name: str) -> Endpoint:
    return Endpoint(name=f"mixpanel/{name}", vendor="mixpanel", methods=_GET_TOO, call=name)


_POSTHOG = Endpoint(name="posthog/capture", vendor="posthog", methods=_GET_TOO)
_ENDPOINTS: dict[tuple[str, ...], Endpoint] = {
    **_segment(),
    ("i", "v0", "e"): _POSTHOG,
    ("e",): _POSTHOG,
    ("capture",): _POSTHOG,
    ("batch",): Endpoint(name="posthog/batch", vendor="posthog"),
    ("2", "httpapi"): Endpoint(name="amplitude/httpapi", vendor="amplitude"),
    ("httpapi",): Endpoint(name="amplitude/httpapi", vendor="amplitude"),
    ("identify",): Endpoint(name="amplitude/identify", vendor="amplitude", methods=_GET_TOO, call="identify"),
    ("groupidentify",): Endpoint(
        name="amplitude/groupidentify", vendor="amplitude", methods=_GET_TOO, call="groupidentify"
    ),
    **{(name,): _mixpanel(name) for name in ("track", "engage", "groups", "import")},
    ("tp2",): Endpoint(name="snowplow/tp2", vendor="snowplow"),
    ("i",): Endpoint(name="snowplow/pixel", vendor="snowplow", methods=("GET",)),
}
_LONGEST = max(map(len, _ENDPOINTS))


def endpoint_of(method: str, path: str) -> Endpoint | None:
    """Where a request is sent to; None = no tracking library sends there.

    Args:
        method: HTTP method.
        path: Path of the URL without its query, with or without a slash at its end.
    """
    steps = tuple(step for step in path.split("/") if step)
    for length in range(min(_LONGEST, len(steps)), 0, -1):
        found = _ENDPOINTS.get(steps[-length:])
        if found is not None:
            return found if method in found.methods else None
    return None
