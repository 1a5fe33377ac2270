"""The whole interface against its own description: no answer that it does not announce, whatever is asked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

schemathesis = pytest.importorskip("schemathesis")
pytest.importorskip("fastapi")

from lenet.serve import Limits  # noqa: E402
from lenet.serve.app import build  # noqa: E402
from lenet.serve.guard import Access  # noqa: E402

# What an answer is held to: its status, media type, headers and body are announced, and it is no 500.
CHECKS = {
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
}
DESCRIPTION = build(Path("nowhere"), Access(frozenset()), Limits(), 1)[0].app.openapi()  # type: ignore[attr-defined]
OPERATIONS = {each.ok().label: each.ok() for each in schemathesis.openapi.from_dict(DESCRIPTION).get_all_operations()}


def test_the_whole_interface_is_described(service: str) -> None:
    """What is served is what is tested here, with every route that the issue of this service names."""
    import httpx

    assert httpx.get(f"{service}/openapi.json").json() == DESCRIPTION
    paths = {"/read", "/read/batch", "/explain", "/models", "/health", "/activations", "/train", "/train/events"}
    assert paths | {"/corrections", "/finetune", "/metrics"} <= set(DESCRIPTION["paths"])


@pytest.mark.parametrize("label", OPERATIONS)
def test_no_answer_is_a_surprise(service: str, label: str) -> None:
    """Requests made from the description, right and wrong ones."""
    from schemathesis.checks import CHECKS as KNOWN

    checks = [each for each in KNOWN.get_all() if each.__name__ in CHECKS]
    assert len(checks) == len(CHECKS)
    modes = [schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE]
    asked = st.one_of(*(OPERATIONS[label].as_strategy(generation_mode=mode) for mode in modes))

    @settings(max_examples=10, phases=[Phase.generate], suppress_health_check=list(HealthCheck), database=None)
    @given(case=asked)
    def ask(case: Any) -> None:
        case.call_and_validate(base_url=service, checks=checks, timeout=600)

    ask()
