"""Invalid requests are answered with 4xx and a reason, and traced as refusals."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import flask
import pytest
from firebase_functions import https_fn
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

import request_validation
import throughline
from tests.unit.functions.public_functions import (
    CHARGING,
    SHOW,
    TICKETED,
    PublicFunctions,
    Request,
    Response,
    id_token,
    public_functions,
    signature,
)
from tests.unit.functions.traceparents import (
    SPAN_ID,
    TRACE_ID,
    TRACEPARENT,
    attributes_of,
    the_span,
)
from tests.unit.otlp import attributes, spans_in

JSON = {"Content-Type": "application/json"}
# In the emulator, pages of this machine are those of the site.
SITE = "http://127.0.0.1:5002"
LONE_SURROGATE = b'"\\ud83d"'


@pytest.fixture(scope="module")
def functions(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PublicFunctions]:
    """Serve the public functions for all tests of this module."""
    with public_functions(tmp_path_factory.mktemp("functions")) as served:
        yield served


def call(
    functions: PublicFunctions, function: str, body: bytes, **headers: str
) -> tuple[Response, list[Span]]:
    """POST a body; return the response, and the function's own spans of that request."""
    before = len(functions.local.requests)
    request = Request(function, headers={**JSON, "traceparent": TRACEPARENT, **headers}, body=body)
    response = functions.send(request)
    received = functions.local.requests[before:]
    names = [span for span, _ in spans_in(functions.local) if span.name == function]
    exports = sum(each.path == "/v1/traces" for each in received)
    return response, names[-1:] if exports else []


def error_of(response: Response) -> dict[str, Any]:
    """Return the callable protocol's error object."""
    error: dict[str, Any] = json.loads(response.body)["error"]
    return error


BAD_BODIES = {
    "no JSON": b"seats=2",
    "empty": b"",
    "cut off": b'{"data": {"seats": 2',
    "not UTF-8": b'{"data": "\xff"}',
    "UTF-16": '{"data": 1}'.encode("utf-16"),
    "50,000 deep": b'{"data": ' + b"[" * 50_000 + b"]" * 50_000 + b"}",
    "200 deep": b'{"data": ' + b"[" * 200 + b"]" * 200 + b"}",
    "5,000 digits": b'{"data": {"seats": ' + b"9" * 5_000 + b"}}",
    "NaN": b'{"data": NaN}',
    "a lone surrogate": b'{"data": {"show_id": ' + LONE_SURROGATE + b"}}",
    "a number": b"7",
    "null": b"null",
    "a string": b'"data"',
    "a list": b'["data"]',
    "no data": b"{}",
    "other keys": b'{"data": {}, "card": "4242424242424242"}',
}


@pytest.mark.parametrize("function", ["quote", "refund"])
@pytest.mark.parametrize("body", BAD_BODIES.values(), ids=BAD_BODIES)
def test_a_callable_refuses_an_unusable_body(
    functions: PublicFunctions, function: str, body: bytes
) -> None:
    """The answer follows the callable protocol, and the caller's trace shows a refusal."""
    response, spans = call(functions, function, body, Origin=SITE)
    assert response.status == 400, response.body
    assert error_of(response)["status"] == "INVALID_ARGUMENT"
    assert error_of(response)["message"] not in ("", "Bad Request")
    assert response.headers["access-control-allow-origin"] == SITE
    (span,) = spans
    assert (span.trace_id.hex(), span.parent_span_id.hex()) == (TRACE_ID, SPAN_ID)
    assert span.status.code == Status.STATUS_CODE_UNSET
    assert attributes(span)["throughline.hop"] == "callable"
    assert attributes(span)["error.type"] == "invalid-argument"
    (event,) = span.events
    assert attributes(event)["message"] == error_of(response)["message"]


@pytest.mark.parametrize("function", ["quote", "refund"])
def test_only_pages_of_the_site_may_call_a_callable(
    functions: PublicFunctions, function: str
) -> None:
    """A browser sends no call of another page, whose preflight request gets no permission."""
    asked = {
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type,traceparent,x-throughline-context",
    }
    allowed = {
        origin: functions.send(
            Request(function, "OPTIONS", headers={**asked, "Origin": origin})
        ).headers.get("access-control-allow-origin")
        for origin in (SITE, "https://shop.example", "http://127.0.0.1.example")
    }
    assert allowed == {
        SITE: SITE,
        "https://shop.example": None,
        "http://127.0.0.1.example": None,
    }


def test_a_refused_body_is_not_logged(functions: PublicFunctions) -> None:
    """Without validation, the SDK logs the values of unknown keys."""
    call(functions, "quote", BAD_BODIES["other keys"])
    assert "4242424242424242" not in "\n".join(functions.servers["quote"].log_lines())


def test_a_rejected_token_is_a_refusal_in_the_trace(functions: PublicFunctions) -> None:
    """The SDK answers without calling the function, and the request still has a span."""
    body = json.dumps({"data": {"order_id": TICKETED}}).encode()
    response, (span,) = call(functions, "refund", body, Authorization="Bearer nonsense")
    assert response.status == 401
    assert attributes(span)["error.type"] == "unauthenticated"
    assert span.status.code == Status.STATUS_CODE_UNSET


def test_a_request_that_reaches_the_function_has_one_span(functions: PublicFunctions) -> None:
    """Answered or refused by the function, a request makes exactly one span."""
    for data, status in (({"show_id": SHOW, "seats": 2}, 200), ({"show_id": SHOW}, 400)):
        before = sum(span.name == "quote" for span, _ in spans_in(functions.local))
        response, _ = call(functions, "quote", json.dumps({"data": data}).encode())
        assert response.status == status
        after = sum(span.name == "quote" for span, _ in spans_in(functions.local))
        assert after - before == 1


def test_a_preflight_is_answered_and_not_traced(functions: PublicFunctions) -> None:
    """A preflight carries neither a body nor trace context."""
    headers = {"Origin": "https://app.example", "Access-Control-Request-Method": "POST"}
    before = sum(span.name == "quote" for span, _ in spans_in(functions.local))
    assert functions.send(Request("quote", "OPTIONS", headers=headers)).status == 200
    assert sum(span.name == "quote" for span, _ in spans_in(functions.local)) == before


@pytest.mark.parametrize(
    "order_id",
    [".", "..", "__x__", "a/b", "", " ", "x" * 65, "x" * 1_500, "a\nb", "🎟", 7, None, ["x"]],
    ids=repr,
)
def test_refund_refuses_an_invalid_order_id(functions: PublicFunctions, order_id: object) -> None:
    """The organiser gets the reason before Firestore is called."""
    body = json.dumps({"data": {"order_id": order_id}}).encode()
    response, _ = call(functions, "refund", body, Authorization=f"Bearer {id_token()}")
    assert response.status == 400, response.body
    assert error_of(response)["message"] == "order_id must be an order's id."


def test_a_ticketed_order_is_still_refunded(functions: PublicFunctions) -> None:
    """The validation accepts a valid request."""
    body = json.dumps({"data": {"order_id": TICKETED}}).encode()
    response, _ = call(functions, "refund", body, Authorization=f"Bearer {id_token()}")
    assert response.status == 200, response.body
    assert json.loads(response.body)["result"] == {"order_id": TICKETED, "state": "refunded"}


CHARGE = {
    "id": "ch_1",
    "status": "succeeded",
    "amount_cents": 5000,
    "currency": "EUR",
    "decline_code": None,
    "metadata": {"order_id": CHARGING},
}


def event(**changes: object) -> bytes:
    """Return the body of a webhook about the charging order, with changes to its charge."""
    return json.dumps({"data": {"charge": {**CHARGE, **changes}}}).encode()


INVALID_EVENTS = {
    "no JSON": b"charge=1",
    "50,000 deep": b"[" * 50_000,
    "a list": b"[1]",
    "a string": b'"charge"',
    "null": b"null",
    "no charge": b'{"data": {}}',
    "a charge that is a list": b'{"data": {"charge": [1]}}',
    "no metadata": event(metadata=None),
    "no id": event(id=None),
    "an id of 1 MB": event(id="x" * 1_000_000),
    "an id that is a map": event(id={"a": 1}),
    "an unknown status": event(status="maybe"),
    "a status that is a list": event(status=["succeeded"]),
    "an amount of text": event(amount_cents="5000"),
    "an amount of 400 digits": event(amount_cents=10**400),
    "an amount of 5,000 digits": event().replace(b"5000", b"9" * 5_000),
    "an amount of a fraction": event(amount_cents=5000.5),
    "an infinite amount": event().replace(b"5000", b"Infinity"),
    "a currency that is a number": event(currency=1),
    "a lone surrogate": event(id="\ud83d"),
    "a decline code with a line break": event(status="declined", decline_code="a\nb"),
    "an unknown order": event(metadata={"order_id": "NoSuchOrder"}),
    **{f"order {id_!r}": event(metadata={"order_id": id_}) for id_ in (".", "__x__", "\ud83d", 7)},
}


@pytest.mark.parametrize("body", INVALID_EVENTS.values(), ids=INVALID_EVENTS)
def test_settle_refuses_a_signed_invalid_event(functions: PublicFunctions, body: bytes) -> None:
    """The answer is 422 with a reason, so the processor does not retry; the span is an error,
    because the processor's result is not applied to an order."""
    signed = {"Acquirer-Signature": signature(body)}
    response, (span,) = call(functions, "settle", body, **signed)
    assert response.status == 422, response.body
    assert json.loads(response.body)["error"]
    assert span.status.code == Status.STATUS_CODE_ERROR


@pytest.mark.parametrize("sent_at", ["9" * 400, "9" * 5_000, "-1", "1e3", "²", ""])
def test_settle_refuses_an_invalid_signature_time(functions: PublicFunctions, sent_at: str) -> None:
    """Some of these would overflow Python's integer conversion or a float."""
    body = event()
    response, _ = call(
        functions, "settle", body, **{"Acquirer-Signature": signature(body, sent_at or " ")}
    )
    assert response.status == 401, response.body


def test_settle_accepts_a_signed_charge(functions: PublicFunctions) -> None:
    """The validation accepts a valid webhook, here of a declined charge."""
    body = event(status="declined", decline_code="card_declined")
    signed = {"Acquirer-Signature": signature(body)}
    response, _ = call(functions, "settle", body, **signed)
    assert response.status == 200, response.body
    assert json.loads(response.body) == {"state": "declined", "moved": True}


@pytest.mark.parametrize(
    ("query", "status"),
    [
        (f"?show_id={SHOW}", 200),
        (f"?show_id={SHOW}&show_id=other", 200),
        ("", 400),
        ("?", 400),
        ("?show_id", 400),
        ("?show_id=", 400),
        ("?show_id=%", 400),
        ("?show_id=%ff%fe", 400),
        ("?show_id=%ed%a0%80", 400),
        ("?show_id=..%2f..", 400),
        ("?show_id=__x__", 400),
        ("?show_id=" + "x" * 3_000, 400),
        ("?" + "&" * 3_000, 400),
        ("?show_id[]=night-ferry", 400),
        ("?show_id=no-such-show", 404),
    ],
)
def test_availability_validates_the_query_string(
    functions: PublicFunctions, query: str, status: int
) -> None:
    """A missing or malformed show_id is 400, an unknown show 404."""
    response = functions.send(Request("availability", "GET", f"/{query}"))
    assert response.status == status, response.body


@pytest.mark.parametrize("body", [b"seats=2", b"[" * 50_000, b"9" * 5_000, LONE_SURROGATE])
def test_a_plain_function_answers_400_to_unusable_json(
    spans: InMemorySpanExporter, body: bytes
) -> None:
    """The answer has the reason as JSON, and the span shows a refusal."""

    @https_fn.on_request()
    @throughline.on_request
    def read(request: flask.Request) -> Any:
        return {"read": request.get_json()}

    app = flask.Flask(__name__)
    with app.app_context():
        request_validation.install()
    app.add_url_rule("/", view_func=lambda: read(flask.request), methods=["POST"])
    response = app.test_client().post("/", data=body, headers=JSON)
    assert response.status_code == 400
    assert response.get_json()["error"].startswith("The body ")
    span = the_span(spans)
    assert span.status.status_code is StatusCode.UNSET
    assert attributes_of(span)["http.response.status_code"] == 400
    assert [happened.name for happened in span.events] == ["refused"]
