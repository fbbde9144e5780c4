"""The explorer's metrics view in a browser."""

from __future__ import annotations

import time
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.metrics.v1.metrics_pb2 import AggregationTemporality
from playwright.sync_api import Page, expect

from tests.journey.observatory_server import ObservatoryServer, assert_accessible
from tests.unit.observatory.telemetry import MS, key_values

NewPage = Callable[..., Page]

CUMULATIVE = AggregationTemporality.AGGREGATION_TEMPORALITY_CUMULATIVE
POINTS = 30
STEP_MS = 10_000
HOSTILE = '<img src=x onerror="document.title=1">' + "x" * 200


def send_metrics(server: ObservatoryServer) -> None:
    """Send a gauge, a cumulative sum of two series and a histogram over the last five minutes."""
    began = time.time_ns() - (POINTS + 1) * STEP_MS * MS
    request = ExportMetricsServiceRequest()
    group = request.resource_metrics.add()
    group.resource.attributes.extend(key_values({"service.name": "charge"}))
    metrics = group.scope_metrics.add().metrics
    memory = metrics.add(name="faas.mem_usage", unit="By", description=HOSTILE)
    calls = metrics.add(name="faas.invocations", unit="{invocation}")
    calls.sum.is_monotonic, calls.sum.aggregation_temporality = True, CUMULATIVE
    durations = metrics.add(name="http.server.request.duration", unit="s")
    durations.histogram.aggregation_temporality = CUMULATIVE
    for number in range(1, POINTS + 1):
        times = {"time_unix_nano": began + number * STEP_MS * MS, "start_time_unix_nano": began}
        memory.gauge.data_points.add(as_int=80_000_000, **times)
        for trigger, per_step in (("pubsub", 20), ("task", 5)):
            calls.sum.data_points.add(
                as_int=per_step * number, attributes=key_values({"faas.trigger": trigger}), **times
            )
        durations.histogram.data_points.add(
            count=100 * number,
            sum=4.0 * number,
            explicit_bounds=[0.01, 0.1, 1],
            bucket_counts=[0, 100 * number, 0, 0],
            **times,
        )
    server.post("/v1/metrics", request.SerializeToString())


def wait_until_drawn(page: Page) -> None:
    """Wait until the chart's canvas has more than 1,000 painted pixels: lines, not only axes."""
    page.wait_for_function(
        "minimum => [...document.querySelectorAll('.chart canvas')].some(c =>"
        " c.getContext('2d').getImageData(0, 0, c.width, c.height).data"
        ".filter((value, index) => index % 4 === 3 && value > 0).length > minimum)",
        arg=1_000,
    )


def test_a_cumulative_sum_is_shown_as_a_rate(server: ObservatoryServer, new_page: NewPage) -> None:
    """An increase of 20 in 10 s is 2/s, with a line per series; a note says that it is a rate."""
    send_metrics(server)
    page = new_page()
    page.goto("/metrics")
    page.get_by_role("link", name="faas.invocations").click()
    lines = page.locator(".metric-lines li")
    expect(lines.nth(0)).to_have_text("pubsub2/s")
    expect(lines.nth(1)).to_have_text("task0.5/s")
    expect(page.get_by_text("growth of this sum per second")).to_be_visible()
    wait_until_drawn(page)
    assert parse_qs(urlsplit(page.url).query) == {
        "name": ["faas.invocations"],
        "service": ["charge"],
    }
    assert_accessible(page)


def test_a_histogram_is_shown_as_quantiles(server: ObservatoryServer, new_page: NewPage) -> None:
    """The chart shows p50 and p95, with a note that they are estimates."""
    send_metrics(server)
    page = new_page()
    page.goto("/metrics?name=http.server.request.duration&service=charge")
    lines = page.locator(".metric-lines li")
    expect(lines).to_have_count(2)
    expect(lines.nth(0)).to_contain_text("p50")
    expect(lines.nth(1)).to_contain_text("ms")
    expect(
        page.get_by_text("Quantiles are estimated from the histogram's buckets.")
    ).to_be_visible()


def test_the_table_has_a_row_for_each_point(server: ObservatoryServer, new_page: NewPage) -> None:
    """The newest first; a description with markup is shown as text."""
    send_metrics(server)
    page = new_page(width=360, height=780)
    page.goto("/metrics?name=faas.mem_usage&service=charge")
    page.get_by_role("link", name="Table").click()
    expect(page.locator(".metric-table tbody tr")).to_have_count(POINTS)
    expect(page.locator(".metric-table tbody td").first).to_have_text("80 MB")
    expect(page.get_by_text(HOSTILE)).to_be_visible()
    expect(page.locator("main img")).to_have_count(0)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert_accessible(page)


def test_a_time_range_without_points_has_a_message(
    server: ObservatoryServer, new_page: NewPage
) -> None:
    """The message replaces the empty chart."""
    send_metrics(server)
    page = new_page()
    page.goto("/metrics?from=1000&to=2000")
    expect(page.get_by_text("No points in this time range.")).to_be_visible()


def test_the_empty_state_says_how_to_send_metrics(
    server: ObservatoryServer, new_page: NewPage
) -> None:
    """It has this Observatory's address, and gives way to the first metrics without a reload."""
    page = new_page(width=360, height=780)
    page.goto("/metrics")
    expect(page.get_by_text(f"OTEL_EXPORTER_OTLP_ENDPOINT={server.url}")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert_accessible(page)
    send_metrics(server)
    expect(page.get_by_role("link", name="faas.invocations")).to_be_visible()
