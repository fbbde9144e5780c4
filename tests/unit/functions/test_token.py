"""How old a caller's ID token is, on the span of the call."""

from __future__ import annotations

import time
from typing import Any

import pytest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from tests.unit.functions.test_claim import call
from tests.unit.functions.traceparents import the_span


def said(spans: InMemorySpanExporter) -> dict[str, Any]:
    """What the call's span says of the token."""
    attributes = dict(the_span(spans).attributes or {})
    return {name: value for name, value in attributes.items() if "token" in name}


def test_a_call_says_when_its_token_was_issued(spans: InMemorySpanExporter) -> None:
    """And how long ago; a role that was given since is not in it."""
    issued_at = int(time.time()) - 3000
    call({"iat": issued_at, "role": "buyer", "email": "somebody@example.org"})
    found = said(spans)
    assert found.pop("throughline.token.issued_at") == issued_at
    assert 3000 <= found.pop("throughline.token.age_seconds") < 3010
    assert found == {}


@pytest.mark.parametrize("token", [None, {}, {"iat": "yesterday"}, {"iat": None}])
def test_nothing_is_said_of_a_token_that_does_not_say(
    spans: InMemorySpanExporter, token: dict[str, Any] | None
) -> None:
    """Or of a caller who has none."""
    call(token)
    assert said(spans) == {}
