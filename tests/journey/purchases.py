"""Purchases to look at: traces as the Box Office makes them, with what a test wants to be odd."""

from __future__ import annotations

import random
import secrets
import time
from typing import Any

from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.unit.observatory.telemetry import CLIENT, CONSUMER, INTERNAL, MS, PRODUCER, SERVER, Trace

FIRESTORE = "/google.firestore.v1.Firestore"


class _Purchase:
    """One order's trace on its way; `at` is where its clock stands, in ms after its start."""

    def __init__(self, order_id: str, show: str, began_unix_nano: int) -> None:
        self.trace = Trace(began_unix_nano=began_unix_nano)
        self.at = 0.0
        self._about = {"boxoffice.order.id": order_id, "boxoffice.show.id": show}

    def span(
        self,
        service: str,
        name: str,
        kind: Span.SpanKind.ValueType,
        lasts_ms: float,
        parent: Span | None = None,
        error: str | None = None,
        **attributes: Any,
    ) -> Span:
        """Add a span that begins now; the clock stays where it is."""
        span = self.trace.span(
            service, name, kind, self.at, self.at + lasts_ms, parent, error, **attributes
        )
        for key, value in self._about.items():
            span.attributes.add(key=key).value.string_value = value
        return span

    def firestore(self, service: str, call: str, lasts_ms: float, parent: Span) -> None:
        """Add a call of Firestore, and let its time pass."""
        self.span(
            service,
            f"{FIRESTORE}/{call}",
            CLIENT,
            lasts_ms,
            parent,
            rpc__system="grpc",
            rpc__service="google.firestore.v1.Firestore",
            rpc__method=call,
            rpc__grpc__status_code=0,
            db__system__name="gcp.firestore",
        )
        self.at += lasts_ms

    def stage(self, service: str, hop: str, carrier: str, parent: Span, **more: Any) -> Span:
        """Add a function's own span; `ended` says later when it ended."""
        return self.span(
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
            **more,
        )

    def send(self, service: str, topic: str, parent: Span) -> Span:
        """Add the sending of a message, and let its time pass."""
        span = self.span(
            service,
            f"send {topic}",
            PRODUCER,
            18,
            parent,
            messaging__system="gcp_pubsub",
            messaging__operation__type="send",
            messaging__destination__name=topic,
        )
        self.at += 18
        return span

    def ended(self, span: Span) -> None:
        """End a span now."""
        span.end_time_unix_nano = self.trace.began_unix_nano + round(self.at * MS)


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
    fail: str | None = None,
    forget: str | None = None,
) -> Trace:
    """One order's trace: page, rules, reserve, charge, acquirer, settle, issue.

    Args:
        order_id: one of its own unless given.
        began_unix_nano: when the buyer clicked; now unless given.
        show: the show's id.
        seats: how many.
        reserve_wait_ms: how long the order waited for `reserve`.
        charge_wait_ms: how long the message waited for `charge`.
        network_ms: how long the card network took.
        attempts: which delivery of the message `charge` got through with.
        browser: the buyer's.
        decline: whether the card network says no.
        fail: the function that fails with an exception, after which nothing follows.
        forget: the function that starts with a parent that nobody ever sent: an orphan.
    """
    p = _Purchase(
        order_id or secrets.token_hex(6),
        show,
        time.time_ns() if began_unix_nano is None else began_unix_nano,
    )

    def parent_of(function: str, parent: Span) -> Span:
        return Span(span_id=secrets.token_bytes(8)) if function == forget else parent

    buy = p.span(
        "page",
        "buy",
        INTERNAL,
        120,
        throughline__root="page",
        boxoffice__order__seats=seats,
        user_agent__name=browser,
    )
    p.at = 8
    create = p.span(
        "page",
        "create orders",
        PRODUCER,
        100,
        buy,
        throughline__hop="document",
        throughline__carrier="document-field",
        db__system__name="gcp.firestore",
    )
    p.at = 40
    p.span(
        "firestore.rules",
        "create orders allowed",
        INTERNAL,
        1,
        create,
        throughline__hop="rules",
        throughline__carrier="document-field",
        throughline__context="carried",
        throughline__rules__outcome="allow",
        throughline__rules__lines=[85],
        throughline__rules__excerpt="  84    allow read: if ok();\n> 85    allow create: if ok()",
        code__file__path="rules/firestore.rules",
        code__line__number=85,
    )

    p.at = 108 + reserve_wait_ms
    reserve = p.stage(
        "reserve",
        "trigger",
        "document-field",
        parent_of("reserve", create),
        faas__trigger="datasource",
        boxoffice__order__state="reserved",
    )
    if _failed(p, reserve, fail):
        return p.trace
    for call in ("BeginTransaction", "BatchGetDocuments", "Commit"):
        p.firestore("reserve", call, 12, reserve)
    p.trace.log("reserve", reserve, p.at, "INFO", f"held {seats} seats of {show}")
    sent = p.send("reserve", "order-reserved", reserve)
    p.ended(reserve)

    p.at += charge_wait_ms
    charge = p.stage(
        "charge",
        "pubsub",
        "message-attributes",
        parent_of("charge", sent),
        messaging__destination__name="order-reserved",
        throughline__delivery__attempt=attempts,
        boxoffice__order__state="charging",
    )
    if _failed(p, charge, fail):
        return p.trace
    p.firestore("charge", "Commit", 14, charge)
    post = p.span(
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
    p.at += 4
    server = p.span(
        "acquirer",
        "POST /charges",
        SERVER,
        8,
        post,
        throughline__carrier="http-headers",
        throughline__context="carried",
        http__request__method="POST",
        http__response__status_code=202,
    )
    p.at += 12
    p.ended(charge)
    p.span("acquirer", "card network", INTERNAL, network_ms, server)
    p.at += network_ms

    state = "declined" if decline else "paid"
    webhook = p.span("acquirer", "POST /settle", CLIENT, 44, server, http__request__method="POST")
    p.at += 6
    settle = p.stage(
        "settle",
        "webhook",
        "charge-metadata",
        parent_of("settle", post),
        boxoffice__order__state=state,
    )
    settle.links.add(trace_id=p.trace.trace_id, span_id=webhook.span_id)
    if _failed(p, settle, fail):
        return p.trace
    p.firestore("settle", "Commit", 16, settle)
    p.trace.log("settle", settle, p.at, "WARN" if decline else "INFO", f"the order is {state}")
    if decline:
        p.ended(settle)
        return p.trace
    sent = p.send("settle", "order-paid", settle)
    p.ended(settle)

    p.at += 70
    issue = p.stage(
        "issue",
        "pubsub",
        "message-attributes",
        parent_of("issue", sent),
        messaging__destination__name="order-paid",
        boxoffice__order__state="ticketed",
    )
    if _failed(p, issue, fail):
        return p.trace
    p.firestore("issue", "Commit", 20, issue)
    p.trace.log("issue", issue, p.at, "INFO", f"issued {seats} tickets")
    p.ended(issue)
    return p.trace


def crowd(
    count: int,
    *,
    minutes: float = 10,
    odd_show: str = "night-ferry",
    odd: int = 0,
    seed: int = 7,
) -> list[Trace]:
    """Purchases spread over the last minutes, of which `odd` are slow in one way.

    The odd ones began in the second half, are all of `odd_show`, and waited two to four seconds
    for `reserve` with several deliveries; few of the others are of that show, and none waited.
    """
    dice = random.Random(seed)  # noqa: S311  # the same crowd each time
    now, span = time.time_ns(), minutes * 60_000 * MS
    crowd = []
    for number in range(count):
        is_odd = number < odd
        ago = dice.uniform(0.15, 0.4) if is_odd else dice.uniform(0.02, 1)
        crowd.append(
            purchase(
                began_unix_nano=round(now - ago * span),
                show=odd_show
                if is_odd or dice.random() < 0.08
                else dice.choice(["first-light", "low-tide", "salt-and-iron"]),
                seats=dice.randint(1, 4),
                reserve_wait_ms=dice.uniform(2500, 4200) if is_odd else dice.uniform(40, 260),
                charge_wait_ms=dice.uniform(20, 140),
                network_ms=dice.lognormvariate(6.6, 0.35),
                attempts=dice.randint(2, 4) if is_odd else 1,
                browser=dice.choice(["Chrome", "Chrome", "Firefox", "Safari"]),
                decline=not is_odd and dice.random() < 0.05,
                fail="charge" if not is_odd and dice.random() < 0.02 else None,
            )
        )
    return crowd


def _failed(p: _Purchase, stage: Span, fail: str | None) -> bool:
    """Let a function raise in the middle, if it is the one that is to."""
    if stage.name != fail:
        return False
    p.at += 9
    p.ended(stage)
    stage.status.code = stage.status.STATUS_CODE_ERROR
    stage.status.message = "DeadlineExceeded: 504"
    event = stage.events.add(name="exception", time_unix_nano=stage.end_time_unix_nano)
    for key, value in (
        ("exception.type", "google.api_core.exceptions.DeadlineExceeded"),
        ("exception.message", "504 Deadline Exceeded"),
    ):
        event.attributes.add(key=key).value.string_value = value
    p.trace.log(stage.name, stage, p.at, "ERROR", "504 Deadline Exceeded")
    return True
