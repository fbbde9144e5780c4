"""Hops 9 and 10 in one process: a call to a vendor, and the vendor's webhook."""

from __future__ import annotations

import json
from typing import Any

import flask
import pytest
from firebase_functions import https_fn
from opentelemetry import trace
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode
from werkzeug.test import TestResponse

import throughline
from tests.unit.functions.traceparents import (
    AMBIENT,
    TRACEPARENT,
    Kinship,
    attributes_of,
    ids,
    kinship,
    the_span,
)


def echoed(request: flask.Request) -> object:
    """Return the metadata in the body if the request has the expected word."""
    if request.headers.get("Word") != "please":
        raise throughline.Untrusted("the word is missing")
    return request.get_json()["metadata"]


def call_back(metadata: Any, answer: Any = "", word: str = "please") -> TestResponse:
    """Call a webhook with the SDK's decorator, as the framework does; return its response."""

    @https_fn.on_request()
    @throughline.on_webhook(echoed)
    def settle(_request: flask.Request) -> Any:
        if isinstance(answer, Exception):
            raise answer
        return answer

    app = flask.Flask(__name__)
    app.add_url_rule("/settle", view_func=lambda: settle(flask.request), methods=["POST"])
    app.testing = isinstance(answer, Exception)
    headers = {"Word": word, "traceparent": AMBIENT, "Function-Execution-Id": "run-1"}
    body = json.dumps({"metadata": metadata}) if metadata != "no JSON" else "no JSON"
    return app.test_client().post(
        "/settle", data=body, headers={**headers, "Content-Type": "application/json"}
    )


def test_the_parent_is_in_the_echoed_metadata(spans: InMemorySpanExporter) -> None:
    """The context of the HTTP request, which is the vendor's, is a link."""
    response = call_back({"traceparent": TRACEPARENT, "order_id": "7"}, "thanks")
    assert response.get_data() == b"thanks"
    span = the_span(spans)
    assert (span.name, span.kind) == ("settle", SpanKind.SERVER)
    assert kinship(span) == Kinship(ids(TRACEPARENT), [ids(AMBIENT)])
    expected = {
        "throughline.hop": "webhook",
        "throughline.carrier": "charge-metadata",
        "throughline.context": "carried",
        "faas.trigger": "http",
        "faas.invocation_id": "run-1",
        "http.request.method": "POST",
        "url.path": "/settle",
        "url.scheme": "http",
        "http.response.status_code": 200,
    }
    assert attributes_of(span).items() >= expected.items()


def test_an_untrusted_request_is_a_root(spans: InMemorySpanExporter) -> None:
    """Its metadata names a parent but is not authenticated; the function still answers."""
    assert call_back({"traceparent": TRACEPARENT}, ("no", 401), word="now!").status_code == 401
    attributes = attributes_of(the_span(spans))
    assert the_span(spans).parent is None
    assert attributes["throughline.context"] == "invalid"
    assert attributes["throughline.context.reason"] == "the word is missing"
    assert the_span(spans).status.status_code is StatusCode.UNSET


@pytest.mark.parametrize(
    ("metadata", "state", "reason"),
    [
        (None, "absent", None),
        ({}, "absent", None),
        ([], "invalid", "carrier is a list, not a map"),
        ("text", "invalid", "carrier is a str, not a map"),
        ({"traceparent": [1]}, "invalid", "traceparent is a list, not a string"),
        ("no JSON", "invalid", "metadata is not readable (BadRequest)"),
    ],
    ids=repr,
)
def test_metadata_without_context_makes_a_root(
    spans: InMemorySpanExporter, metadata: Any, state: str, reason: str | None
) -> None:
    """The request is handled even if the reader of the metadata raises."""
    assert call_back(metadata, "thanks").status_code == 200
    attributes = attributes_of(the_span(spans))
    assert the_span(spans).parent is None
    assert attributes["throughline.context"] == state
    assert attributes.get("throughline.context.reason") == reason


@pytest.mark.parametrize(
    ("answer", "status", "is_error"),
    [
        ("text", 200, False),
        ({"a": "map"}, 200, False),
        (("text", 202), 202, False),
        (("text", 503, {"Retry-After": "1"}), 503, True),
        (flask.Response(status=422), 422, False),
        (flask.Response(status=500), 500, True),
    ],
    ids=["text", "map", "tuple", "tuple with headers", "422", "500"],
)
def test_the_status_of_every_kind_of_flask_response_is_recorded(
    spans: InMemorySpanExporter, answer: Any, status: int, is_error: bool
) -> None:
    """A server span is an error from 500 on; client errors are not."""
    assert call_back({}, answer).status_code == status
    span = the_span(spans)
    assert attributes_of(span)["http.response.status_code"] == status
    assert (span.status.status_code is StatusCode.ERROR) == is_error
    assert attributes_of(span).get("error.type") == (str(status) if is_error else None)


def test_a_webhooks_exception_is_recorded_and_raised_again(spans: InMemorySpanExporter) -> None:
    """The framework answers 500, and the vendor retries."""
    with pytest.raises(LookupError):
        call_back({"traceparent": TRACEPARENT}, LookupError("no such order"))
    span = the_span(spans)
    assert span.status.status_code is StatusCode.ERROR
    assert kinship(span).parent == ids(TRACEPARENT)


@pytest.mark.parametrize(
    ("url", "name", "address", "port"),
    [
        ("http://127.0.0.1:4320/charges", "POST /charges", "127.0.0.1", 4320),
        ("https://acquirer.example/v1/charges?x=1", "POST /v1/charges", "acquirer.example", 443),
        ("http://acquirer.example", "POST /", "acquirer.example", 80),
    ],
)
def test_a_call_is_a_client_span_whose_context_is_sent(
    spans: InMemorySpanExporter, url: str, name: str, address: str, port: int
) -> None:
    """The sent context names the call's span, so that the webhook can be its child."""
    with throughline.calling("POST", url) as call:
        call.answered(202)
    span = the_span(spans)
    assert (span.name, span.kind) == (name, SpanKind.CLIENT)
    context = span.context
    assert ids(call.context["traceparent"]) == f"{context.trace_id:032x}-{context.span_id:016x}"
    attributes = attributes_of(span)
    assert (attributes["server.address"], attributes["server.port"]) == (address, port)
    assert attributes["throughline.hop"] == "vendor"
    assert attributes["http.response.status_code"] == 202
    assert span.status.status_code is StatusCode.UNSET


@pytest.mark.parametrize("status", [400, 409, 429, 500, 503])
def test_a_refused_call_is_an_error(spans: InMemorySpanExporter, status: int) -> None:
    """A client span is an error from 400 on."""
    with throughline.calling("POST", "http://acquirer.example/charges") as call:
        call.answered(status)
    assert the_span(spans).status.status_code is StatusCode.ERROR
    assert attributes_of(the_span(spans))["error.type"] == str(status)


def test_a_call_that_raises_restores_the_surrounding_span(spans: InMemorySpanExporter) -> None:
    """The exception is recorded and raised again, and the surrounding span is current."""
    with trace.get_tracer("test").start_as_current_span("around") as around:
        with (
            pytest.raises(ConnectionError),
            throughline.calling("POST", "http://acquirer.example/charges"),
        ):
            raise ConnectionError
        assert trace.get_current_span() is around
    assert spans.get_finished_spans()[0].status.status_code is StatusCode.ERROR
