"""Generate telemetry for tests: OTLP requests like those of a real purchase."""

import secrets
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue, KeyValueList
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from observatory.receive.spans import spans_of
from observatory.store.rows import Rows

MS = 1_000_000
INTERNAL, SERVER, CLIENT = Span.SPAN_KIND_INTERNAL, Span.SPAN_KIND_SERVER, Span.SPAN_KIND_CLIENT
PRODUCER, CONSUMER = Span.SPAN_KIND_PRODUCER, Span.SPAN_KIND_CONSUMER
ERROR = Status.STATUS_CODE_ERROR
# Services whose resource says that they are functions.
FUNCTIONS = frozenset({"reserve", "charge", "settle", "issue", "expire"})


@dataclass
class Trace:
    """A builder of a trace; times are in milliseconds after ``began_unix_nano``."""

    trace_id: bytes = field(default_factory=lambda: secrets.token_bytes(16))
    began_unix_nano: int = field(default_factory=time.time_ns)
    spans: list[tuple[str, Span]] = field(default_factory=list)
    logs: list[tuple[str, bytes, float, str, str]] = field(default_factory=list)

    def span(
        self,
        service: str,
        name: str,
        kind: Span.SpanKind.ValueType,
        begin_ms: float,
        end_ms: float,
        parent: Span | bytes | None = None,
        error: str | None = None,
        links: Iterable[Span] = (),
        **attributes: Any,
    ) -> Span:
        """Add a span; ``__`` in the name of an attribute becomes a dot."""
        parent_id = parent.span_id if isinstance(parent, Span) else parent or b""
        span = Span(
            trace_id=self.trace_id,
            span_id=secrets.token_bytes(8),
            parent_span_id=parent_id,
            name=name,
            kind=kind,
            start_time_unix_nano=self.began_unix_nano + round(begin_ms * MS),
            end_time_unix_nano=self.began_unix_nano + round(end_ms * MS),
            attributes=key_values({k.replace("__", "."): v for k, v in attributes.items()}),
            links=[Span.Link(trace_id=s.trace_id, span_id=s.span_id) for s in links],
        )
        if error is not None:
            span.status.CopyFrom(Status(code=ERROR, message=error))
        self.spans.append((service, span))
        return span

    def log(self, service: str, span: Span, at_ms: float, severity: str, body: str) -> None:
        """Add a log record to a span."""
        self.logs.append((service, span.span_id, at_ms, severity, body))

    def request(self, *only: str) -> ExportTraceServiceRequest:
        """Return the spans of the given services, by default of all, as one request."""
        request = ExportTraceServiceRequest()
        for service in dict.fromkeys(service for service, _ in self.spans):
            if only and service not in only:
                continue
            group = request.resource_spans.add()
            attributes = {"service.name": service, "service.version": "0.1.0"}
            if service in FUNCTIONS:
                attributes["faas.name"] = service
            group.resource.attributes.extend(key_values(attributes))
            scope = group.scope_spans.add()
            scope.scope.name = "throughline"
            scope.spans.extend(span for of, span in self.spans if of == service)
        return request

    def rows(self, *only: str) -> Rows:
        """Return the spans of the given services, by default of all, as rows of the store."""
        return spans_of(self.request(*only).SerializeToString()).rows

    def logs_request(self) -> ExportLogsServiceRequest:
        """Return the log records as one request."""
        request = ExportLogsServiceRequest()
        for service in dict.fromkeys(line[0] for line in self.logs):
            group = request.resource_logs.add()
            group.resource.attributes.extend(key_values({"service.name": service}))
            scope = group.scope_logs.add()
            for of, span_id, at_ms, severity, body in self.logs:
                if of == service:
                    record = scope.log_records.add(
                        trace_id=self.trace_id,
                        span_id=span_id,
                        time_unix_nano=self.began_unix_nano + round(at_ms * MS),
                        severity_text=severity,
                        severity_number={"INFO": 9, "WARN": 13, "ERROR": 17}[severity],
                    )
                    record.body.string_value = body
        return request


def key_values(attributes: Mapping[str, Any]) -> list[KeyValue]:
    """Convert a dictionary to OTLP attributes."""
    return [KeyValue(key=key, value=any_value(value)) for key, value in attributes.items()]


def any_value(value: Any) -> AnyValue:  # noqa: PLR0911  # one return a type
    """Convert a Python value to OTLP's ``AnyValue``."""
    if value is None:
        return AnyValue()
    if isinstance(value, bool):
        return AnyValue(bool_value=value)
    if isinstance(value, int):
        return AnyValue(int_value=value)
    if isinstance(value, float):
        return AnyValue(double_value=value)
    if isinstance(value, bytes):
        return AnyValue(bytes_value=value)
    if isinstance(value, list):
        return AnyValue(array_value=ArrayValue(values=[any_value(item) for item in value]))
    if isinstance(value, dict):
        return AnyValue(kvlist_value=KeyValueList(values=key_values(value)))
    return AnyValue(string_value=value)


def purchase(
    order_id: str,
    began_unix_nano: int | None = None,
    decline: bool = False,
    charge_status: int = 201,
) -> Trace:
    """Return the trace of one order: spans of the page, four functions and the acquirer.

    The times are fixed: reserve waits 180 ms, charge 60 ms and issue 90 ms. The acquirer responds
    to the charge with ``charge_status``. The real one responds with 202, after which its span may
    go on.
    """
    t = Trace() if began_unix_nano is None else Trace(began_unix_nano=began_unix_nano)
    order: dict[str, Any] = {"boxoffice__order__id": order_id}
    carried: dict[str, Any] = {"throughline__context": "carried"}
    document: dict[str, Any] = {"throughline__carrier": "document-field"}
    queued: dict[str, Any] = {
        "throughline__hop": "pubsub",
        "throughline__carrier": "message-attributes",
    }
    listened: dict[str, Any] = order | document | carried | {"throughline__hop": "listener"}

    def state(name: str) -> dict[str, Any]:
        return {"boxoffice__order__state": name}

    def firestore(service: str, call: str, start: float, end: float, parent: Span) -> Span:
        return t.span(
            service,
            f"/google.firestore.v1.Firestore/{call}",
            CLIENT,
            start,
            end,
            parent,
            rpc__system="grpc",
            rpc__method=call,
            rpc__grpc__status_code=0,
        )

    buy = t.span(
        "page",
        "buy",
        INTERNAL,
        0,
        150,
        throughline__root="page",
        boxoffice__show__id="night-ferry",
        boxoffice__order__seats=2,
        **order,
    )
    t.span(
        "page",
        "POST /tokens",
        CLIENT,
        8,
        52,
        buy,
        http__request__method="POST",
        http__response__status_code=201,
        server__address="127.0.0.1",
        server__port=4320,
    )
    create = t.span(
        "page",
        "create orders",
        PRODUCER,
        60,
        148,
        buy,
        throughline__hop="document",
        db__system__name="gcp.firestore",
        db__operation__name="create",
        **document,
        **order,
    )
    t.span("page", "order placed", CONSUMER, 156, 159, create, **listened, **state("placed"))

    reserve = t.span(
        "reserve",
        "reserve",
        CONSUMER,
        328,
        560,
        create,
        throughline__hop="trigger",
        faas__trigger="datasource",
        faas__coldstart=True,
        faas__name="reserve",
        faas__document__collection="orders",
        **document,
        **carried,
        **order,
        **state("reserved"),
    )
    firestore("reserve", "BeginTransaction", 340, 362, reserve)
    firestore("reserve", "BatchGetDocuments", 364, 401, reserve)
    commit = firestore("reserve", "Commit", 405, 470, reserve)
    send = t.span(
        "reserve",
        "send order-reserved",
        PRODUCER,
        476,
        540,
        reserve,
        messaging__system="gcp_pubsub",
        messaging__operation__type="send",
        messaging__destination__name="order-reserved",
    )
    t.log("reserve", reserve, 472, "INFO", f"held 2 seats of night-ferry for order {order_id}")
    t.span("page", "order reserved", CONSUMER, 498, 501, commit, **listened, **state("reserved"))

    charge = t.span(
        "charge",
        "charge",
        CONSUMER,
        600,
        868,
        send,
        **queued,
        **carried,
        **order,
        messaging__destination__name="order-reserved",
        **state("charging"),
    )
    commit = firestore("charge", "Commit", 612, 690, charge)
    t.span("page", "order charging", CONSUMER, 712, 715, commit, **listened, **state("charging"))
    post = t.span(
        "charge",
        "POST /charges",
        CLIENT,
        700,
        838,
        charge,
        throughline__hop="vendor",
        throughline__carrier="http-headers",
        http__request__method="POST",
        http__response__status_code=charge_status,
    )
    server = t.span(
        "acquirer",
        "POST /charges",
        SERVER,
        706,
        834,
        post,
        throughline__carrier="http-headers",
        http__request__method="POST",
        **carried,
    )
    network = t.span("acquirer", "card network", INTERNAL, 836, 1720, server)
    webhook = t.span(
        "acquirer",
        "POST",
        CLIENT,
        1724,
        1985,
        network,
        http__request__method="POST",
        http__response__status_code=200,
    )

    final = "declined" if decline else "paid"
    settle = t.span(
        "settle",
        "settle",
        SERVER,
        1740,
        1980,
        post,
        links=[webhook],
        throughline__hop="webhook",
        throughline__carrier="charge-metadata",
        http__request__method="POST",
        **carried,
        **order,
        **state(final),
        **({"boxoffice__order__reason": "card_declined"} if decline else {}),
    )
    commit = firestore("settle", "Commit", 1760, 1850, settle)
    t.span("page", f"order {final}", CONSUMER, 1874, 1878, commit, **listened, **state(final))
    t.log(
        "settle",
        settle,
        1852,
        "WARN" if decline else "INFO",
        f"order {order_id} is {final}: the signature fits",
    )
    if decline:
        return t
    send = t.span(
        "settle",
        "send order-paid",
        PRODUCER,
        1856,
        1960,
        settle,
        messaging__system="gcp_pubsub",
        messaging__destination__name="order-paid",
    )
    issue = t.span(
        "issue",
        "issue",
        CONSUMER,
        2050,
        2330,
        send,
        **queued,
        **carried,
        **order,
        **state("ticketed"),
    )
    commit = firestore("issue", "Commit", 2080, 2260, issue)
    t.log("issue", issue, 2264, "INFO", f"issued 2 tickets for order {order_id}")
    t.span("page", "order ticketed", CONSUMER, 2290, 2294, commit, **listened, **state("ticketed"))
    return t
