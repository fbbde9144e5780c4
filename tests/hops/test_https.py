"""Hops 1, 2 and 3: to a function over HTTPS, through Hosting's rewrite, and as a callable."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from observatory.client import Observatory
from observatory.schemas.journey import Journey
from tests.addresses import Addresses
from tests.buyer import Buyer, new_traceparent
from tests.spans import has_spans, one_row, picture

COPY = "x-throughline-context"


def function_url(addresses: Addresses, name: str) -> str:
    """Return the URL of a function."""
    return f"{addresses.functions}/{addresses.project}/us-central1/{name}"


def get_availability(
    addresses: Addresses,
    show_id: str,
    headers: dict[str, str] | list[tuple[str, str]] | None = None,
) -> httpx.Response:
    """Request the seats left from the HTTPS function."""
    url = function_url(addresses, "availability")
    return httpx.get(url, params={"show_id": show_id}, headers=headers, timeout=30)


def call_quote(
    addresses: Addresses, data: object, headers: dict[str, str] | None = None
) -> httpx.Response:
    """Call the callable function as the browser's SDK does."""
    url = function_url(addresses, "quote")
    return httpx.post(url, json={"data": data}, headers=headers, timeout=30)


def journey_of(observatory: Observatory, traceparent: str, service: str) -> Journey:
    """Wait for the service's own span in the trace of `traceparent`, and return the trace."""
    return observatory.wait_for_trace(traceparent.split("-")[1], has_spans((service, service)))


def new_root_of(observatory: Observatory, show_id: str, service: str) -> Journey:
    """Return the newest trace of a service that is about a show."""
    for line in observatory.traces(20, service=service)["traces"]:
        journey = observatory.trace(line["trace_id"])
        if one_row(journey, service, service)["attributes"].get("boxoffice.show.id") == show_id:
            return journey
    raise AssertionError(f"no trace of {service} is about show {show_id}")


def test_an_https_function_continues_the_callers_trace(
    addresses: Addresses, observatory: Observatory, open_show: Callable[..., str]
) -> None:
    """Hop 1: its span is a child of the span in the headers."""
    show_id, traceparent = open_show(seats=7), new_traceparent()
    response = get_availability(addresses, show_id, {"traceparent": traceparent})
    assert (response.status_code, response.json()) == (200, {"show_id": show_id, "seats_left": 7})
    span = one_row(
        journey_of(observatory, traceparent, "availability"), "availability", "availability"
    )
    assert span["parent_span_id"] == traceparent.split("-")[2]
    assert (span["kind"], span["hop"], span["carrier"]) == ("SERVER", "https", "http-headers")
    assert (span["context"], span["links"]) == ("carried", [])
    attributes = span["attributes"]
    assert attributes["http.response.status_code"] == 200
    assert attributes["faas.trigger"] == "http"
    assert attributes["boxoffice.show.id"] == show_id


def test_hostings_rewrite_passes_the_headers_on(
    addresses: Addresses, observatory: Observatory, open_show: Callable[..., str]
) -> None:
    """Hop 2: a request to the page's own host continues the trace."""
    show_id, traceparent = open_show(seats=3), new_traceparent()
    response = httpx.get(
        f"{addresses.hosting}/api/availability",
        params={"show_id": show_id},
        headers={"traceparent": traceparent, COPY: traceparent, "baggage": f"show.id={show_id}"},
        timeout=30,
    )
    assert (response.status_code, response.json()["seats_left"]) == (200, 3)
    span = one_row(
        journey_of(observatory, traceparent, "availability"), "availability", "availability"
    )
    assert span["parent_span_id"] == traceparent.split("-")[2]
    assert (span["hop"], span["context"]) == ("hosting", "carried")


@pytest.mark.parametrize("flags", ["00", "01"])
def test_our_copy_takes_precedence_over_a_rewritten_traceparent(
    addresses: Addresses, observatory: Observatory, open_show: Callable[..., str], flags: str
) -> None:
    """Google's front end rewrites it, often unsampled; its span becomes a link."""
    ours, platforms = new_traceparent(), new_traceparent()[:-2] + flags
    get_availability(addresses, open_show(seats=1), {"traceparent": platforms, COPY: ours})
    journey = journey_of(observatory, ours, "availability")
    span = one_row(journey, "availability", "availability")
    assert span["parent_span_id"] == ours.split("-")[2], picture(journey)
    assert [link["span_id"] for link in span["links"]] == [platforms.split("-")[2]]
    assert span["links"][0]["attributes"] == {"throughline.link": "http-request"}


def test_a_front_ends_span_in_our_own_trace_becomes_a_link_too(
    addresses: Addresses, observatory: Observatory, open_show: Callable[..., str]
) -> None:
    """The trace id is the same, but that span is never exported to us."""
    ours = new_traceparent()
    _, trace_id, span_id, _ = ours.split("-")
    rewritten = f"00-{trace_id}-{secrets.token_hex(8)}-00"
    get_availability(addresses, open_show(seats=1), {"traceparent": rewritten, COPY: ours})
    journey = journey_of(observatory, ours, "availability")
    span = one_row(journey, "availability", "availability")
    assert span["parent_span_id"] == span_id, picture(journey)
    assert [link["span_id"] for link in span["links"]] == [rewritten.split("-")[2]]


@pytest.mark.parametrize(
    ("headers", "context", "reason"),
    [
        ([], "absent", None),
        ([("traceparent", "rubbish")], "invalid", "traceparent is malformed"),
        ([("traceparent", "<script>alert(1)</script>")], "invalid", "traceparent is malformed"),
        (
            [("traceparent", new_traceparent()), ("Traceparent", new_traceparent())],
            "invalid",
            "traceparent is malformed",
        ),
        (
            [("traceparent", f"00-{'0' * 32}-{'1' * 16}-01")],
            "invalid",
            "traceparent has a trace id of zeros",
        ),
        (
            [("traceparent", f"ff-{'a' * 32}-{'1' * 16}-01")],
            "invalid",
            "traceparent has the forbidden version ff",
        ),
    ],
    ids=lambda value: str(value)[:50],
)
def test_invalid_or_missing_headers_start_a_new_root(
    addresses: Addresses,
    observatory: Observatory,
    open_show: Callable[..., str],
    headers: list[tuple[str, str]],
    context: str,
    reason: str | None,
) -> None:
    """The response is correct, and the span has the reason."""
    show_id = open_show(seats=1)
    assert get_availability(addresses, show_id, headers).status_code == 200
    journey = new_root_of(observatory, show_id, "availability")
    span = one_row(journey, "availability", "availability")
    assert (span["parent_span_id"], span["context"]) == (None, context), picture(journey)
    assert span["attributes"].get("throughline.context.reason") == reason


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        # 8 KB in one header line.
        ("tracestate", "a=" + "x" * 8190, "tracestate is longer than 512 characters"),
        ("tracestate", "foo=1,bar=2,foo=1", "tracestate repeats a key"),
        ("baggage", "order.id=" + "x" * 8991, "baggage is longer than 8192 characters"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_an_oversized_header_does_not_cost_the_traceparent(
    addresses: Addresses,
    observatory: Observatory,
    open_show: Callable[..., str],
    name: str,
    value: str,
    reason: str,
) -> None:
    """The span is a child of the traceparent's span, and names what was dropped."""
    show_id, traceparent = open_show(seats=1), new_traceparent()
    headers = {"traceparent": traceparent, name: value}
    assert get_availability(addresses, show_id, headers).status_code == 200
    span = one_row(
        journey_of(observatory, traceparent, "availability"), "availability", "availability"
    )
    assert span["parent_span_id"] == traceparent.split("-")[2]
    assert span["context"] == "carried"
    assert span["attributes"].get("throughline.context.reason") == reason


@pytest.mark.parametrize(
    ("method", "query", "status"),
    [
        ("GET", {}, 400),
        ("GET", {"show_id": ""}, 400),
        ("GET", {"show_id": "../orders/x"}, 400),
        ("GET", {"show_id": "x" * 65}, 400),
        ("GET", {"show_id": "no-such-show"}, 404),
        ("POST", {"show_id": "night-ferry"}, 405),
    ],
)
def test_an_invalid_request_gets_a_json_error(
    addresses: Addresses, method: str, query: dict[str, str], status: int
) -> None:
    """The status is never 500."""
    url = function_url(addresses, "availability")
    response = httpx.request(method, url, params=query, timeout=30)
    assert (response.status_code, list(response.json())) == (status, ["error"])


def test_a_callable_continues_the_callers_trace(
    addresses: Addresses, observatory: Observatory, open_show: Callable[..., str]
) -> None:
    """Hop 3: also for a signed-out user."""
    show_id, traceparent = open_show(seats=2, price_cents=1250), new_traceparent()
    headers = {"traceparent": traceparent, COPY: traceparent}
    response = call_quote(addresses, {"show_id": show_id, "seats": 3}, headers)
    assert response.json() == {
        "result": {
            "show_id": show_id,
            "seats": 3,
            "price_cents": 1250,
            "amount_cents": 3750,
            "currency": "EUR",
            "seats_left": 2,
            "available": False,
        }
    }
    span = one_row(journey_of(observatory, traceparent, "quote"), "quote", "quote")
    assert span["parent_span_id"] == traceparent.split("-")[2]
    assert (span["kind"], span["hop"], span["context"]) == ("SERVER", "callable", "carried")


def test_a_callable_accepts_a_users_token(
    addresses: Addresses, buyer: Buyer, open_show: Callable[..., str]
) -> None:
    headers = {"Authorization": f"Bearer {buyer.token}"}
    data = {"show_id": open_show(seats=2), "seats": 1}
    assert call_quote(addresses, data, headers).status_code == 200


@pytest.mark.parametrize(
    ("data", "status", "code"),
    [
        (None, 400, "invalid-argument"),
        ([], 400, "invalid-argument"),
        ({"show_id": "night-ferry"}, 400, "invalid-argument"),
        ({"show_id": "night-ferry", "seats": 0}, 400, "invalid-argument"),
        ({"show_id": "night-ferry", "seats": 9}, 400, "invalid-argument"),
        ({"show_id": "night-ferry", "seats": True}, 400, "invalid-argument"),
        ({"show_id": "night-ferry", "seats": "1"}, 400, "invalid-argument"),
        ({"show_id": 7, "seats": 1}, 400, "invalid-argument"),
        ({"show_id": "a/b", "seats": 1}, 400, "invalid-argument"),
        ({"show_id": "no-such-show", "seats": 1}, 404, "not-found"),
    ],
    ids=str,
)
def test_an_invalid_call_is_not_an_error_of_the_functions_span(
    addresses: Addresses, observatory: Observatory, data: Any, status: int, code: str
) -> None:
    """The caller gets the callable protocol's error, and the span has its code."""
    traceparent = new_traceparent()
    response = call_quote(addresses, data, {"traceparent": traceparent})
    assert response.status_code == status
    assert response.json()["error"]["status"] == code.upper().replace("-", "_")
    journey = journey_of(observatory, traceparent, "quote")
    span = one_row(journey, "quote", "quote")
    assert not span["error"], picture(journey)
    assert span["attributes"]["error.type"] == code
    assert span["attributes"]["http.response.status_code"] == status


def test_only_allowed_baggage_is_on_the_spans(
    addresses: Addresses, observatory: Observatory, open_show: Callable[..., str]
) -> None:
    """Allowed keys become attributes of every span, Firestore's calls included."""
    show_id, traceparent = open_show(seats=1), new_traceparent()
    baggage = f"order.id=Order1,show.id={show_id},email=a%40example.org;p=1"
    get_availability(addresses, show_id, {"traceparent": traceparent, "baggage": baggage})
    journey = journey_of(observatory, traceparent, "availability")
    assert journey["spans"] > 1
    for row in journey["rows"]:
        assert row["attributes"]["boxoffice.order.id"] == "Order1", picture(journey)
        assert row["attributes"]["boxoffice.show.id"] == show_id
    assert "example.org" not in str(journey)
