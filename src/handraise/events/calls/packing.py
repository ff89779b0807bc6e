"""How a body is packed: gzip and deflate, forms with a `data` field, base64."""

from __future__ import annotations

import base64
import binascii
import zlib
from urllib.parse import parse_qsl, unquote_to_bytes

from handraise.events.calls.limits import FORM_FIELDS
from handraise.events.calls.parcel import TooLargeError, UnreadableError

_GZIP = b"\x1f\x8b"
_ZLIB_METHOD = 0x78
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
_BOM = b"\xef\xbb\xbf"


def inflate(body: bytes, *, most: int) -> bytes:
    """A body unpacked, whether or not a header said that it is packed; what is not packed comes back as it is.

    Args:
        body: Bytes as they came.
        most: How many bytes it may have unpacked; no more than that is ever held.

    Raises:
        TooLargeError: It has more.
        UnreadableError: It is cut off or broken.
    """
    if body.startswith(_GZIP):
        return _unpacked(body, 31, most)
    if len(body) > 1 and body[0] == _ZLIB_METHOD and int.from_bytes(body[:2], "big") % 31 == 0:
        return _unpacked(body, 15, most)
    if len(body) > most:
        raise _too_large(most)
    return body


def _unpacked(body: bytes, window: int, most: int) -> bytes:
    parts: list[bytes] = []
    size, rest = 0, body
    try:
        while rest:
            reader = zlib.decompressobj(window)
            part = reader.decompress(rest, most - size + 1)
            size += len(part)
            if size > most:
                raise _too_large(most)
            if not reader.eof:
                raise UnreadableError("the compressed body is cut off")
            parts.append(part)
            # A gzip file may have several members; anything else behind the end is padding.
            rest = reader.unused_data if reader.unused_data.startswith(_GZIP) else b""
    except zlib.error as error:
        raise UnreadableError(f"the body cannot be decompressed ({error})") from None
    return b"".join(parts)


def _too_large(most: int) -> TooLargeError:
    return TooLargeError(f"the body is larger than {most // 1024} KB", limit="body_bytes")


def is_form(body: bytes) -> bool:
    """Whether a body is a form and not JSON; headers say so of either."""
    return b"=" in body[:256] and body[:1] not in {b"{", b"[", b'"'}


def form_fields(body: bytes) -> dict[str, str]:
    """Fields of a form or of a query; of two of one name, the first.

    Raises:
        UnreadableError: There are more fields than any library sends.
    """
    try:
        pairs = parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=FORM_FIELDS)
    except ValueError:
        raise UnreadableError(f"the form has more than {FORM_FIELDS} fields") from None
    return dict(reversed(pairs))


def json_of_field(field: str, *, most: int) -> bytes:
    """JSON that a field of a form holds: as it is, in base64, or in base64 of gzip.

    Raises:
        TooLargeError: It has more than `most` bytes.
        UnreadableError: It is none of these.
    """
    if field.lstrip()[:1] in {"{", "["}:
        return field.encode("utf-8", "replace")
    # A plus sign that was not escaped has become a space on the way.
    packed = unquote_to_bytes(field).replace(b" ", b"+").replace(b"-", b"+").replace(b"_", b"/").rstrip(b"=")
    try:
        return inflate(base64.b64decode(packed + b"=" * (-len(packed) % 4), validate=True), most=most)
    except binascii.Error:
        raise UnreadableError("the field `data` is neither JSON nor base64") from None


def plain_text(body: bytes) -> bytes:
    """A body without a byte order mark and spaces around it.

    Raises:
        UnreadableError: It is UTF-16 text, or nothing.
    """
    if body.startswith(_UTF_16):
        raise UnreadableError("the body is UTF-16 text; send UTF-8")
    text = body.removeprefix(_BOM).strip()
    if not text:
        raise UnreadableError("the body is empty")
    return text
