"""Malformed and hostile telemetry in every view of the explorer, in a browser."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from playwright.sync_api import Page, expect

from tests.journey.observatory_server import ObservatoryServer, assert_accessible
from tests.journey.purchases import purchase
from tests.unit.observatory.telemetry import INTERNAL, SERVER, Trace, any_value, key_values

NewPage = Callable[..., Page]

EVIL = "<img src=x onerror=\"document.title='taken'\"><b>bold</b>"
TIMES = (1, 4_102_444_800 * 10**9, 2**63, 2**64 - 1)


def malformed_trace() -> Trace:
    """Return a trace of spans that no well-behaved program sends.

    Times in 1970, in 2100 and beyond int64, ends before starts, a cycle of parents, an absent
    parent, and markup in names.
    """
    trace = Trace()
    top = trace.span(EVIL, EVIL, INTERNAL, 0, 10, error=EVIL)
    top.attributes.extend(key_values({EVIL: EVIL}))
    for time in TIMES:
        span = trace.span("page", f"at {time}", SERVER, 0, 0, top)
        span.start_time_unix_nano = span.end_time_unix_nano = time
    trace.span("page", "backwards", INTERNAL, 9, 3, top)
    trace.span("", "", INTERNAL, 1, 2, b"gone-999", error="")
    first = trace.span("page", "first", INTERNAL, 0, 10)
    first.parent_span_id = trace.span("page", "second", INTERNAL, 1, 9, first).span_id
    return trace


def send_malformed_telemetry(server: ObservatoryServer) -> Trace:
    """Send a malformed trace twice, with log lines and metrics alike; return the trace."""
    trace = malformed_trace()
    server.send(trace, purchase())
    server.send(trace)
    logs, metrics = ExportLogsServiceRequest(), ExportMetricsServiceRequest()
    records = logs.resource_logs.add().scope_logs.add().log_records
    scope_metrics = metrics.resource_metrics.add().scope_metrics.add().metrics
    gauge = scope_metrics.add(name=EVIL, unit=EVIL, description=EVIL).gauge
    histogram = scope_metrics.add(name="took").histogram
    for time in TIMES:
        records.add(time_unix_nano=time, severity_number=99, severity_text=EVIL).body.CopyFrom(
            any_value({EVIL: [EVIL, None, float("nan")]})
        )
        histogram.data_points.add(
            time_unix_nano=time,
            count=2**64 - 1,
            sum=float("nan"),
            explicit_bounds=[float("-inf"), float("inf")],
            bucket_counts=[1, 2**63, 1],
        )
        for value in (float("nan"), float("inf"), -1e308):
            gauge.data_points.add(
                time_unix_nano=time, as_double=value, attributes=key_values({EVIL: EVIL})
            )
    server.post("/v1/logs", logs.SerializeToString())
    server.post("/v1/metrics", metrics.SerializeToString())
    return trace


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("/?last=all", "Duration over time"),
        ("/map?last=all", "<img src=x"),
        ("/logs?last=all", "<img src=x"),
        ("/metrics?last=all", "<img src=x"),
        ("/ask?sql=select+*+from+spans", "<img src=x"),
        ("/storage", "spans"),
        ("/traces/{trace}?lines=1", "backwards"),
        ("/diff/{trace}/{trace}", "<img src=x"),
    ],
)
def test_malformed_telemetry_is_shown_as_text_in_every_view(
    server: ObservatoryServer, new_page: NewPage, path: str, text: str
) -> None:
    """No error, no injected markup, and the view still responds to the keyboard."""
    trace = send_malformed_telemetry(server)
    page = new_page(width=1280)
    page.goto(path.format(trace=trace.trace_id.hex()))
    expect(page.get_by_role("main")).to_contain_text(text, timeout=20_000)
    expect(page.get_by_role("alert")).to_have_count(0)
    assert_accessible(page)
    assert page.locator("main img").count() == 0
    assert "taken" not in page.title()
    page.keyboard.press("?")  # opens the help unless the page hangs
    expect(page.get_by_role("dialog")).to_be_visible(timeout=20_000)


@pytest.mark.parametrize("attributes", [1_000, pytest.param(10_000, marks=pytest.mark.long)])
def test_all_of_many_attributes_are_shown(
    server: ObservatoryServer, new_page: NewPage, attributes: int
) -> None:
    """The span's details have all of them, and the page still responds to the keyboard."""
    trace = Trace()
    span = trace.span("page", "much", INTERNAL, 0, 1)
    span.attributes.extend(key_values({f"key.{number}": number for number in range(attributes)}))
    server.send(trace)
    page = new_page()
    page.goto(f"/traces/{trace.trace_id.hex()}?span={span.span_id.hex()}")
    panel = page.get_by_role("complementary")
    expect(panel).to_contain_text(f"key.{attributes - 1}", timeout=20_000)
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible(timeout=20_000)
