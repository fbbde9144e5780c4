"""Tests of the parsing and the delivery format of events."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from cloud.delivery.event import Attempt, BadEvent, Event, parse_attempt, parse_event

TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def handed_over(**changes: Any) -> dict[str, Any]:
    """Return a valid payload of POST /events, with `changes`."""
    body = base64.b64encode(b"\x00\xff").decode()
    return {"function": "reserve", "headers": {"Ce-Id": "1", "Host": "x"}, "body": body, **changes}


def test_an_event_is_parsed_with_lowercase_header_names_and_a_decoded_body() -> None:
    event, failed = parse_event(handed_over())
    assert event == Event("reserve", {"ce-id": "1", "host": "x"}, b"\x00\xff")
    assert failed is None


def test_a_failed_first_attempt_is_parsed_with_its_event() -> None:
    _, failed = parse_event(
        handed_over(failed={"error": "boom", "span": TRACEPARENT, "parent": None})
    )
    assert failed == Attempt("boom", TRACEPARENT, None)


@pytest.mark.parametrize(
    "payload",
    [
        None,
        [],
        {},
        handed_over(function="../reserve"),
        handed_over(function=7),
        handed_over(headers=[]),
        handed_over(headers={"a": 1}),
        handed_over(body=7),
        handed_over(body="not base64!"),
    ],
)
def test_an_invalid_event_is_rejected_with_a_reason(payload: object) -> None:
    with pytest.raises(BadEvent, match=r"must be|is a map"):
        parse_event(payload)


@pytest.mark.parametrize("span", [7, "", "nonsense", TRACEPARENT + "-01", TRACEPARENT + "\n"])
def test_an_invalid_traceparent_is_ignored(span: object) -> None:
    """Any client may have sent it, and the next delivery would have it in a header."""
    assert parse_attempt({"span": span, "error": "boom"}) == Attempt("boom")
    assert parse_attempt("not a map") == Attempt()


def test_headers_of_a_connection_or_an_earlier_attempt_are_not_passed_on() -> None:
    headers = {
        "content-type": "application/cloudevents+json",
        "content-length": "2",
        "host": "127.0.0.1",
        "connection": "keep-alive",
        "x-throughline-delivery-attempt": "1",
        "x-throughline-delivery-fail": "before",
        "ce-id": "7",
    }
    sent, body = Event("issue", headers, b"{}").to_deliver()
    assert sent == {"content-type": "application/cloudevents+json", "ce-id": "7"}
    assert body == b"{}"


def test_protobuf_is_sent_in_base64() -> None:
    """The functions emulator decodes it, as it does for the Firestore emulator."""
    _, body = Event("reserve", {"content-type": "application/protobuf"}, b"\x00\xff").to_deliver()
    assert base64.b64decode(body) == b"\x00\xff"
