"""What no well-behaved program sends, in every view of the explorer, in a real browser."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from playwright.sync_api import Page, expect

from tests.journey.observatory_server import OwnObservatory, accessible
from tests.journey.purchases import purchase
from tests.unit.observatory.telemetry import INTERNAL, SERVER, Trace, any_value, key_values

NewPage = Callable[..., Page]

EVIL = "<img src=x onerror=\"document.title='taken'\"><b>bold</b>"
TIMES = (1, 4_102_444_800 * 10**9, 2**63, 2**64 - 1)
ATTRIBUTES = 10_000


def odd_trace() -> Trace:
    """Times of 1970, of 2100 and of no calendar, ends before beginnings, parents in a circle and
    parents that never come, markup for a name."""
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


def send_everything_odd(running: OwnObservatory) -> Trace:
    """That trace, twice the same span, log lines and metrics of the same kind."""
    trace = odd_trace()
    running.send(trace, purchase())
    running.send(trace)
    logs, metrics = ExportLogsServiceRequest(), ExportMetricsServiceRequest()
    records = logs.resource_logs.add().scope_logs.add().log_records
    added = metrics.resource_metrics.add().scope_metrics.add().metrics
    gauge = added.add(name=EVIL, unit=EVIL, description=EVIL).gauge
    took = added.add(name="took").histogram
    for time in TIMES:
        records.add(time_unix_nano=time, severity_number=99, severity_text=EVIL).body.CopyFrom(
            any_value({EVIL: [EVIL, None, float("nan")]})
        )
        took.data_points.add(
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
    running.post("/v1/logs", logs.SerializeToString())
    running.post("/v1/metrics", metrics.SerializeToString())
    return trace


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("/?last=all", "Duration over time"),
        ("/map?last=all", "<img src=x"),
        ("/logs?last=all", "<img src=x"),
        ("/metrics?last=all", "<img src=x"),
        ("/ask?sql=select+*+from+spans", "<img src=x"),
        ("/storage", "spans"),
        ("/traces/{odd}?lines=1", "backwards"),
        ("/diff/{odd}/{odd}", "<img src=x"),
    ],
)
def test_odd_telemetry_is_shown_as_text_and_no_view_sticks(
    running: OwnObservatory, new_page: NewPage, address: str, shown: str
) -> None:
    """Each view has something to show, obeys, and has no markup that isn't its own."""
    trace = send_everything_odd(running)
    page = new_page(width=1280)
    page.goto(address.format(odd=trace.trace_id.hex()))
    expect(page.get_by_role("main")).to_contain_text(shown, timeout=20_000)
    expect(page.get_by_role("alert")).to_have_count(0)
    accessible(page)
    assert page.locator("main img").count() == 0
    assert "taken" not in page.title()
    page.keyboard.press("?")  # a page that is stuck has no help
    expect(page.get_by_role("dialog")).to_be_visible(timeout=20_000)


def test_ten_thousand_attributes_are_shown(running: OwnObservatory, new_page: NewPage) -> None:
    """The span's panel has all of them, and the page goes on obeying."""
    trace = Trace()
    span = trace.span("page", "much", INTERNAL, 0, 1)
    span.attributes.extend(key_values({f"key.{number}": number for number in range(ATTRIBUTES)}))
    running.send(trace)
    page = new_page()
    page.goto(f"/traces/{trace.trace_id.hex()}?span={span.span_id.hex()}")
    panel = page.get_by_role("complementary")
    expect(panel).to_contain_text(f"key.{ATTRIBUTES - 1}", timeout=20_000)
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible(timeout=20_000)
