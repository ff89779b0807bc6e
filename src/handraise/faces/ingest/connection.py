"""One connection: closed when it does not get to the point. The server below waits for ever, and takes headers of any size."""

from __future__ import annotations

import asyncio
from asyncio.events import TimerHandle

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

# Seconds for a whole request line and its headers, from the connection or the first byte on.
HEADER_DEADLINE = 15.0
MOST_HEADERS = 64 * 1024


class Connection(HttpToolsProtocol):
    """Ends connections whose headers do not come in time, or do not end."""

    _deadline: TimerHandle | None = None
    _header_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start the clock."""
        super().connection_made(transport)
        self._start_clock()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop it."""
        self._stop_clock()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Count what comes before the headers are complete."""
        between = self.cycle is None or self.cycle.response_complete
        if between:
            self._header_bytes += len(data)
            if self._deadline is None:
                self._start_clock()
        super().data_received(data)
        if between and self._deadline is not None and self._header_bytes > MOST_HEADERS:
            self.transport.abort()

    def on_headers_complete(self) -> None:
        """From here on, the body has its own time and size."""
        self._stop_clock()
        self._header_bytes = 0
        super().on_headers_complete()

    def _start_clock(self) -> None:
        self._deadline = self.loop.call_later(HEADER_DEADLINE, self.transport.abort)

    def _stop_clock(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
