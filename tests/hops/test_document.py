"""Hops 4 and 6: from the writer of a document to the function that it triggers."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from observatory.client import Observatory
from tests.buyer import BoxOffice, Buyer, new_traceparent
from tests.spans import has_spans, one_row, picture, rows_of, trace_of_order


def test_the_trigger_continues_the_writers_trace(
    buyer: Buyer, observatory: Observatory, open_show: Callable[..., str], box_office: BoxOffice
) -> None:
    """The span in the order's `_trace` is the parent of the function's."""
    traceparent = new_traceparent()
    _, trace_id, span_id, _ = traceparent.split("-")
    order_id = buyer.place(show_id=open_show(seats=0), _trace={"traceparent": traceparent})
    box_office.wait_for(order_id)
    journey = observatory.wait_for_trace(trace_id, has_spans(("reserve", "reserve")))
    reserve = one_row(journey, "reserve", "reserve")
    assert reserve["parent_span_id"] == span_id
    assert reserve["kind"] == "CONSUMER"
    assert (reserve["hop"], reserve["carrier"], reserve["context"]) == (
        "trigger",
        "document-field",
        "carried",
    )
    attributes = reserve["attributes"]
    assert attributes["faas.trigger"] == "datasource"
    assert attributes["faas.document.collection"] == "orders"
    assert attributes["faas.document.operation"] == "insert"
    assert attributes["boxoffice.order.id"] == order_id
    assert attributes["boxoffice.order.state"] == "rejected"
    assert attributes["code.file.path"] == "functions/boxoffice/reserve.py"


def test_every_firestore_call_is_a_span(
    buyer: Buyer, observatory: Observatory, open_show: Callable[..., str], box_office: BoxOffice
) -> None:
    """The transaction's begin, reads and commit are children of the function's span."""
    traceparent = new_traceparent()
    trace_id = traceparent.split("-")[1]
    box_office.wait_for(
        buyer.place(show_id=open_show(seats=0), _trace={"traceparent": traceparent})
    )
    journey = observatory.wait_for_trace(trace_id, has_spans(("reserve", "reserve")))
    reserve = one_row(journey, "reserve", "reserve")
    calls = [row for row in rows_of(journey, "reserve") if row["kind"] == "CLIENT"]
    operations = [row["attributes"]["db.operation.name"] for row in calls]
    assert operations == ["BeginTransaction", "BatchGetDocuments", "BatchGetDocuments", "Commit"]
    assert {row["parent_span_id"] for row in calls} == {reserve["span_id"]}
    assert {row["attributes"]["db.system.name"] for row in calls} == {"gcp.firestore"}
    read_by = [row["attributes"]["code.function.name"] for row in calls[1:3]]
    assert read_by == [
        "boxoffice.ledger.move_order.<locals>.attempt",
        "boxoffice.reserve.hold_seats",
    ]


@pytest.mark.parametrize(
    ("fields", "context", "reason"),
    [
        ({}, "absent", None),
        ({"_trace": {}}, "absent", None),
        ({"_trace": "00-abc"}, "invalid", "carrier is a str, not a map"),
        ({"_trace": {"traceparent": 7}}, "invalid", "traceparent is a int, not a string"),
        ({"_trace": {"traceparent": "rubbish"}}, "invalid", "traceparent is malformed"),
        (
            {"_trace": {"traceparent": f"00-{'0' * 32}-{'1' * 16}-01"}},
            "invalid",
            "traceparent has a trace id of zeros",
        ),
        (
            {"_trace": {"traceparent": "<script>alert(1)</script>\r\nFAKE LOG LINE"}},
            "invalid",
            "traceparent is malformed",
        ),
    ],
    ids=lambda value: str(value)[:50],
)
def test_invalid_or_missing_context_in_a_document_starts_a_new_root(
    order_in: Callable[..., str],
    observatory: Observatory,
    box_office: BoxOffice,
    fields: dict[str, object],
    context: str,
    reason: str | None,
) -> None:
    """The order is processed, and the span has a reason that quotes nothing of the input."""
    order_id = order_in("placed", **fields)
    assert box_office.wait_for(order_id)["state"] == "ticketed"
    journey = trace_of_order(observatory, order_id, has_spans(("issue", "issue")), "reserve")
    reserve = one_row(journey, "reserve", "reserve")
    assert reserve["parent_span_id"] is None, picture(journey)
    assert reserve["context"] == context
    assert reserve["attributes"].get("throughline.context.reason") == reason
    assert journey["orphans"] == 0, picture(journey)


def test_an_oversized_tracestate_in_a_document_does_not_cost_the_traceparent(
    order_in: Callable[..., str], observatory: Observatory, box_office: BoxOffice
) -> None:
    """The function's span is a child of the writer's, and names what was dropped."""
    traceparent = new_traceparent()
    order_id = order_in("placed", _trace={"traceparent": traceparent, "tracestate": "x" * 8192})
    assert box_office.wait_for(order_id)["state"] == "ticketed"
    journey = trace_of_order(observatory, order_id, has_spans(("issue", "issue")), "reserve")
    reserve = one_row(journey, "reserve", "reserve")
    assert reserve["parent_span_id"] == traceparent.split("-")[2], picture(journey)
    reason = reserve["attributes"].get("throughline.context.reason")
    assert (reserve["context"], reason) == ("carried", "tracestate is longer than 512 characters")
