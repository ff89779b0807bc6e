"""A program that sends events with a vendor's own library: `library.py VENDOR ADDRESS KEY COUNT`."""

import contextlib
import sys
import time
from collections.abc import Callable
from urllib.parse import urlparse

Send = Callable[[int], object]
PAUSE = 0.01


def segment(address: str, key: str) -> tuple[Send, Callable[[], object]]:
    from segment.analytics.client import Client

    client = Client(key, host=address, upload_size=20, max_retries=15)
    return (lambda n: client.track(f"user-{n % 7}", "open", {"n": n})), client.shutdown


def rudderstack(address: str, key: str) -> tuple[Send, Callable[[], object]]:
    from rudderstack.analytics.client import Client

    client = Client(key, host=address, upload_size=20, max_retries=15)
    return (lambda n: client.track(f"user-{n % 7}", "open", {"n": n})), client.shutdown


def posthog(address: str, key: str) -> tuple[Send, Callable[[], object]]:
    from posthog import Posthog

    client = Posthog(key, host=address, flush_at=20, flush_interval=0.3, max_retries=10)
    return (lambda n: client.capture("open", distinct_id=f"user-{n % 7}", properties={"n": n})), client.shutdown


def amplitude(address: str, key: str) -> tuple[Send, Callable[[], object]]:
    from amplitude import Amplitude, BaseEvent, Config

    config = Config(flush_queue_size=20, flush_interval_millis=300, server_url=f"{address}/2/httpapi")
    client = Amplitude(key, config)
    sent: list[int] = []
    client.configuration.callback = lambda _event, code, _message: sent.append(code)

    def end() -> None:
        ends = time.monotonic() + 60
        while len(sent) < COUNT and time.monotonic() < ends:
            client.flush()
            time.sleep(0.3)
        client.shutdown()

    return (lambda n: client.track(BaseEvent("open", user_id=f"user-{n % 7}", event_properties={"n": n}))), end


def mixpanel(address: str, key: str) -> tuple[Send, Callable[[], object]]:
    from mixpanel import BufferedConsumer, Mixpanel, MixpanelException

    consumer = BufferedConsumer(max_size=20, events_url=f"{address}/track", retry_limit=12)
    client = Mixpanel(key, consumer)

    def again(send: Callable[[], object]) -> None:
        """It keeps what it could not send, and tells its caller to come again."""
        with contextlib.suppress(MixpanelException):
            send()

    def end() -> None:
        ends = time.monotonic() + 60
        while any(consumer._buffers.values()) and time.monotonic() < ends:
            again(consumer.flush)
            time.sleep(0.3)

    return (lambda n: again(lambda: client.track(f"user-{n % 7}", "open", {"n": n}))), end


def snowplow(address: str, key: str) -> tuple[Send, Callable[[], object]]:
    from snowplow_tracker import Emitter, SelfDescribingJson, Subject, Tracker
    from snowplow_tracker.events import SelfDescribing

    where = urlparse(address)
    emitter = Emitter(str(where.hostname), protocol="http", port=where.port, batch_size=20, max_retry_delay_seconds=1)
    trackers = [
        Tracker(namespace="t", emitters=emitter, app_id=key, subject=Subject().set_user_id(f"user-{n}"))
        for n in range(7)
    ]

    def send(n: int) -> None:
        said = SelfDescribingJson("iglu:com.example/open/jsonschema/1-0-0", {"n": n})
        trackers[n % 7].track(SelfDescribing(said))

    def end() -> None:
        ends = time.monotonic() + 60
        while emitter.event_store.size() and time.monotonic() < ends:
            emitter.flush()
            time.sleep(0.3)

    return send, end


LIBRARIES = {
    "segment": segment,
    "rudderstack": rudderstack,
    "posthog": posthog,
    "amplitude": amplitude,
    "mixpanel": mixpanel,
    "snowplow": snowplow,
}

if __name__ == "__main__":
    vendor, at, write_key, count = sys.argv[1:]
    COUNT = int(count)
    send_one, finish = LIBRARIES[vendor](at, write_key)
    for number in range(COUNT):
        send_one(number)
        time.sleep(PAUSE)
    finish()
