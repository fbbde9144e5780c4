"""Hop 5: from a write to the security rules' decision on it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import httpx
import pytest

from observatory.client import Observatory
from observatory.schemas.journey import Journey, Row
from stack.clients.pseudonym import pseudonym
from tests.addresses import Addresses
from tests.buyer import APPROVED, Buyer, new_order_id, new_traceparent
from tests.spans import has_spans, one_row, picture, wait_for

RULES = "firestore.rules"
DENIED = (RULES, "create orders denied")


def attempt(buyer: Buyer, **changes: Any) -> tuple[str, str]:
    """Try to place an order that the rules deny; return its id and its trace id."""
    order_id, traceparent = new_order_id(), new_traceparent()
    trace = {"traceparent": traceparent}
    # Without the note of the latest order, whose rule the emulator would report as well.
    response = buyer.documents.create(
        f"orders/{order_id}",
        buyer.order(**{"_trace": trace, **changes}),
        server_times=("placed_at",),
    )
    assert response.status_code == 403
    return order_id, traceparent.split("-")[1]


def decision_on(observatory: Observatory, order_id: str) -> Row:
    """Wait for the rules' decision on an order, in any trace, and return its span."""

    def find() -> list[str]:
        traces = observatory.traces(subject=order_id, service=RULES)["traces"]
        return [trace["trace_id"] for trace in traces]

    (trace_id,) = wait_for(find)
    (row,) = [row for row in observatory.trace(trace_id)["rows"] if row["service"] == RULES]
    return row


def test_the_decision_on_an_allowed_write_is_a_child_of_the_writers_span(
    buyer: Buyer, observatory: Observatory, open_show: Callable[..., str]
) -> None:
    """There is one span for the emulator's two evaluations; its parent is the one in `_trace`."""
    traceparent = new_traceparent()
    _, trace_id, span_id, _ = traceparent.split("-")
    order_id = buyer.place(show_id=open_show(seats=0), _trace={"traceparent": traceparent})
    journey = observatory.wait_for_trace(trace_id, has_spans((RULES, "create orders allowed")))
    decision = one_row(journey, RULES, "create orders allowed")
    assert decision["parent_span_id"] == span_id, picture(journey)
    assert decision["party"] == "rules"
    assert (decision["hop"], decision["carrier"], decision["context"]) == (
        "rules",
        "document-field",
        "carried",
    )
    attributes = decision["attributes"]
    assert attributes["throughline.rules.evaluations"] == 2
    assert attributes["throughline.rules.outcome"] == "allow"
    assert attributes["throughline.rules.source"].startswith("allow create")
    assert attributes["boxoffice.order.id"] == order_id


def test_a_set_is_one_decision(
    buyer: Buyer, observatory: Observatory, open_show: Callable[..., str]
) -> None:
    """The emulator evaluates a `create`, an `update`, and then the actual operation."""
    traceparent, order_id = new_traceparent(), new_order_id()
    order = buyer.order(show_id=open_show(seats=0), _trace={"traceparent": traceparent})
    note = {"last_order_id": order_id, "_trace": order["_trace"]}
    path = f"buyers/{buyer.uid}"
    buyer.documents.set(path, note, server_times=("last_order_at",)).raise_for_status()
    response = buyer.documents.set(f"orders/{order_id}", order, server_times=("placed_at",))
    assert response.status_code == 200
    allowed = (RULES, "create orders allowed")
    journey = observatory.wait_for_trace(traceparent.split("-")[1], has_spans(allowed))
    assert one_row(journey, *allowed)["attributes"]["throughline.rules.evaluations"] == 3
    # The monitor would have held a decision on the `update` as long as this one.
    other = new_order_id()
    assert buyer.documents.update(f"orders/{other}", {"seats": 1}).status_code == 403
    assert decision_on(observatory, other)["name"] == "update orders denied"
    assert len(observatory.traces(subject=order_id, service=RULES)["traces"]) == 1


def test_the_decision_on_a_denied_write_names_the_deciding_line(
    buyer: Buyer, observatory: Observatory, addresses: Addresses
) -> None:
    """It is an error with the file, the line and its text."""
    order_id, trace_id = attempt(buyer, seats=9)
    journey = observatory.wait_for_trace(trace_id, has_spans(DENIED))
    decision = one_row(journey, *DENIED)
    attributes = decision["attributes"]
    line = attributes["code.line.number"]
    assert attributes["throughline.rules.source"] == "&& order.seats <= 8"
    assert decision["status_message"] == (
        f"denied by firestore.rules line {line}: `&& order.seats <= 8`"
    )
    assert decision["error"]
    assert attributes["code.file.path"] == "rules/firestore.rules"
    assert attributes["throughline.rules.path"] == f"orders/{order_id}"
    assert attributes["enduser.pseudo.id"] == pseudonym(addresses.project, buyer.uid)
    assert journey["spans"] == 1, picture(journey)


INVALID_ORDERS: list[dict[str, Any]] = [
    {"uid": "somebody-else"},
    {"note": "an extra field"},
    {"show_id": "../orders/x"},
    {"seats": "2"},
    {"seats": 0},
    {"card_token": "4242424242424242"},
    {"state": "ticketed"},
    {"_trace": {"traceparent": f"00-{'a' * 32}-{'b' * 16}-01", "baggage": "x" * 8193}},
]


@pytest.fixture(scope="module")
def refusals(addresses: Addresses) -> list[tuple[str, set[int]]]:
    """The id of each invalid order, and the lines that its refusal made false.

    All are refused first, because the monitor takes two seconds to record each decision.
    """
    refused = []
    with closing(Buyer(addresses)) as buyer:
        for changes in INVALID_ORDERS:
            before = Coverage(addresses)
            order_id, _ = attempt(buyer, **changes)
            refused.append((order_id, Coverage(addresses).lines_made_false_since(before)))
    return refused


@pytest.mark.parametrize(
    "number",
    range(len(INVALID_ORDERS)),
    ids=[str(changes)[:40] for changes in INVALID_ORDERS],
)
def test_the_deciding_line_is_that_of_the_emulators_coverage_report(
    refusals: list[tuple[str, set[int]]], observatory: Observatory, number: int
) -> None:
    """The report counts which expressions evaluated to false."""
    order_id, false_lines = refusals[number]
    decision = decision_on(observatory, order_id)
    assert decision["attributes"]["throughline.rules.decided_by"] == "expression"
    assert {decision["attributes"]["code.line.number"]} == false_lines


class Coverage:
    """The emulator's counts of the values of each expression of the rules."""

    def __init__(self, addresses: Addresses) -> None:
        url = f"{addresses.firestore}/emulator/v1/projects/{addresses.project}:ruleCoverage"
        report = httpx.get(url, timeout=30).raise_for_status().json()
        self._roots: list[dict[str, Any]] = report["report"]
        self._rules: str = report["rules"]["files"][0]["content"]
        self._falses: Counter[tuple[int, int]] = Counter()
        for root in self._roots:
            self._count(root)

    def lines_made_false_since(self, earlier: Coverage) -> set[int]:
        """Return the lines of the innermost expressions that evaluated to false since `earlier`.

        Functions are counted at their definition, not at the call.
        """
        self._falses.subtract(earlier._falses)
        return {line for root in self._roots for line in self._innermost(root)}

    def _count(self, node: dict[str, Any]) -> None:
        for value in node.get("values") or []:
            if value["value"].get("boolValue") is False:
                self._falses[_place(node)] += value["count"]
        for inner in node.get("children", []):
            self._count(inner)

    def _innermost(self, node: dict[str, Any]) -> Iterator[int]:
        if self._falses[_place(node)] <= 0:
            return
        inner = [child for child in node.get("children", []) if self._falses[_place(child)] > 0]
        for child in inner:
            yield from self._innermost(child)
        begin, end = _place(node)
        called = self._rules[begin:end].partition("(")[0]
        if not inner and f"function {called}(" not in self._rules:
            yield node["sourcePosition"]["line"]


def _place(node: dict[str, Any]) -> tuple[int, int]:
    at = node["sourcePosition"]
    return at["currentOffset"], at["endOffset"]


@pytest.mark.parametrize(
    ("trace", "context", "reason"),
    [
        (None, "absent", None),
        ("00-…", "invalid", "carrier is a string, not a map"),
        ({"traceparent": 7}, "invalid", "traceparent is a int, not a string"),
        (
            {"traceparent": "<script>alert(1)</script>\r\nFAKE LOG LINE"},
            "invalid",
            "traceparent is malformed",
        ),
    ],
    ids=lambda value: str(value)[:40],
)
def test_the_decision_on_a_write_without_valid_context_is_a_declared_root(
    buyer: Buyer, observatory: Observatory, trace: object, context: str, reason: str | None
) -> None:
    """It has the reason, and counts as covered."""
    decision = decision_on(observatory, attempt(buyer, _trace=trace)[0])
    assert (decision["parent_span_id"], decision["root"]) == (None, "rules")
    assert (decision["context"], decision["covered"]) == (context, True)
    assert decision["attributes"].get("throughline.context.reason") == reason


def test_the_decision_on_a_denied_read_links_to_the_write_at_its_path(
    buyer: Buyer,
    new_buyer: Callable[[], Buyer],
    observatory: Observatory,
    open_show: Callable[..., str],
) -> None:
    """A read carries no context, but the document was written in a known trace."""
    traceparent = new_traceparent()
    _, trace_id, span_id, _ = traceparent.split("-")
    order_id = buyer.place(show_id=open_show(seats=0), _trace={"traceparent": traceparent})
    stranger = new_buyer()
    assert stranger.documents.get(f"orders/{order_id}").status_code == 403

    def read_decisions() -> list[Row]:
        page = observatory.traces(
            subject=order_id, text='declared_root = rules and name ~ "get orders"'
        )
        ids = [trace["trace_id"] for trace in page["traces"]]
        return [row for each in ids for row in observatory.trace(each)["rows"]]

    (decision,) = wait_for(read_decisions)
    assert decision["name"] == "get orders denied"
    assert decision["root"] == "rules"
    (link,) = decision["links"]
    # The latest write may be a function's, so only the trace is known.
    assert link["trace_id"] == trace_id
    assert link["attributes"] == {"throughline.link.by": "path"}
    assert len(link["span_id"]) == len(span_id)


def test_nothing_personal_is_on_a_decision(buyer: Buyer, observatory: Observatory) -> None:
    """It has no card token, no uid and no other content of the document."""
    _, trace_id = attempt(buyer, note="a@example.org", show_id="a-show-of-theirs")
    journey: Journey = observatory.wait_for_trace(trace_id, has_spans(DENIED))
    everything = json.dumps(journey)
    for secret in (APPROVED, buyer.uid, "a@example.org", "a-show-of-theirs"):
        assert secret not in everything


def test_an_allowed_read_makes_no_trace(
    buyer: Buyer, observatory: Observatory, open_show: Callable[..., str]
) -> None:
    """A later decision is stored, and the read's is not."""
    show_id = open_show(seats=1)
    assert buyer.documents.get(f"shows/{show_id}").status_code == 200
    decision_on(observatory, attempt(buyer, seats=9)[0])
    names = [trace["root"] for trace in observatory.traces(service=RULES)["traces"]]
    assert "get shows allowed" not in names
