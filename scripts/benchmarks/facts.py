"""Measures how many bytes the facts on spans add to an order, attribute by attribute.

A fact is an attribute that says what was requested, decided or found. Its size is that of OTLP's
protobuf encoding, which every exporter sends before compression.
"""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Sequence
from typing import Any

from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from benchmarks.ratio import p95
from observatory.schemas.journey import Journey
from stack import paths
from stack.clients.browser_purchase import buy_and_trace
from stack.local import running
from stack.local.addresses import free_addresses

FOLDER = paths.MADE / "bench"
PREFIXES = ("boxoffice.", "throughline.listener.")
# From baggage, on every span of a trace: they say what a span is about, not what happened.
IDS = frozenset({"boxoffice.order.id", "boxoffice.show.id"})
CONVENTIONS = frozenset(
    {
        "db.collection.name",
        "db.operation.batch.size",
        "db.query.parameter.limit",
        "db.query.summary",
        "db.response.returned_rows",
    }
)


def measure(runs: int) -> dict[str, Any]:
    """Buy `runs` tickets in sequence, and return the bytes of each fact per order."""
    addresses = free_addresses()
    with running.stack(addresses, FOLDER):
        return figures([buy_and_trace(addresses)[1] for _ in range(runs)])


def figures(journeys: Sequence[Journey]) -> dict[str, Any]:
    """Return the facts' bytes per order by attribute, and per span, of the traces of orders."""
    by_name: Counter[str] = Counter()
    by_span: list[int] = []
    for journey in journeys:
        for row in journey["rows"]:
            sizes = {
                name: size(name, value)
                for name, value in row["attributes"].items()
                if is_fact(name)
            }
            by_name.update(sizes)
            by_span.append(sum(sizes.values()))
    orders = len(journeys)
    return {
        "n": orders,
        "spans_per_order": round(len(by_span) / orders, 1),
        "bytes_per_order": round(sum(by_span) / orders),
        "bytes_per_span_median": statistics.median(by_span),
        "bytes_per_span_p95": round(p95(by_span)),
        "bytes_per_span_max": max(by_span),
        **{name: round(total / orders, 1) for name, total in by_name.most_common()},
    }


def is_fact(name: str) -> bool:
    """Return whether an attribute is a fact."""
    return name in CONVENTIONS or (name.startswith(PREFIXES) and name not in IDS)


def size(name: str, value: object) -> int:
    """Return the bytes that an attribute adds to a span in OTLP's protobuf encoding."""
    return Span(attributes=[KeyValue(key=name, value=_any_value(value))]).ByteSize()


def _any_value(value: object) -> AnyValue:
    match value:
        case bool():
            return AnyValue(bool_value=value)
        case int():
            return AnyValue(int_value=value)
        case float():
            return AnyValue(double_value=value)
        case list():
            return AnyValue(array_value=ArrayValue(values=[_any_value(each) for each in value]))
        case _:
            return AnyValue(string_value=str(value))
