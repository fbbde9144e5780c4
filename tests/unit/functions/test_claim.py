"""Links from a user's later calls to the user's creation, by a claim in the ID token."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import flask
import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry import trace
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from tests.unit.functions.traceparents import TRACEPARENT, ids, kinship, the_span
from throughline import claim, on_call, user_claim

APP = flask.Flask(__name__)


def call(token: dict[str, Any] | None) -> None:
    """Call a callable function with a decoded token, or signed out if it is None."""
    work = on_call(lambda _: None)
    with APP.test_request_context():
        auth = SimpleNamespace(token=token) if token is not None else None
        work(SimpleNamespace(auth=auth, raw_request=flask.request))


def test_a_new_users_claim_names_the_creating_span(spans: InMemorySpanExporter) -> None:
    """It fits Firebase's limit. Outside a span there is no claim."""
    assert user_claim() == {}
    with trace.get_tracer("test").start_as_current_span("welcome"):
        made = user_claim()
    context = the_span(spans).get_span_context()
    assert context is not None
    assert made["throughline"].split("-")[2] == trace.format_span_id(context.span_id)
    assert len(str(made)) < 100


def test_a_call_links_to_its_callers_creation(spans: InMemorySpanExporter) -> None:
    """It is a link, not the parent."""
    call({"role": "buyer", "throughline": TRACEPARENT})
    span = the_span(spans)
    assert span.parent is None
    assert kinship(span).links == [ids(TRACEPARENT)]
    assert dict(span.links[0].attributes or {}) == {"throughline.link": "user"}


@pytest.mark.parametrize("token", [None, {}, {"throughline": "rubbish"}, {"throughline": 7}])
def test_a_caller_without_a_usable_claim_is_served_without_a_link(
    spans: InMemorySpanExporter, token: dict[str, Any] | None
) -> None:
    """Examples are users created before tracing, guests and signed-out callers."""
    call(token)
    assert the_span(spans).links == ()


@given(value=st.none() | st.text() | st.integers() | st.lists(st.text()))
def test_arbitrary_claims_do_not_raise(value: object) -> None:
    """A token is signed, but its claims may have any value."""
    assert len(claim.links({"throughline": value})) <= 1
