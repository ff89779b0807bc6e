"""What the server says while it runs: lines for people on a terminal, JSON for machines elsewhere, on standard error."""

from __future__ import annotations

import sys

import structlog


def set_up() -> None:
    """Use it from now on. Tracebacks show no values of variables: keys and people's data may be among them."""
    rendered: list[structlog.typing.Processor] = [
        structlog.processors.format_exc_info,
        structlog.processors.JSONRenderer(),
    ]
    if sys.stderr.isatty():
        rendered = [structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)]
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *rendered,
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
