"""Tests of the figures that the benchmarks compute."""

from __future__ import annotations

import random
from typing import cast

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Status

from benchmarks import (
    bundle,
    coldstart,
    explorer,
    facts,
    observatory,
    otlp_traces,
    overhead,
    relay,
    scrolling,
)
from benchmarks.load_process import Sent
from benchmarks.ratio import p95, paired_ratios, ratios
from observatory.schemas.journey import Journey


def chunk(
    file: str,
    *imports: str,
    size: int = 100,
    tracing: int = 0,
    facade: str = "",
    entry: bool = False,
) -> bundle.Chunk:
    """Return a chunk of a build."""
    return {
        "file": file,
        "is_entry": entry,
        "facade": facade,
        "imports": [*imports],
        "gzip_bytes": size,
        "tracing_gzip_bytes": tracing,
    }


def test_ratios_are_of_medians_and_of_95th_percentiles() -> None:
    """Outliers affect only the second."""
    assert ratios([2.0] * 20, [1.0] * 20) == {"median_ratio": 2.0, "p95_ratio": 2.0}
    summary = ratios([*[1.0] * 18, 3.0, 3.0], [1.0] * 20)
    assert summary["median_ratio"] == 1.0
    assert summary["p95_ratio"] == pytest.approx(3.0)
    assert p95([4.0]) == 4.0


def test_the_interval_of_paired_ratios_contains_what_the_pairs_agree_on() -> None:
    """It is narrow if the pairs agree and wide if they do not; drift between pairs cancels."""
    drifting = [(1.1 * level, level) for level in range(1, 41)]
    assert paired_ratios(drifting) == {
        "n": 40,
        "median_ratio": 1.1,
        "median_ratio_low": 1.1,
        "median_ratio_high": 1.1,
    }
    noise = random.Random(7)  # noqa: S311
    found = paired_ratios([(noise.uniform(0.8, 1.3), 1.0) for _ in range(40)])
    assert (
        0.9 < found["median_ratio_low"] < found["median_ratio"] < found["median_ratio_high"] < 1.2
    )


def test_overhead_pairs_the_orders_of_neighbouring_phases() -> None:
    """An order that failed leaves its pair out; processor time is what tracing adds per order."""
    found = overhead.summary(
        [
            overhead.Phase("with", [2.0, 4.0], {"observatory": 1.0}),
            overhead.Phase("without", [1.0, None], {"observatory": 0.5}),
            overhead.Phase("without", [10.0, 10.0], {"observatory": 0.5}),
            overhead.Phase("with", [20.0, 30.0], {"observatory": 1.0}),
        ]
    )
    assert (found["n"], found["median_ratio"]) == (3, 2.0)
    assert (found["with_tracing_s"], found["without_s"]) == (20.0, 10.0)
    assert found["observatory_added_cpu_ms"] == 250


def test_tracing_counts_its_own_chunks_and_its_code_in_shared_chunks() -> None:
    """Other code in shared chunks does not count."""
    summary = bundle.summary(
        [
            chunk("index", "shared", size=500, tracing=20, entry=True),
            chunk("shared", size=300, tracing=3),
            chunk("tracing", "index", "otel", size=100, tracing=95, facade=f"/x{bundle.TRACING}"),
            chunk("otel", size=70, tracing=70),
            chunk("backend", "index", size=1000, tracing=4),
        ]
    )
    assert summary["tracing_gzip_bytes"] == 100 + 70 + 20 + 3 + 4
    assert summary["of_it_before_first_paint_bytes"] == 20 + 3
    assert summary["page_gzip_bytes"] == 1970
    assert not summary["blocks_first_paint"]


def test_tracing_in_the_pages_own_chunk_blocks_its_first_paint() -> None:
    """This happens if the import of the tracing code becomes a static one."""
    summary = bundle.summary([chunk("index", size=500, tracing=90, entry=True)])
    assert summary["tracing_gzip_bytes"] == summary["of_it_before_first_paint_bytes"] == 90
    assert summary["blocks_first_paint"]


def test_a_cold_start_is_compared_with_the_same_functions_without_throughline() -> None:
    """The reference is the README's main.py minus the lines that mention throughline."""
    traced, untraced = coldstart._main_py(), coldstart._without_throughline()
    assert "@throughline.on_message" in traced
    assert "throughline" not in untraced
    assert f"def {coldstart.TARGET}(" in untraced


def sent(spans: int, seconds: float, refused: int = 0) -> Sent:
    """Return the result of one round of the senders."""
    return {
        "spans": spans,
        "seconds": seconds,
        "throttled": 0,
        "refused": refused,
        "last_trace_id": "ab" * 16,
    }


def test_the_observatorys_rate_is_the_median_of_its_rounds() -> None:
    """Spans are lost if they were acknowledged and are not stored."""
    rounds = [sent(100, 1.0), sent(100, 2.0), sent(100, 4.0, refused=1)]
    summary = observatory.summary(rounds, 299, [0.1, 0.3, 0.2], {"rss_mb": 7})
    assert (summary["spans_per_s"], summary["spans_per_s_min"]) == (50, 25)
    assert (summary["spans_stored"], summary["lost"], summary["refused_requests"]) == (299, 1, 1)
    assert (summary["searchable_s_max"], summary["rss_mb"]) == (0.3, 7)


def test_a_reference_that_could_not_be_measured_has_a_reason_and_no_ratio() -> None:
    references = {"rotel_blackhole_spans_per_s": 400, "phoenix_missing": "it did not start"}
    assert observatory.compared(100, references) == {
        **references,
        "observatory_to_rotel_blackhole_ratio": 0.25,
    }


def test_the_generated_spans_have_the_documented_sizes() -> None:
    """512 per request, eight attributes each, about ten per trace, all different; some fail."""
    traces = otlp_traces.Traces(random.Random(7))  # noqa: S311
    requests = [ExportTraceServiceRequest.FromString(traces.request(512)) for _ in range(4)]
    spans = [
        span
        for request in requests
        for group in request.resource_spans
        for scope in group.scope_spans
        for span in scope.spans
    ]
    assert len(spans) == 4 * 512
    assert {len(span.attributes) for span in spans} == {otlp_traces.ATTRIBUTES}
    assert len({(span.trace_id, span.span_id) for span in spans}) == len(spans)
    assert 8 <= len(spans) / len({span.trace_id for span in spans}) <= 12
    assert 0 < sum(span.status.code == Status.STATUS_CODE_ERROR for span in spans) < 100
    assert traces.last_trace_id in {span.trace_id.hex() for span in spans}


def test_frames_are_compared_with_those_of_an_empty_page() -> None:
    """The figures are in milliseconds, with the number of visible hitches."""
    summary = scrolling.summary([16.7] * 18 + [33.4, 60.0], [16.7] * 20)
    assert (summary["frames"], summary["frame_median_ms"]) == (20, 16.7)
    assert summary["frame_max_ms"] == 60.0
    assert (summary["frames_over_50_ms"], summary["empty_page_frames_over_50_ms"]) == (1, 0)
    assert summary["median_ratio"] == 1.0


def test_the_first_paint_is_compared_with_a_plain_page_and_checked_against_limits() -> None:
    """The limit of the code's size is for all scripts, not only those of the overview."""
    opened = [
        {"overview_ms": 300.0, "plain_ms": 100.0, "listed_ms": 350.0, "scripts": ["index.js"]}
    ] * 3
    sizes = {"index.js": 40_000, "map.js": 30_000}
    summary = explorer.summary(opened, sizes)
    assert (summary["first_paint_median_ms"], summary["median_ratio"]) == (300, 3.0)
    assert summary["javascript_gzip_bytes"] == 70_000
    assert summary["of_it_for_the_overview_bytes"] == 40_000
    assert summary["within_limits"]
    assert not explorer.summary(opened, sizes | {"ask.js": 200_000})["within_limits"]
    slow = [opened[0] | {"overview_ms": 1_200.0}]
    assert not explorer.summary(slow, sizes)["within_limits"]


def test_the_trace_that_is_scrolled_is_the_same_each_time() -> None:
    """It has the requested number of spans, all with a parent except the first."""
    document = scrolling.large_trace(10**18, spans=400)
    assert document == scrolling.large_trace(10**18, spans=400)
    spans = [
        span
        for group in document["resourceSpans"]
        for scope in group["scopeSpans"]
        for span in scope["spans"]
    ]
    assert len({span["spanId"] for span in spans}) == 400
    assert sum("parentSpanId" not in span for span in spans) == 1


def test_the_size_of_a_fact_is_that_of_its_encoding() -> None:
    """Two bytes for each message, and for each string: KeyValue, key, AnyValue, value."""
    assert facts.size("seats", 2) == 2 + 2 + len("seats") + 2 + 2
    assert facts.size("currency", "EUR") == 2 + 2 + len("currency") + 2 + 2 + len("EUR")
    assert facts.size("available", True) == 2 + 2 + len("available") + 2 + 2
    assert facts.size("age", 0.5) == 2 + 2 + len("age") + 2 + 1 + 8
    assert facts.size("ids", ["a"]) == 2 + 2 + len("ids") + 2 + 2 + 2 + 2 + 1


def test_only_facts_are_counted_per_order_and_per_span() -> None:
    """Attributes of the hop and of the platform are no facts."""
    seats = {"boxoffice.order.seats": 2, "db.query.summary": "get orders/{id}", "faas.name": "x"}
    rows = [{"attributes": seats}, {"attributes": {"throughline.hop": "pubsub"}}]
    journey = cast("Journey", {"rows": rows})
    bytes_of_seats = facts.size("boxoffice.order.seats", 2)
    bytes_of_summary = facts.size("db.query.summary", "get orders/{id}")
    assert facts.figures([journey, journey]) == {
        "n": 2,
        "spans_per_order": 2.0,
        "bytes_per_order": bytes_of_seats + bytes_of_summary,
        "bytes_per_span_median": (bytes_of_seats + bytes_of_summary) / 2,
        "bytes_per_span_p95": bytes_of_seats + bytes_of_summary,
        "bytes_per_span_max": bytes_of_seats + bytes_of_summary,
        "boxoffice.order.seats": bytes_of_seats,
        "db.query.summary": bytes_of_summary,
    }


def test_the_relays_rate_and_latency_are_of_answered_requests() -> None:
    """A request that failed quickly must not improve them."""
    answers = [relay.Answer(200, 100.0)] * 19 + [relay.Answer(200, 300.0)]
    answers += [relay.Answer(status, 1.0) for status in (0, 429, 503)]
    figures = relay.summary(answers, 0.2)
    assert (figures["n"], figures["failed"], figures["requests_per_s"]) == (23, 3, 100.0)
    assert figures["p50_ms"] == 100.0
    assert 100.0 < figures["p95_ms"] <= 300.0
    assert relay.summary([relay.Answer(0, 1.0)], 1.0)["p50_ms"] is None
