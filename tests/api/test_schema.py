"""The API does what its own description says, whatever is sent: made-up requests from the description itself."""

import contextlib
from collections.abc import Iterator
from urllib.parse import quote

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from api.conftest import newcomers
from api.served import TOKEN, Served, serving

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
MOST_OF_A_LINE = 40_000
WORDS = {"operationId", "summary", "description"}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("schema") / "p") as server:
        server.send(newcomers(server.clock().isoformat()))
        yield server


MODES = [GenerationMode.POSITIVE, GenerationMode.NEGATIVE]


@pytest.mark.parametrize("mode", MODES)
def test_nothing_fails_and_every_answer_is_described(served: Served, mode: GenerationMode) -> None:
    schema = schemathesis.openapi.from_dict(served.get("openapi.json"))
    schema.config.update(base_url=f"http://127.0.0.1:{served.port}")
    tried = 0
    for found in schema.get_all_operations():
        operation = found.ok()

        @settings(
            max_examples=15,
            deadline=None,
            derandomize=True,
            database=None,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy(generation_mode=mode))
        def holds(case: schemathesis.Case) -> None:
            nonlocal tried
            tried += 1
            # The connection ends where a request line and headers are over 64 KB, without a word.
            assume(len(quote(f"{case.path_parameters} {case.query}")) < MOST_OF_A_LINE)
            headers = {"Authorization": f"Bearer {TOKEN}"}
            case.call_and_validate(headers=headers, checks=CHECKS, timeout=60)

        with contextlib.suppress(Unsatisfiable):  # nothing can be wrong where nothing is sent
            holds()
    assert tried > 100


def test_every_operation_is_described_and_says_what_can_go_wrong(served: Served) -> None:
    described = served.get("openapi.json")
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            assert operation.keys() >= WORDS, (path, method)
            if path.startswith("/api/"):
                assert operation["responses"].keys() >= {"401", "403", "408", "413", "422", "500", "503"}, path
                assert "HTTPValidationError" not in str(operation)
    assert described["components"]["securitySchemes"]["api_key"]["scheme"] == "bearer"
    assert {"Problem", "Mistake"} <= described["components"]["schemas"].keys()
    ids = [one["operationId"] for methods in described["paths"].values() for one in methods.values()]
    assert len(ids) == len(set(ids))


def test_the_description_needs_a_key_too(served: Served) -> None:
    assert served.ask("GET", "/api/v1/openapi.json", key=None).status == 401
