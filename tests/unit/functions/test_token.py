"""The age of a caller's ID token on the call's span."""

from __future__ import annotations

import time
from typing import Any

import pytest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from tests.unit.functions.test_claim import call
from tests.unit.functions.traceparents import the_span


def token_attributes(spans: InMemorySpanExporter) -> dict[str, Any]:
    """Return the token's attributes on the call's span."""
    attributes = dict(the_span(spans).attributes or {})
    return {name: value for name, value in attributes.items() if "token" in name}


def test_a_calls_span_has_its_tokens_issue_time_and_age(spans: InMemorySpanExporter) -> None:
    """The token's age tells whether a newer role can be in it."""
    issued_at = int(time.time()) - 3000
    call({"iat": issued_at, "role": "buyer", "email": "somebody@example.org"})
    attributes = token_attributes(spans)
    assert attributes.pop("throughline.token.issued_at") == issued_at
    assert 3000 <= attributes.pop("throughline.token.age_seconds") < 3010
    assert attributes == {}


@pytest.mark.parametrize("token", [None, {}, {"iat": "yesterday"}, {"iat": None}])
def test_a_token_without_an_issue_time_adds_no_attributes(
    spans: InMemorySpanExporter, token: dict[str, Any] | None
) -> None:
    """A signed-out caller has no attributes either."""
    call(token)
    assert token_attributes(spans) == {}
