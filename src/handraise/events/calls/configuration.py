"""What browsers' libraries ask for before they send: settings and feature flags. There are none, and it is said so."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qs

import msgspec

Answer = tuple[int, str, bytes]

_JSON = "application/json"
_KEY = re.compile(r"[A-Za-z0-9_\-]{1,128}")  # one that cannot end the script it is written into
_FLAGS = {
    "flags": {},
    "featureFlags": {},
    "featureFlagPayloads": {},
    "errorsWhileComputingFlags": False,
    "quotaLimited": [],
}
_POSTHOG = {
    "supportedCompression": ["gzip", "gzip-js"],
    "hasFeatureFlags": False,
    "analytics": {"endpoint": "/i/v0/e/"},
    "sessionRecording": False,
    "heatmaps": False,
    "surveys": False,
    "captureDeadClicks": False,
    "capturePerformance": False,
    "autocaptureExceptions": False,
    "elementsChainAsString": True,
    "toolbarParams": {},
    "isAuthenticated": False,
    "siteApps": [],
}


def configuration_of(method: str, path: str, query: bytes, body: bytes) -> Answer | None:
    """Status, content type and body where a request asks for settings; None = it does not.

    Args:
        method: HTTP method.
        path: Path of the URL without its query.
        query: Query of the URL; RudderStack's library says its key there.
        body: Not looked at: the answer is the same for everybody.
    """
    del body
    steps = [step for step in path.split("/") if step]
    match (method, steps[-4:]):
        case ("GET", [*_, "v1", "projects", key, "settings"]) if _KEY.fullmatch(key):
            return _told(_segment(key))
        case ("GET", [*_, "array", key, "config"]) if _KEY.fullmatch(key):
            return _told({"token": key, **_POSTHOG})
        case ("GET", [*_, "array", key, "config.js"]) if _KEY.fullmatch(key):
            return 200, "application/javascript", _script(key)
        case ("GET", [*_, "sourceConfig"]):
            return _told(_rudderstack(query))
        case ("GET" | "POST", [*_, "flags" | "decide"]):
            # The older of the two asks for the settings as well.
            return _told({**_POSTHOG, **_FLAGS} if steps[-1] == "decide" else _FLAGS)
    return None


def _told(said: dict[str, Any]) -> Answer:
    return 200, _JSON, msgspec.json.encode(said)


def _segment(key: str) -> dict[str, Any]:
    """One integration, the one that sends here, and no plan: every event is let through."""
    own = {"apiKey": key, "unbundledIntegrations": [], "addBundledMetadata": True}
    return {
        "integrations": {"Segment.io": own},
        "plan": {"track": {"__default": {"enabled": True, "integrations": {}}}},
        "edgeFunction": {},
        "analyticsNextEnabled": True,
        "middlewareSettings": {},
        "enabledMiddleware": {},
        "metrics": {"sampleRate": 0},
        "legacyVideoPluginsEnabled": False,
        "remotePlugins": [],
    }


def _rudderstack(query: bytes) -> dict[str, Any]:
    """One source that is on, with no destinations to load code for and nothing to tell about itself."""
    [key] = parse_qs(query.decode("latin-1")).get("writeKey", [""])[-1:]
    known = key if _KEY.fullmatch(key) else ""
    quiet = {"errors": {"enabled": False}, "metrics": {"enabled": False}}
    source = {
        "id": "handraise",
        "name": "handraise",
        "writeKey": known,
        "enabled": True,
        "workspaceId": "handraise",
        "config": {"statsCollection": quiet},
        "connections": [],
        "destinations": [],
        "dataplanes": {},
    }
    return {"source": source}


def _script(key: str) -> bytes:
    quoted, settings = msgspec.json.encode(key), msgspec.json.encode({"token": key, **_POSTHOG})
    start = b"(function(w){w._POSTHOG_REMOTE_CONFIG=w._POSTHOG_REMOTE_CONFIG||{};w._POSTHOG_REMOTE_CONFIG["
    return start + quoted + b"]={config:" + settings + b",siteApps:[]}})(window);"
