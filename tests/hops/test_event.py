"""Hop 11: from a stage through Eventarc to the audit function."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from observatory.client import Observatory
from tests.addresses import Addresses
from tests.buyer import DECLINED, BoxOffice, Buyer, new_order_id, new_traceparent
from tests.spans import ORDER_SECONDS, has_spans, one_row
from tests.trace_plugin import Trace

WAIT_SECONDS = 20.0


def wait_for_audit_entry(box_office: BoxOffice, event_id: str) -> dict[str, Any]:
    """Wait for the audit entry with that id, and return it."""
    deadline = time.monotonic() + WAIT_SECONDS
    while (response := box_office.documents.get(f"audit/{event_id}")).status_code == 404:
        assert time.monotonic() < deadline, f"there is no document audit/{event_id}"
        time.sleep(0.05)
    response.raise_for_status()
    return box_office.documents.read(f"audit/{event_id}")


def deliver(addresses: Addresses, **event: Any) -> httpx.Response:
    """Deliver an event to the function's own URL, as Eventarc does."""
    body = {
        "specversion": "1.0",
        "id": f"test-{secrets.token_hex(6)}",
        "source": "//tests",
        "type": "boxoffice.order.moved",
        "time": "2026-01-01T12:00:00.000001Z",
        "datacontenttype": "application/json",
        "data": {"order_id": new_order_id(), "state": "ticketed", "by": "tests"},
        **event,
    }
    project = f"projects/{addresses.project}"
    # The emulator names a custom event's trigger after the function and the channel.
    trigger = f"us-central1-audit-0-{project}/locations/us-central1/channels/firebase"
    return httpx.post(
        f"{addresses.functions}/functions/{project}/triggers/{trigger}",
        content=json.dumps(body),
        headers={"Content-Type": "application/cloudevents+json"},
        timeout=30,
    )


@pytest.mark.parametrize(
    ("order", "state", "stage"),
    [
        ({}, "ticketed", "issue"),
        ({"card_token": DECLINED}, "declined", "settle"),
        ({"seats": 8}, "rejected", "reserve"),
    ],
    ids=["ticketed", "declined", "rejected"],
)
def test_audit_continues_the_trace_of_the_stage(
    buyer: Buyer,
    observatory: Observatory,
    open_show: Callable[..., str],
    box_office: BoxOffice,
    order: dict[str, Any],
    state: str,
    stage: str,
) -> None:
    """Each final state has an audit entry with the stage, in the order's own trace."""
    traceparent = new_traceparent()
    order_id = buyer.place(**order, show_id=open_show(seats=2), _trace={"traceparent": traceparent})
    entry = wait_for_audit_entry(box_office, f"{order_id}-{state}")
    assert (entry["order_id"], entry["state"], entry["by"]) == (order_id, state, stage)
    assert entry["at"]
    journey = observatory.wait_for_trace(
        traceparent.split("-")[1],
        has_spans(("audit", "audit"), (stage, stage)),
        ORDER_SECONDS,
    )
    sent = one_row(journey, stage, "send boxoffice.order.moved")
    audit = one_row(journey, "audit", "audit")
    Trace(journey).parent(audit, sent)
    assert (audit["hop"], audit["carrier"]) == ("eventarc", "cloudevent-extension")
    assert (audit["kind"], audit["context"]) == ("CONSUMER", "carried")
    assert audit["attributes"]["cloudevents.event_id"] == f"{order_id}-{state}"
    assert audit["attributes"]["cloudevents.event_type"] == "boxoffice.order.moved"


def test_an_event_that_is_delivered_twice_makes_one_entry(
    addresses: Addresses, observatory: Observatory, box_office: BoxOffice
) -> None:
    """The second delivery changes nothing, and its span records that."""
    event_id, again = f"test-{secrets.token_hex(6)}", new_traceparent()
    assert deliver(addresses, id=event_id).status_code == 200
    first = wait_for_audit_entry(box_office, event_id)
    assert deliver(addresses, id=event_id, traceparent=again).status_code == 200
    assert box_office.documents.read(f"audit/{event_id}") == first
    journey = observatory.wait_for_trace(again.split("-")[1], has_spans(("audit", "audit")))
    audit = one_row(journey, "audit", "audit")
    assert audit["attributes"]["boxoffice.skipped"] == "done"
    assert journey["errors"] <= 1, "only Firestore's own call failed"


@pytest.mark.parametrize("traceparent", [None, "rubbish", 7])
def test_an_event_without_valid_context_starts_a_new_root(
    addresses: Addresses,
    observatory: Observatory,
    box_office: BoxOffice,
    traceparent: object,
) -> None:
    """The entry is written all the same."""
    order_id, event_id = new_order_id(), f"test-{secrets.token_hex(6)}"
    data = {"order_id": order_id, "state": "ticketed", "by": "tests"}
    extension = {} if traceparent is None else {"traceparent": traceparent}
    assert deliver(addresses, id=event_id, data=data, **extension).status_code == 200
    trace_id = wait_for_audit_entry(box_office, event_id)["_trace"]["traceparent"].split("-")[1]
    journey = observatory.wait_for_trace(trace_id, has_spans(("audit", "audit")))
    audit = one_row(journey, "audit", "audit")
    assert audit["parent_span_id"] is None
    assert audit["context"] == ("absent" if traceparent is None else "invalid")


@pytest.mark.parametrize(
    "data", [{}, {"order_id": 7}, {"order_id": "x", "state": "y" * 65}], ids=str
)
def test_an_event_with_invalid_data_is_given_up_with_an_error_on_its_span(
    addresses: Addresses, observatory: Observatory, data: dict[str, Any]
) -> None:
    traceparent = new_traceparent()
    assert deliver(addresses, data=data, traceparent=traceparent).status_code == 200
    journey = observatory.wait_for_trace(traceparent.split("-")[1], has_spans(("audit", "audit")))
    audit = one_row(journey, "audit", "audit")
    assert audit["attributes"]["error.type"] == "boxoffice.audit.UnreadableEvent"


def test_an_event_in_binary_mode_carries_the_context(
    addresses: Addresses, observatory: Observatory, box_office: BoxOffice
) -> None:
    """In production, attributes are `ce-` headers, and Google's own traceparent is a link."""
    ours, googles, event_id = new_traceparent(), new_traceparent(), f"test-{secrets.token_hex(6)}"
    project = f"projects/{addresses.project}"
    trigger = f"us-central1-audit-0-{project}/locations/us-central1/channels/firebase"
    response = httpx.post(
        f"{addresses.functions}/functions/{project}/triggers/{trigger}",
        json={"order_id": new_order_id(), "state": "ticketed", "by": "tests"},
        headers={
            "ce-id": event_id,
            "ce-source": "//tests",
            "ce-specversion": "1.0",
            "ce-type": "boxoffice.order.moved",
            "ce-time": "2026-01-01T12:00:00.000001Z",
            "ce-traceparent": ours,
            "traceparent": googles,
        },
        timeout=30,
    )
    assert response.status_code == 200
    wait_for_audit_entry(box_office, event_id)
    journey = observatory.wait_for_trace(ours.split("-")[1], has_spans(("audit", "audit")))
    audit = one_row(journey, "audit", "audit")
    assert audit["parent_span_id"] == ours.split("-")[2]
    assert [link["span_id"] for link in audit["links"]] == [googles.split("-")[2]]
