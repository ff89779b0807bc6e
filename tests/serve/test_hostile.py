"""Bodies and requests made to break a server: none is answered with an error of ours, and good neighbours are kept."""

import asyncio
import gzip
import json
import random
import socket
import urllib.parse
from collections import Counter
from collections.abc import Iterator

import pytest

from benchmarks.serve.attacks import MIB
from benchmarks.serve.client import Line, batch, request
from benchmarks.serve.server import HOST, Server

PATHS = (
    "/v1/batch", "/v1/track", "/v1/identify", "/v1/group", "/v1/alias", "/v1/page", "/v1/import", "/v1/m",
    "/batch", "/batch/", "/capture/", "/e/", "/i/v0/e/", "/2/httpapi", "/httpapi", "/identify", "/groupidentify",
    "/track", "/engage", "/groups", "/import", "/com.snowplowanalytics.snowplow/tp2", "/i", "/flags/", "/decide",
)  # fmt: skip
BODIES = 500
REFUSALS = {200, 400, 401, 404, 405, 408, 411, 413, 414, 422, 429, 431, 503}


def nested(depth: int) -> str:
    return "[" * depth + "]" * depth


def value(chance: random.Random) -> str:
    """JSON, or nearly, of something that nobody expects."""
    return chance.choice(
        [
            "null", "true", "NaN", "-Infinity", "1e999", "-1e400", str(2**70), "9" * 400, "0." + "1" * 2000, '""', '"\\u0000"',
            '"\\ud800"', '"\\udc00\\ud800"', '"' + "x" * 40_000 + '"', nested(70), nested(3000), '{"a":{"$set":{"b":[]}}}', "[]",
            "{}", '{"":""}', '"\\uffff\\u202e"', '"9999-12-31T23:59:59Z"', '"-0001-01-01"', '"2026-13-45T99:99:99+99:99"', "-1", "1e15",
            '"\' OR 1=1; DROP TABLE events; --"', '"../../../etc/passwd"', '"%00%s%n"', '{"__proto__":{"x":1}}', "1.7976931348623157e308",
        ]
    )  # fmt: skip


NAMES = (
    "type", "event", "userId", "anonymousId", "messageId", "timestamp", "sentAt", "properties", "context", "traits", "groupId",
    "previousId", "distinct_id", "api_key", "uuid", "event_type", "user_id", "insert_id", "time", "event_properties", "$set", "token",
    "$token", "$distinct_id", "eid", "e", "uid", "aid", "p", "dtm", "schema", "data", "batch", "events", "writeKey", "name",
)  # fmt: skip


def odd_event(chance: random.Random) -> str:
    """An event whose fields have the wrong types, and some names twice."""
    said = [('"type"', '"track"'), ('"userId"', '"u"'), ('"event"', '"open"')]
    said += [(json.dumps(chance.choice(NAMES)), value(chance)) for _ in range(chance.randrange(1, 7))]
    chance.shuffle(said)
    return "{" + ",".join(f"{name}:{one}" for name, one in said) + "}"


def body(chance: random.Random) -> bytes:
    """Something that comes as a body."""
    event = odd_event(chance)
    whole = chance.choice(
        [
            event, f"[{event},{event}]", f'{{"batch":[{event},{value(chance)},{event}]}}', f'{{"events":[{event}]}}', value(chance),
            f'{{"data":[{event}],"schema":{value(chance)}}}', f'{{"batch":{value(chance)}}}', f'{{"events":{value(chance)},"batch":1}}',
            f'{{"batch":[{event}],"batch":[]}}', "data=" + urllib.parse.quote(event), "data=%ff%fe&" * 150, "data=" + "A" * 5000,
        ]
    ).encode("utf-8", "surrogatepass")  # fmt: skip
    match chance.randrange(8):
        case 0:
            packed = gzip.compress(whole)
            return packed[: chance.randrange(1, len(packed))]
        case 1:
            return gzip.compress(whole)
        case 2:
            at = chance.randrange(len(whole) + 1)
            return whole[:at] + chance.randbytes(chance.randrange(1, 20)) + whole[at:]
        case 3:
            return whole[: chance.randrange(len(whole) + 1)]
        case 4:
            return chance.randbytes(chance.randrange(300))
    return whole


def test_hostile_bodies_at_all_addresses_are_refused_or_set_aside(served: tuple[Server, str]) -> None:
    server, key = served
    warm = asyncio.run(sent(server, [request(key, batch("warm", n * 50, 50)) for n in range(20)]))
    assert set(warm) == {200}
    server.settled(stored=1000)
    chance = random.Random(2026)
    contents = [request(key, body(chance), path=PATHS[n % len(PATHS)]) for n in range(BODIES)]
    memory = server.memory()
    statuses = asyncio.run(sent(server, contents))
    assert sum(statuses.values()) == BODIES
    assert {status for status in statuses if status >= 500 or status not in REFUSALS} == set()
    assert statuses[200] > BODIES / 10  # what is odd inside a batch is set aside, and the batch is taken
    server.settled()
    for _ in range(2):  # the same once more: nothing may pile up
        asyncio.run(sent(server, contents))
    counts = server.settled()
    assert counts.received == counts.accepted + counts.duplicate + counts.quarantined + counts.refused
    assert counts.quarantined > 50
    assert server.memory() <= memory + 100 * MIB
    assert "Traceback" not in server.said()
    assert "following the log failed" not in server.said()


async def sent(server: Server, contents: list[bytes]) -> Counter[int]:
    line = Line(server.port, patience=10)
    found = [(await line.send(content)).status for content in contents]
    line.close()
    return Counter(found)


def test_good_neighbours_of_what_is_set_aside_are_kept(served: tuple[Server, str]) -> None:
    server, key = served
    before = server.settled()
    chance = random.Random(7)
    contents = []
    for n in range(40):
        good = [
            f'{{"type":"track","messageId":"good-{n}-{m}","userId":"g{m}","event":"open","properties":{{"n":{n}}}}}'
            for m in range(2)
        ]
        bad = [f'{{"type":"track","messageId":"bad-{n}","userId":{nested(70)}}}', value(chance).replace("NaN", "1")]
        contents.append(request(key, f'{{"batch":[{good[0]},{",".join(bad)},{good[1]}]}}'.encode()))
    statuses = asyncio.run(sent(server, contents))
    assert set(statuses) == {200}
    after = server.settled(stored=before.accepted + 80)
    assert after.accepted == before.accepted + 80
    assert after.quarantined == before.quarantined + 80


def raw_requests(key: str) -> Iterator[tuple[str, bytes]]:
    """Requests that are none, or two in one, or none that anybody should take for one."""
    good = request(key, batch("raw", 0, 1))
    head, _, content = good.partition(b"\r\n\r\n")
    plain = head.rpartition(b"\r\n")[0]
    hidden = b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n"
    yield "two lengths", plain + b"\r\nContent-Length: 5\r\nContent-Length: %d\r\n\r\n" % len(content) + content
    yield "length and chunks", head + b"\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + hidden
    yield "chunks twice", plain + b"\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n" + hidden
    yield "chunks, then not", plain + b"\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n" + hidden
    yield "odd chunks", plain + b"\r\nTransfer-Encoding: xchunked\r\n\r\n" + hidden
    yield "space before the colon", plain + b"\r\nContent-Length : 5\r\n\r\nhello"
    yield "folded header", plain + b"\r\nX: a\r\n Content-Length: 5\r\n\r\n"
    yield "negative length", plain + b"\r\nContent-Length: -1\r\n\r\n"
    yield "length with a plus", plain + b"\r\nContent-Length: +5\r\n\r\nhello"
    yield "huge length", plain + b"\r\nContent-Length: 99999999999999999999\r\n\r\n"
    yield "bad chunk size", plain + b"\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"
    yield "huge chunk size", plain + b"\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n"
    yield "NUL in a header", plain + b"\r\nX: a\0b\r\nContent-Length: 0\r\n\r\n"
    yield "bare line feeds", good.replace(b"\r\n", b"\n", 4)
    yield "no protocol", b"GET /\r\n\r\n"
    yield "another protocol", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(100)
    yield "HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
    yield (
        "upgrade",
        b"GET /v1/batch HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x\r\n\r\n",
    )
    yield "a whole address", good.replace(b"POST /v1/batch", b"POST http://other.example/v1/batch")
    yield "connect", b"CONNECT example.org:443 HTTP/1.1\r\nHost: x\r\n\r\n"
    yield "asterisk", b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n"
    yield "steps up", b"GET /../../../../etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n"
    yield "escaped steps", b"GET /%2e%2e/%2e%2e/%00/%ff/v1/batch HTTP/1.1\r\nHost: x\r\n\r\n"
    yield "long path", b"GET /" + b"a/" * 20_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n"
    yield "bytes in a path", b"GET /\xff\xfe HTTP/1.1\r\nHost: x\r\n\r\n"
    yield "long query", b"GET /track?data=" + b"A" * 60_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n"
    yield "odd key", head.replace(b"Basic ", b"Basic \xff\xfe") + b"\r\n\r\n" + content
    yield "old HTTP", good.replace(b"HTTP/1.1", b"HTTP/1.0")
    yield "HEAD", b"HEAD /v1/batch HTTP/1.1\r\nHost: x\r\n\r\n"
    yield "unknown method", b"BREW /v1/batch HTTP/1.1\r\nHost: x\r\n\r\n"
    yield "many headers", plain + b"".join(b"\r\nX%d: 1" % n for n in range(3000)) + b"\r\nContent-Length: 0\r\n\r\n"
    yield "origin of another kind", head + b"\r\nOrigin: \xff\xfe\r\n\r\n" + content


def test_no_trick_with_requests_is_answered_with_an_error_of_ours(served: tuple[Server, str]) -> None:
    server, key = served
    for name, content in raw_requests(key):
        answers = spoken(server, content)
        assert answers, name
        assert [a for a in answers if a >= 500] == [], name
        if name in {"old HTTP", "a whole address", "origin of another kind"}:
            assert answers == [200], name
        if name in {"two lengths", "length and chunks", "chunks, then not", "odd chunks", "negative length"}:
            assert len(answers) <= 1, f"{name}: a second request was taken out of the first"
            assert 200 not in answers, name
        assert server.is_alive()
    assert asyncio.run(sent(server, [request(key, batch("after", 0, 1))])) == {200: 1}


def spoken(server: Server, content: bytes) -> list[int]:
    """Statuses of everything that is answered to some bytes."""
    with socket.create_connection((HOST, server.port), timeout=0.5) as line:
        said = b""
        try:
            line.sendall(content)
            while part := line.recv(65536):
                said += part
        except OSError:
            pass
    return [int(part[1:4]) for part in said.split(b"HTTP/1.1")[1:] if part[1:4].isdigit()]


def test_pipelined_requests_are_answered_in_their_order(served: tuple[Server, str]) -> None:
    server, key = served
    contents = [request(key, batch("pipe", n, 1)) for n in range(30)] + [request("hrw_wrong", batch("pipe", 0, 1))]
    with socket.create_connection((HOST, server.port), timeout=10) as line:
        line.sendall(b"".join(contents) + b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        said = b""
        while part := line.recv(65536):
            said += part
    assert [int(part[1:4]) for part in said.split(b"HTTP/1.1")[1:]] == [200] * 30 + [401, 200]


def test_a_body_that_waits_to_be_asked_for_is_asked_for(served: tuple[Server, str]) -> None:
    server, key = served
    content = request(key, batch("expect", 0, 2), more="Expect: 100-continue\r\n")
    head, _, rest = content.partition(b"\r\n\r\n")
    with socket.create_connection((HOST, server.port), timeout=10) as line:
        line.sendall(head + b"\r\n\r\n")
        assert line.recv(100).startswith(b"HTTP/1.1 100")
        line.sendall(rest)
        assert line.recv(65536).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize("size", [1, 700])
def test_a_body_in_chunks_of_any_size_is_taken(served: tuple[Server, str], size: int) -> None:
    server, key = served
    content = batch(f"chunk{size}", 0, 50)
    head = request(key, b"").replace(b"Content-Length: 0", b"Transfer-Encoding: chunked")
    pieces = [content[at : at + size] for at in range(0, len(content), size)]
    chunked = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"
    with socket.create_connection((HOST, server.port), timeout=10) as line:
        line.sendall(head + chunked)
        assert line.recv(65536).startswith(b"HTTP/1.1 200")
