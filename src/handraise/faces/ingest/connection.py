"""One connection: closed when it does not get to the point. The server below waits for ever, and takes headers of any size."""

from __future__ import annotations

import asyncio
from asyncio.events import TimerHandle

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

# Seconds for a whole request line and its headers, from the connection or the first byte on.
HEADER_DEADLINE = 15.0
MOST_HEADERS = 64 * 1024
# Seconds for a whole body, whoever reads it; the door for events answers a little earlier that it is late.
MESSAGE_DEADLINE = 27.0
# Seconds in which a sender has to take what it was answered.
ANSWER_DEADLINE = 20.0
# Bytes that a body in chunks may take for each byte that it says.
_CHUNKED = 8


class Connection(HttpToolsProtocol):
    """Ends connections whose requests do not come in time or do not end, and those that take no answer."""

    _clock: TimerHandle | None = None
    _unread: TimerHandle | None = None
    # Of the request that is coming in: bytes of its body, and bytes before, between and behind them. What came together
    # with the end of something else is not counted: that is never more than one reading.
    _body = _beside = _read = 0
    _turned = False
    _between = True

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start the clock."""
        super().connection_made(transport)
        self._start_clock(HEADER_DEADLINE)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop it."""
        self._stop_clock()
        self.resume_writing()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Count what is no body: the parser keeps headers, and what stands behind a body, until they are complete."""
        if self._clock is None:  # the first bytes after a request
            self._start_clock(HEADER_DEADLINE)
        self._read, self._turned = 0, False
        super().data_received(data)
        if not self._turned:
            self._beside += len(data) - self._read
            if self._beside > MOST_HEADERS + _CHUNKED * self._body:
                self.transport.abort()
        if self._between and self.cycle is not None and not self.cycle.response_complete:
            self._stop_clock()  # stray bytes while an answer is being made

    def on_message_begin(self) -> None:
        """Begin to count."""
        self._turned, self._between = True, False
        self._beside = self._body = 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """From here on, the body has its own time."""
        self._turned, self._beside = True, 0
        self._start_clock(MESSAGE_DEADLINE)
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Count it."""
        self._body += len(body)
        self._read += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The request is here; how long the answer takes is our own affair."""
        self._turned, self._between = True, True
        self._stop_clock()
        super().on_message_complete()

    def pause_writing(self) -> None:
        """Much of an answer waits to be taken."""
        super().pause_writing()
        if self._unread is None:
            self._unread = self.loop.call_later(ANSWER_DEADLINE, self.transport.abort)

    def resume_writing(self) -> None:
        """It was taken."""
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None
        super().resume_writing()

    def _start_clock(self, seconds: float) -> None:
        self._stop_clock()
        self._clock = self.loop.call_later(seconds, self.transport.abort)

    def _stop_clock(self) -> None:
        if self._clock is not None:
            self._clock.cancel()
            self._clock = None
