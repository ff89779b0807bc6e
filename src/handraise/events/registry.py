"""Every format that is known, and which of them a source is."""

from __future__ import annotations

from handraise.errors import InputError
from handraise.events.connectors.hubspot import HubSpot
from handraise.events.connectors.protocol import Connector, table_of
from handraise.events.connectors.salesforce import Salesforce
from handraise.events.connectors.stripe import Stripe
from handraise.events.formats.amplitude import Amplitude
from handraise.events.formats.ga4 import GA4
from handraise.events.formats.mixpanel import Mixpanel
from handraise.events.formats.posthog import PostHog
from handraise.events.formats.protocol import Format, Source
from handraise.events.formats.segment import RudderStack, Segment
from handraise.events.formats.snowplow import Snowplow

CANONICAL = "canonical"
# The first that knows a source has it: who asks for more columns stands before who asks for fewer.
FORMATS: tuple[Format, ...] = (PostHog(), Amplitude(), Mixpanel(), Snowplow(), GA4(), RudderStack(), Segment())
# Their tables are known by name and columns, and are loaded all together.
CONNECTORS: tuple[Connector, ...] = (HubSpot(), Salesforce(), Stripe())


def format_names() -> list[str]:
    """What `--format` takes besides `auto`."""
    return [CANONICAL, *(known.name for known in FORMATS), *(known.name for known in CONNECTORS)]


def format_named(name: str) -> Format:
    """The format of a name.

    Raises:
        InputError: There is none.
    """
    for known in FORMATS:
        if known.name == name:
            return known
    raise InputError(f"there is no format {name!r}.", todo=f"Formats: {', '.join(format_names())}.")


def detect(source: Source, *, only: str | None = None) -> tuple[str, str] | None:
    """Format and table of a source; None when no format (or not the only one asked for) knows it."""
    for connector in CONNECTORS:
        if only in {None, connector.name}:
            found = table_of(connector, source)
            if found is not None:
                return connector.name, found
    for known in FORMATS:
        if only in {None, known.name}:
            table = known.table_of(source)
            if table is not None:
                return known.name, table
    return None
