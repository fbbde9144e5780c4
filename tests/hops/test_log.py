"""Hop 15: from a log line to the span it was written in."""

from __future__ import annotations

from collections.abc import Callable

from observatory.client import Observatory
from observatory.schemas.journey import Journey
from tests.buyer import Buyer, new_traceparent
from tests.spans import ORDER_SECONDS, has_spans, one_row


def lines_of(journey: Journey) -> dict[str, str | None]:
    """The span of each log line."""
    return {line["body"]: line["span_id"] for row in journey["rows"] for line in row["logs"]}


def test_every_stages_log_line_names_its_span(
    buyer: Buyer, observatory: Observatory, open_show: Callable[..., str]
) -> None:
    """Each stage says where the order is now, and the line lies under that stage's span."""
    traceparent = new_traceparent()
    order_id = buyer.place(show_id=open_show(seats=1), _trace={"traceparent": traceparent})
    journey = observatory.wait_for_trace(
        traceparent.split("-")[1],
        # A function's log records are delivered after its spans.
        lambda seen: has_spans(("issue", "issue"))(seen) and "ticketed" in str(lines_of(seen)),
        ORDER_SECONDS,
    )
    said = lines_of(journey)
    for stage, state in (
        ("reserve", "reserved"),
        ("charge", "charging"),
        ("settle", "paid"),
        ("issue", "ticketed"),
    ):
        assert said[f"Order {order_id} is {state}"] == one_row(journey, stage, stage)["span_id"]
