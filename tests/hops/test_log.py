"""Hop 15: from a log line to the span in which it was written."""

from __future__ import annotations

from collections.abc import Callable

from observatory.client import Observatory
from observatory.schemas.journey import Journey
from tests.buyer import Buyer, new_traceparent
from tests.spans import ORDER_SECONDS, has_spans, one_row


def lines_of(journey: Journey) -> dict[str, str | None]:
    """Return the span id of each log line, by its text."""
    return {line["body"]: line["span_id"] for row in journey["rows"] for line in row["logs"]}


def test_every_stages_log_line_names_its_span(
    buyer: Buyer, observatory: Observatory, open_show: Callable[..., str]
) -> None:
    """Each stage logs the order's new state, with its own span id."""
    traceparent = new_traceparent()
    order_id = buyer.place(show_id=open_show(seats=1), _trace={"traceparent": traceparent})
    journey = observatory.wait_for_trace(
        traceparent.split("-")[1],
        # A function exports its log records after its spans.
        lambda stored: (
            has_spans(("issue", "issue"))(stored) and "ticketed" in str(lines_of(stored))
        ),
        ORDER_SECONDS,
    )
    span_ids = lines_of(journey)
    for stage, state in (
        ("reserve", "reserved"),
        ("charge", "charging"),
        ("settle", "paid"),
        ("issue", "ticketed"),
    ):
        assert span_ids[f"Order {order_id} is {state}"] == one_row(journey, stage, stage)["span_id"]
