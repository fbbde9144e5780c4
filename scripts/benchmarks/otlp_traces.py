"""Generates traces like those of a shop: about ten spans each, with eight attributes.

Some attributes have few values, one has a different value for each order, one for each span. The
traces start within one hour; durations vary over three powers of ten. One show in one region is
slow and fails more often, so that a comparison finds a difference.
"""

from __future__ import annotations

import random
import time
from collections import defaultdict

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from benchmarks.shows import REGIONS, SHOWS

HOUR_NS = 3600 * 10**9
MS = 10**6
ATTRIBUTES = 8

SLOW = ("night-ferry", "asia-east1")
# The spans of a purchase in order: service, name, kind, hop.
STEPS = (
    ("page", "buy", Span.SPAN_KIND_INTERNAL, "page"),
    ("page", "create orders", Span.SPAN_KIND_PRODUCER, "document"),
    ("reserve", "reserve", Span.SPAN_KIND_CONSUMER, "trigger"),
    ("reserve", "/google.firestore.v1.Firestore/Commit", Span.SPAN_KIND_CLIENT, "firestore"),
    ("reserve", "send order-reserved", Span.SPAN_KIND_PRODUCER, "pubsub"),
    ("charge", "charge", Span.SPAN_KIND_CONSUMER, "pubsub"),
    ("charge", "POST /charges", Span.SPAN_KIND_CLIENT, "vendor"),
    ("acquirer", "POST /charges", Span.SPAN_KIND_SERVER, "vendor"),
    ("settle", "settle", Span.SPAN_KIND_SERVER, "webhook"),
    ("settle", "/google.firestore.v1.Firestore/Commit", Span.SPAN_KIND_CLIENT, "firestore"),
    ("issue", "issue", Span.SPAN_KIND_CONSUMER, "pubsub"),
    ("page", "order ticketed", Span.SPAN_KIND_CONSUMER, "listener"),
)
LEAST_STEPS = 8


class Traces:
    """Generates traces, the same ones for the same ``chance``."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._queued: list[tuple[str, Span]] = []
        self._until = time.time_ns()
        self.last_trace_id = ""

    def request(self, spans: int) -> bytes:
        """Return the next spans as the body of an export, grouped by service as by a collector."""
        while len(self._queued) < spans:
            self._queued += self._trace()
        sent, self._queued = self._queued[:spans], self._queued[spans:]
        self.last_trace_id = sent[-1][1].trace_id.hex()
        by_service: defaultdict[str, list[Span]] = defaultdict(list)
        for service, span in sent:
            by_service[service].append(span)
        request = ExportTraceServiceRequest()
        for service, of_service in by_service.items():
            group = request.resource_spans.add()
            _text(group.resource.attributes.add(), "service.name", service)
            _text(group.resource.attributes.add(), "service.version", "0.1.0")
            scope = group.scope_spans.add()
            scope.scope.name = "throughline"
            scope.spans.extend(of_service)
        return bytes(request.SerializeToString())

    def _trace(self) -> list[tuple[str, Span]]:
        chance = self._chance
        trace_id, order = chance.randbytes(16), chance.randbytes(8).hex()
        show, region = chance.choice(SHOWS), chance.choice(REGIONS)
        tier, customer = chance.choice(("guest", "member")), f"customer-{chance.randrange(20_000)}"
        slow = (show, region) == SLOW
        fails = chance.random() < (0.2 if slow else 0.02)
        at = self._until - chance.randrange(HOUR_NS)
        steps = STEPS[: chance.randint(LEAST_STEPS, len(STEPS))]
        spans: list[tuple[str, Span]] = []
        parent = b""
        for service, name, kind, hop in steps:
            took = round(chance.lognormvariate(2.5, 1.0) * MS * (6 if slow else 1))
            span = Span(
                trace_id=trace_id,
                span_id=chance.randbytes(8),
                parent_span_id=parent,
                name=name,
                kind=kind,
                start_time_unix_nano=at,
                end_time_unix_nano=at + took,
            )
            add = span.attributes.add
            _text(add(), "throughline.hop", hop)
            _text(add(), "boxoffice.order.id", order)
            _text(add(), "boxoffice.show.id", show)
            _text(add(), "cloud.region", region)
            _text(add(), "customer.tier", tier)
            _text(add(), "customer.id", customer)
            _text(add(), "messaging.message.id", chance.randbytes(8).hex())
            size = add()
            size.key, size.value.int_value = "http.request.body.size", chance.randrange(4_000)
            if fails and name == "charge":
                span.status.CopyFrom(Status(code=Status.STATUS_CODE_ERROR, message="card declined"))
            spans.append((service, span))
            parent = span.span_id
            at += took // 3
        return spans


def _text(attribute: KeyValue, key: str, value: str) -> None:
    attribute.key = key
    attribute.value.string_value = value
