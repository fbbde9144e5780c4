"""Findings: spans that look healthy and are probably not."""

from typing import Any

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from observatory.terminal.waterfall import render_waterfall
from tests.unit.observatory.conftest import Running
from tests.unit.observatory.telemetry import CLIENT, CONSUMER, INTERNAL, Trace, purchase


def call(t: Trace, parent: Span, name: str, at_ms: float) -> Span:
    return t.span(
        *("issue", f"/google.firestore.v1.Firestore/{name}", CLIENT, at_ms, at_ms + 1, parent),
        rpc__method=name,
    )


def rolled_back(case: str) -> Trace:
    """Return a trace in which a transaction is rolled back, for different reasons."""
    t = Trace()
    error = "sold out" if case == "error" else None
    outcome: dict[str, Any] = {"boxoffice__skipped": "done"} if case == "outcome" else {}
    top = t.span("issue", "issue", CONSUMER, 0, 50, None, error, **outcome)
    body = t.span("issue", "move the order", INTERNAL, 1, 40, top)
    call(t, body, "BeginTransaction", 2)
    call(t, body, "Rollback", 10)
    if case == "run again":
        call(t, body, "BeginTransaction", 20)
        call(t, body, "Commit", 22)
    return t


@pytest.mark.parametrize("case", ["no reason", "error", "outcome", "run again"])
def test_a_rollback_is_reported_unless_something_explains_it(running: Running, case: str) -> None:
    """The error or outcome may be on the invocation, above the span that rolled back."""
    trace = rolled_back(case)
    running.send(trace)
    journey = running.client.trace(trace.trace_id.hex())
    kinds = [finding["kind"] for finding in journey["findings"]]
    assert ("rolled_back" in kinds) is (case == "no reason")


def test_a_consumer_without_outcome_is_reported(running: Running) -> None:
    """Those with one, and listeners on the page, are not. The terminal prints the finding."""
    trace = purchase("order-1")
    issue = next(span for service, span in trace.spans if service == "issue")
    kept = [each for each in issue.attributes if each.key != "boxoffice.order.state"]
    del issue.attributes[:]
    issue.attributes.extend(kept)
    running.send(trace)
    journey = running.client.trace(trace.trace_id.hex())
    (finding,) = journey["findings"]
    assert (finding["kind"], finding["span_id"]) == ("no_outcome", issue.span_id.hex())
    text = "! issue: issue ended without an error and without an outcome"
    assert text in render_waterfall(journey)


def test_an_app_that_declares_no_outcomes_gets_no_findings_about_them(running: Running) -> None:
    """A consumer of another app says how it ended in ways that are not known."""
    running.context.__dict__["conventions"] = type(running.context.conventions)()
    trace = Trace()
    trace.span("issue", "issue", CONSUMER, 0, 5)
    running.send(trace)
    assert running.client.trace(trace.trace_id.hex())["findings"] == []
