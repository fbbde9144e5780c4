"""Sent more than it can write: senders are told to come back, and they do."""

from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import requests
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExportResult

from tests.unit.observatory.conftest import Running

MB = 10**6


def test_a_real_exporter_comes_back_and_nothing_is_lost(start: Callable[..., Running]) -> None:
    """OpenTelemetry's own, told 503 with Retry-After, sends the same once more."""
    running = start(budget_bytes=MB)
    others = ExitStack()  # who take all the room, until somebody is sent away
    others.enter_context(running.context.budget.share()).take(MB)
    statuses: list[int] = []

    def answered(answer: requests.Response, *_: Any, **__: Any) -> None:
        statuses.append(answer.status_code)
        if answer.status_code == 503:
            others.close()

    session = requests.Session()
    session.trust_env = False
    session.hooks["response"].append(answered)
    results: list[SpanExportResult] = []

    class Noting(OTLPSpanExporter):
        def export(self, *spans: Any, **more: Any) -> SpanExportResult:
            results.append(super().export(*spans, **more))
            return results[-1]

    exporter = Noting(f"{running.url}/v1/traces", session=session, timeout=30)
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    provider.get_tracer("test").start_span("buy").end()
    provider.shutdown()
    assert statuses == [503, 200]
    assert results == [SpanExportResult.SUCCESS]
    assert running.client.health()["spans"] == 1
