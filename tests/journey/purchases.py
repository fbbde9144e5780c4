"""Traces of purchases as the Box Office records them, with the anomalies a test asks for."""

from __future__ import annotations

import random
import secrets
import time
from typing import Any

from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.unit.observatory.telemetry import CLIENT, CONSUMER, INTERNAL, MS, PRODUCER, SERVER, Trace

FIRESTORE = "/google.firestore.v1.Firestore"
RULES_EXCERPT = "  84    allow read: if ok();\n> 85    allow create: if ok()"


class _FunctionFailedError(Exception):
    """Raised when the failing function ends: the order goes no further."""


class _PurchaseTrace:
    """Builds the trace of one order, one method per stage of its life.

    `clock_ms` is the time of the next span, in ms after the click. Methods that take a `parent`
    return the span that the next stage continues from.
    """

    def __init__(
        self,
        order_id: str,
        show: str,
        began_unix_nano: int,
        failing: str | None,
        orphaned: str | None,
    ) -> None:
        self.trace = Trace(began_unix_nano=began_unix_nano)
        self.clock_ms = 0.0
        self._order_attributes = {"boxoffice.order.id": order_id, "boxoffice.show.id": show}
        self._failing = failing
        self._orphaned = orphaned

    def place(self, seats: int, browser: str) -> Span:
        """Add the click, the page's write and the rules' decision; return the write."""
        buy = self._span(
            "page",
            "buy",
            INTERNAL,
            120,
            throughline__root="page",
            boxoffice__order__seats=seats,
            user_agent__name=browser,
        )
        self.clock_ms = 8
        write = self._span(
            "page",
            "create orders",
            PRODUCER,
            100,
            buy,
            throughline__hop="document",
            throughline__carrier="document-field",
            db__system__name="gcp.firestore",
        )
        self.clock_ms = 40
        self._span(
            "firestore.rules",
            "create orders allowed",
            INTERNAL,
            1,
            write,
            throughline__hop="rules",
            throughline__carrier="document-field",
            throughline__context="carried",
            throughline__rules__outcome="allow",
            throughline__rules__lines=[85],
            throughline__rules__excerpt=RULES_EXCERPT,
            code__file__path="rules/firestore.rules",
            code__line__number=85,
        )
        self.clock_ms = 108
        return write

    def reserve(self, parent: Span, show: str, seats: int) -> Span:
        """Add the reservation; return the sending of its message."""
        reserve = self._function(
            "reserve",
            "trigger",
            "document-field",
            parent,
            faas__trigger="datasource",
            boxoffice__order__state="reserved",
        )
        for call in ("BeginTransaction", "BatchGetDocuments", "Commit"):
            self._firestore_call("reserve", call, 12, reserve)
        self._log(reserve, "INFO", f"held {seats} seats of {show}")
        message = self._message("reserve", "order-reserved", reserve)
        self._end(reserve)
        return message

    def charge(self, parent: Span, attempts: int) -> tuple[Span, Span]:
        """Add the charge; return its call of the card processor and the processor's own span."""
        charge = self._function(
            "charge",
            "pubsub",
            "message-attributes",
            parent,
            messaging__destination__name="order-reserved",
            throughline__delivery__attempt=attempts,
            boxoffice__order__state="charging",
        )
        self._firestore_call("charge", "Commit", 14, charge)
        call = self._span(
            "charge",
            "POST /charges",
            CLIENT,
            16,
            charge,
            throughline__hop="vendor",
            throughline__carrier="http-headers",
            http__request__method="POST",
            http__response__status_code=202,
        )
        self.clock_ms += 4
        processor = self._span(
            "acquirer",
            "POST /charges",
            SERVER,
            8,
            call,
            throughline__carrier="http-headers",
            throughline__context="carried",
            http__request__method="POST",
            http__response__status_code=202,
        )
        self.clock_ms += 12
        self._end(charge)
        return call, processor

    def call_webhook(self, parent: Span, network_ms: float) -> Span:
        """Add the card network's answer; return the processor's call of the webhook."""
        self._span("acquirer", "card network", INTERNAL, network_ms, parent)
        self.clock_ms += network_ms
        webhook = self._span(
            "acquirer", "POST /settle", CLIENT, 44, parent, http__request__method="POST"
        )
        self.clock_ms += 6
        return webhook

    def settle(self, parent: Span, webhook: Span, declined: bool) -> Span | None:
        """Add the settlement; return the sending of its message, None for a declined card."""
        state = "declined" if declined else "paid"
        settle = self._function(
            "settle",
            "webhook",
            "charge-metadata",
            parent,
            link=webhook,
            boxoffice__order__state=state,
        )
        self._firestore_call("settle", "Commit", 16, settle)
        self._log(settle, "WARN" if declined else "INFO", f"the order is {state}")
        message = None if declined else self._message("settle", "order-paid", settle)
        self._end(settle)
        return message

    def issue(self, parent: Span, seats: int) -> None:
        """Add the issue of the tickets."""
        issue = self._function(
            "issue",
            "pubsub",
            "message-attributes",
            parent,
            messaging__destination__name="order-paid",
            boxoffice__order__state="ticketed",
        )
        self._firestore_call("issue", "Commit", 20, issue)
        self._log(issue, "INFO", f"issued {seats} tickets")
        self._end(issue)

    def _span(
        self,
        service: str,
        name: str,
        kind: Span.SpanKind.ValueType,
        duration_ms: float,
        parent: Span | None = None,
        **attributes: Any,
    ) -> Span:
        """Add a span that begins now, without advancing the clock."""
        span = self.trace.span(
            service, name, kind, self.clock_ms, self.clock_ms + duration_ms, parent, **attributes
        )
        for key, value in self._order_attributes.items():
            span.attributes.add(key=key).value.string_value = value
        return span

    def _function(
        self,
        service: str,
        hop: str,
        carrier: str,
        parent: Span,
        link: Span | None = None,
        **attributes: Any,
    ) -> Span:
        """Add a function's own span, which `_end` ends.

        Raises:
            _FunctionFailedError: if this is the function that fails; its span is complete then.
        """
        if service == self._orphaned:
            parent = Span(span_id=secrets.token_bytes(8))
        span = self._span(
            service,
            service,
            SERVER if hop == "webhook" else CONSUMER,
            0,
            parent,
            faas__name=service,
            faas__coldstart=False,
            throughline__hop=hop,
            throughline__carrier=carrier,
            throughline__context="carried",
            code__function__name=f"boxoffice.{service}.{service}",
            code__file__path=f"functions/boxoffice/{service}.py",
            code__line__number=18,
            **attributes,
        )
        if link is not None:
            span.links.add(trace_id=self.trace.trace_id, span_id=link.span_id)
        if service == self._failing:
            self._fail(span)
        return span

    def _fail(self, span: Span) -> None:
        """End a function's span with an exception, 9 ms after it began."""
        self.clock_ms += 9
        self._end(span)
        span.status.code = span.status.STATUS_CODE_ERROR
        span.status.message = "DeadlineExceeded: 504"
        event = span.events.add(name="exception", time_unix_nano=span.end_time_unix_nano)
        for key, value in (
            ("exception.type", "google.api_core.exceptions.DeadlineExceeded"),
            ("exception.message", "504 Deadline Exceeded"),
        ):
            event.attributes.add(key=key).value.string_value = value
        self._log(span, "ERROR", "504 Deadline Exceeded")
        raise _FunctionFailedError

    def _firestore_call(self, service: str, method: str, duration_ms: float, parent: Span) -> None:
        """Add a call of Firestore and advance the clock to its end."""
        self._span(
            service,
            f"{FIRESTORE}/{method}",
            CLIENT,
            duration_ms,
            parent,
            rpc__system="grpc",
            rpc__service="google.firestore.v1.Firestore",
            rpc__method=method,
            rpc__grpc__status_code=0,
            db__system__name="gcp.firestore",
        )
        self.clock_ms += duration_ms

    def _message(self, service: str, topic: str, parent: Span) -> Span:
        """Add the sending of a Pub/Sub message and advance the clock to its end."""
        span = self._span(
            service,
            f"send {topic}",
            PRODUCER,
            18,
            parent,
            messaging__system="gcp_pubsub",
            messaging__operation__type="send",
            messaging__destination__name=topic,
        )
        self.clock_ms += 18
        return span

    def _log(self, span: Span, severity: str, body: str) -> None:
        """Add a log line to a function's span, now."""
        self.trace.log(span.name, span, self.clock_ms, severity, body)

    def _end(self, span: Span) -> None:
        """End a span now."""
        span.end_time_unix_nano = self.trace.began_unix_nano + round(self.clock_ms * MS)


def purchase(
    order_id: str | None = None,
    began_unix_nano: int | None = None,
    *,
    show: str = "night-ferry",
    seats: int = 2,
    reserve_wait_ms: float = 180,
    charge_wait_ms: float = 60,
    network_ms: float = 880,
    attempts: int = 1,
    browser: str = "Chrome",
    decline: bool = False,
    failing: str | None = None,
    orphaned: str | None = None,
) -> Trace:
    """Return one order's trace: page, rules, reserve, charge, acquirer, settle, issue.

    Args:
        order_id: a random one by default.
        began_unix_nano: when the buyer clicked; now by default.
        show: the show's id.
        seats: the number of seats ordered.
        reserve_wait_ms: how long the order waited for `reserve`.
        charge_wait_ms: how long the message waited for `charge`.
        network_ms: how long the card network took.
        attempts: the delivery attempt in which `charge` succeeded.
        browser: the name of the buyer's browser.
        decline: whether the card network declines the card.
        failing: the function that raises an exception; the trace ends there.
        orphaned: the function whose parent span is absent from the trace.
    """
    builder = _PurchaseTrace(
        order_id or secrets.token_hex(6),
        show,
        time.time_ns() if began_unix_nano is None else began_unix_nano,
        failing,
        orphaned,
    )
    try:
        write = builder.place(seats, browser)
        builder.clock_ms += reserve_wait_ms
        reserved = builder.reserve(write, show, seats)
        builder.clock_ms += charge_wait_ms
        call, processor = builder.charge(reserved, attempts)
        webhook = builder.call_webhook(processor, network_ms)
        paid = builder.settle(call, webhook, decline)
        if paid is not None:
            builder.clock_ms += 70
            builder.issue(paid, seats)
    except _FunctionFailedError:
        pass
    return builder.trace


def many_purchases(
    count: int,
    *,
    minutes: float = 10,
    slow_show: str = "night-ferry",
    slow: int = 0,
    seed: int = 7,
) -> list[Trace]:
    """Return purchases spread over the last minutes, of which `slow` share a cause.

    The slow ones began in the second half, are all of `slow_show`, and waited 2.5 to 4.2 s for
    `reserve` with several delivery attempts. Few of the others are of that show, and their waits
    are short.
    """
    generator = random.Random(seed)  # noqa: S311  # the same purchases in each run
    now, span = time.time_ns(), minutes * 60_000 * MS
    traces = []
    for number in range(count):
        is_slow = number < slow
        age = generator.uniform(0.15, 0.4) if is_slow else generator.uniform(0.02, 1)
        traces.append(
            purchase(
                began_unix_nano=round(now - age * span),
                show=slow_show
                if is_slow or generator.random() < 0.08
                else generator.choice(["first-light", "low-tide", "salt-and-iron"]),
                seats=generator.randint(1, 4),
                reserve_wait_ms=generator.uniform(2500, 4200)
                if is_slow
                else generator.uniform(40, 260),
                charge_wait_ms=generator.uniform(20, 140),
                network_ms=generator.lognormvariate(6.6, 0.35),
                attempts=generator.randint(2, 4) if is_slow else 1,
                browser=generator.choice(["Chrome", "Chrome", "Firefox", "Safari"]),
                decline=not is_slow and generator.random() < 0.05,
                failing="charge" if not is_slow and generator.random() < 0.02 else None,
            )
        )
    return traces
