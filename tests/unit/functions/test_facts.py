"""Every stage puts its facts on its span, and every consumer an outcome with its reason.

The stages run as in `test_permanent_failures`, with Firestore and the card processor in memory.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from firebase_functions.https_fn import HttpsError
from google.api_core.exceptions import Aborted
from google.cloud import firestore
from opentelemetry import trace
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind

import boxoffice
from boxoffice import (
    acquirer,
    charge,
    clients,
    facts,
    issue,
    ledger,
    quote,
    refund,
    transactions,
)
from boxoffice.facts import Ending
from boxoffice.order import MOVES, State
from tests.unit.functions.memory_firestore import MemoryFirestore
from tests.unit.functions.test_permanent_failures import (
    CENTS,
    ORDER,
    SEATS,
    SEATS_TOTAL,
    SHOW,
    Platform,
    about,
    charged,
    created,
    deliver,
    lapsed,
    message,
    order_moved,
    platform,
    run_sweep,
    task,
)
from tests.unit.functions.traceparents import attributes_of
from throughline import carrier, invocation, outcomes

__all__ = ["platform"]

MOVED = {"order_id": ORDER, "state": "ticketed", "by": "issue"}
OUTCOMES = {*Ending, outcomes.FAILED}


@pytest.fixture(autouse=True)
def _outcome_required() -> Iterator[None]:
    """As main.py requires it."""
    outcomes.require(facts.OUTCOME)
    yield
    outcomes.require(None)


def deployed(is_wanted: Callable[[Any], bool]) -> set[str]:
    """Return the names of the deployed functions whose endpoint is wanted."""
    modules = [
        importlib.import_module(f"boxoffice.{module.name}")
        for module in pkgutil.iter_modules(boxoffice.__path__)
    ]
    functions = {
        name: value.__firebase_endpoint__
        for module in modules
        for name, value in vars(module).items()
        if hasattr(value, "__firebase_endpoint__")
    }
    return {name for name, endpoint in functions.items() if is_wanted(endpoint)}


def is_consumer(endpoint: Any) -> bool:
    """Return whether an event, a task or a schedule starts the function."""
    return any(
        getattr(endpoint, trigger, None)
        for trigger in ("eventTrigger", "taskQueueTrigger", "scheduleTrigger")
    )


def lapsing_in(seconds: float) -> dict[str, Any]:
    """Return the fields of an order that was reserved ten minutes ago."""
    now = datetime.now(UTC)
    return {
        "hold_until": now + timedelta(seconds=seconds),
        "moved_at": {"reserved": now - timedelta(minutes=10)},
    }


def early() -> Any:
    """Deliver the task that ends the hold, a minute before it is due."""
    due = datetime.now(UTC) + timedelta(minutes=1)
    return task({"order_id": ORDER, "due": due.isoformat()})()


def with_stock(seats_left: int) -> Callable[[Platform], None]:
    """Return a preparation: the order is placed, and the show has that many seats left."""

    def prepare(platform: Platform) -> None:
        platform.place()
        platform.firestore.documents[f"shows/{SHOW}"]["seats_left"] = seats_left

    return prepare


def in_state(state: State, **changes: Any) -> Callable[[Platform], None]:
    """Return a preparation: the order is in a state."""
    return lambda platform: platform.place(state, **changes)


def refusing(status: int) -> Callable[[Platform], None]:
    """Return a preparation: the order is reserved, and the processor refuses charges."""

    def prepare(platform: Platform) -> None:
        platform.place(State.RESERVED)
        platform.processor.refusals["/charges"] = (status, "")

    return prepare


def twice(run: Callable[[], Any]) -> Callable[[], Any]:
    """Deliver an event twice."""
    return lambda: (run(), run())


PRICE = {
    "boxoffice.order.seats": SEATS,
    "boxoffice.order.amount_cents": CENTS,
    "boxoffice.order.currency": "EUR",
}
#: For each stage: how the platform is prepared, what is delivered, and facts on its last span.
CASES: list[tuple[str, Callable[[Platform], None], Callable[[], Any], Mapping[str, Any]]] = [
    (
        "reserve",
        in_state(State.PLACED, placed_at=datetime.now(UTC)),
        created(),
        {
            **PRICE,
            "boxoffice.outcome": "moved",
            "boxoffice.order.state": "reserved",
            "boxoffice.order.price_cents": CENTS // SEATS,
            "boxoffice.order.admission": "held",
            "boxoffice.stock.before": SEATS_TOTAL,
            "boxoffice.stock.after": SEATS_TOTAL - SEATS,
        },
    ),
    (
        "reserve",
        with_stock(1),
        created(),
        {
            "boxoffice.outcome": "refused",
            "boxoffice.order.reason": "sold_out",
            "boxoffice.refused.asked": SEATS,
            "boxoffice.refused.left": 1,
        },
    ),
    (
        "reserve",
        in_state(State.CHARGING),
        created(),
        {**PRICE, "boxoffice.outcome": "skipped", "boxoffice.skipped": "done"},
    ),
    (
        "charge",
        in_state(State.RESERVED),
        about(charge.charge),
        {
            **PRICE,
            "boxoffice.outcome": "moved",
            "boxoffice.charge.id": f"ch_{ORDER}",
            "boxoffice.charge.status": "pending",
            "boxoffice.charge.amount_cents": CENTS,
            "boxoffice.charge.currency": "EUR",
        },
    ),
    (
        "charge",
        in_state(State.REJECTED),
        about(charge.charge),
        {"boxoffice.outcome": "skipped", "boxoffice.skipped": "never"},
    ),
    (
        "charge",
        refusing(402),
        about(charge.charge),
        {
            "boxoffice.outcome": "gave_up",
            "boxoffice.permanent_failure": "charge_refused",
            "boxoffice.stock.before": SEATS_TOTAL - SEATS,
            "boxoffice.stock.after": SEATS_TOTAL,
        },
    ),
    ("charge", refusing(503), about(charge.charge), {"boxoffice.outcome": "failed"}),
    (
        "settle",
        in_state(State.CHARGING),
        charged(),
        {
            **PRICE,
            "boxoffice.outcome": "moved",
            "boxoffice.order.state": "paid",
            "boxoffice.charge.amount_cents": CENTS,
        },
    ),
    (
        "settle",
        in_state(State.CHARGING),
        charged(amount_cents=CENTS - 1, currency="USD"),
        {
            **PRICE,
            "boxoffice.outcome": "gave_up",
            "boxoffice.permanent_failure": "charge_differs",
            "boxoffice.charge.amount_cents": CENTS - 1,
            "boxoffice.charge.currency": "USD",
            "boxoffice.charge.differs_in": "amount_cents, currency",
        },
    ),
    (
        "settle",
        in_state(State.CHARGING),
        charged(status="declined", decline_code="insufficient_funds"),
        {
            **PRICE,
            "boxoffice.order.state": "declined",
            "boxoffice.order.reason": "insufficient_funds",
            "boxoffice.charge.decline_code": "insufficient_funds",
            "boxoffice.stock.before": SEATS_TOTAL - SEATS,
            "boxoffice.stock.after": SEATS_TOTAL,
        },
    ),
    (
        "settle",
        in_state(State.CHARGING, has_hold=False),
        charged(),
        {
            "boxoffice.order.state": "paid",
            "boxoffice.stock.before": SEATS_TOTAL - SEATS,
            "boxoffice.stock.after": SEATS_TOTAL - 2 * SEATS,
        },
    ),
    (
        "issue",
        in_state(State.PAID),
        about(issue.issue),
        {**PRICE, "boxoffice.outcome": "moved", "boxoffice.tickets.written": SEATS},
    ),
    (
        "issue",
        in_state(State.PAID),
        twice(about(issue.issue)),
        {**PRICE, "boxoffice.outcome": "skipped", "boxoffice.skipped": "done"},
    ),
    (
        "issue",
        in_state(State.PAID),
        message(issue.issue, b"not JSON"),
        {"boxoffice.outcome": "gave_up", "boxoffice.permanent_failure": "unreadable_message"},
    ),
    (
        "expire",
        in_state(State.RESERVED, **lapsing_in(-1)),
        lapsed(),
        {
            **PRICE,
            "boxoffice.outcome": "moved",
            "boxoffice.order.state": "expired",
            "boxoffice.stock.before": SEATS_TOTAL - SEATS,
            "boxoffice.stock.after": SEATS_TOTAL,
        },
    ),
    (
        "expire",
        in_state(State.RESERVED, **lapsing_in(3600)),
        early,
        {"boxoffice.outcome": "skipped", "boxoffice.skipped": "early"},
    ),
    (
        "expire",
        in_state(State.RESERVED, **lapsing_in(3600)),
        lapsed(),
        {"boxoffice.outcome": "skipped", "boxoffice.skipped": "early"},
    ),
    (
        "audit",
        in_state(State.TICKETED),
        order_moved(MOVED),
        {"boxoffice.outcome": "written", "boxoffice.moved.by": "issue"},
    ),
    (
        "audit",
        in_state(State.TICKETED),
        twice(order_moved(MOVED)),
        {"boxoffice.outcome": "skipped", "boxoffice.skipped": "done"},
    ),
    (
        "sweep",
        in_state(State.PAID),
        run_sweep,
        {"boxoffice.outcome": "resumed", "boxoffice.sweep.orders": 1},
    ),
    (
        "sweep",
        in_state(State.TICKETED),
        run_sweep,
        {"boxoffice.outcome": "skipped", "boxoffice.skipped": "nothing_stuck"},
    ),
]


@pytest.mark.parametrize(("stage", "prepare", "run", "expected"), CASES)
def test_a_stage_says_how_it_ended_and_by_which_numbers(
    platform: Platform,
    spans: InMemorySpanExporter,
    stage: str,
    prepare: Callable[[Platform], None],
    run: Callable[[], Any],
    expected: Mapping[str, Any],
) -> None:
    """An outcome is never missing, and nothing is skipped, refused or given up without a reason."""
    prepare(platform)
    deliver(run)
    attributes = [attributes_of(span) for span in spans.get_finished_spans() if span.name == stage]
    found = attributes[-1]
    assert {name: found.get(name) for name in expected} == expected
    assert found["boxoffice.outcome"] in OUTCOMES
    reasons = {
        "skipped": "boxoffice.skipped",
        "refused": "boxoffice.order.reason",
        "gave_up": "boxoffice.permanent_failure",
        "failed": "error.type",
    }
    assert reasons.get(str(found["boxoffice.outcome"]), "boxoffice.outcome") in found


def test_the_outcomes_of_every_consumer_are_tested() -> None:
    """A new function needs cases above."""
    assert deployed(is_consumer) <= {stage for stage, *_ in CASES}
    assert deployed(is_consumer) >= {"reserve", "charge", "issue", "expire", "audit", "sweep"}


@pytest.mark.parametrize("raises", [False, True])
def test_a_consumer_that_forgets_its_outcome_is_marked(
    spans: InMemorySpanExporter, *, raises: bool
) -> None:
    """throughline does it, so that no consumer's span is without one."""

    def forgetful(_argument: object) -> None:
        if raises:
            raise LookupError

    def receive(kind: SpanKind) -> Callable[[object], invocation.Reception]:
        return lambda _argument: invocation.Reception(carrier.ABSENT, "pubsub", None, kind)

    for kind in (SpanKind.CONSUMER, SpanKind.SERVER):
        try:
            invocation.traced(forgetful, receive(kind))(None)
        except LookupError:
            assert raises
    consumer, server = map(attributes_of, spans.get_finished_spans())
    assert consumer["boxoffice.outcome"] == ("failed" if raises else "unreported")
    assert "boxoffice.outcome" not in server


def test_every_state_has_an_outcome() -> None:
    """Only a rejected order was refused, and only a failed one was given up."""
    assert {state: facts.of_move(state) for state in MOVES} == {
        **dict.fromkeys(MOVES, "moved"),
        State.REJECTED: "refused",
        State.FAILED: "gave_up",
    }


def test_an_aborted_attempt_leaves_no_facts(
    spans: InMemorySpanExporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The stock that it had read was changed by another transaction."""
    monkeypatch.setattr(clients, "firestore", MemoryFirestore)
    monkeypatch.setattr(transactions, "RETRY_JITTER_SECONDS", 0)
    attempts = []

    def body(transaction: firestore.Transaction) -> None:
        attempts.append(transaction)
        if len(attempts) == 1:
            transactions.note(facts.of_stock(8, 6))
            raise Aborted("locked")  # type: ignore[no-untyped-call]
        transactions.note(facts.skipped("done"))

    with trace.get_tracer("test").start_as_current_span("stage"):
        transactions.run(body)
    (span,) = spans.get_finished_spans()
    attributes = attributes_of(span)
    assert "boxoffice.stock.after" not in attributes
    assert attributes["boxoffice.skipped"] == "done"
    assert attributes["boxoffice.transaction.attempts"] == 2


def ask(data: object) -> Any:
    """Call quote without its decorators, in a span."""
    with trace.get_tracer("test").start_as_current_span("quote"):
        return inspect.unwrap(quote.quote)(SimpleNamespace(data=data, auth=None))


def test_a_quote_says_what_it_answered_and_how_old_that_was(
    platform: Platform,
    spans: InMemorySpanExporter,
) -> None:
    """An answer from a stale copy of the show has an age."""
    platform.place()
    answer = ask({"show_id": SHOW, "seats": 2})
    (span,) = spans.get_finished_spans()
    attributes = attributes_of(span)
    names = ("seats", "price_cents", "amount_cents", "currency", "seats_left", "available")
    assert {name: attributes[f"boxoffice.quote.{name}"] for name in names} == {
        name: answer[name] for name in names
    }
    age = attributes["boxoffice.quote.age_seconds"]
    assert isinstance(age, float)
    assert 0 <= age < 10
    stale = facts.of_quote(answer, datetime.now(UTC) - timedelta(hours=1))
    assert float(str(stale["boxoffice.quote.age_seconds"])) >= 3600


@pytest.mark.parametrize(
    ("seats", "is_shown"), [(9, True), (4242424242424242, False), ("9", False), (None, False)]
)
def test_a_refused_quote_says_how_many_seats_were_requested(
    platform: Platform,
    spans: InMemorySpanExporter,
    seats: object,
    *,
    is_shown: bool,
) -> None:
    """A number that may be a card's is left out."""
    with pytest.raises(HttpsError):
        ask({"show_id": SHOW, "seats": seats})
    (span,) = spans.get_finished_spans()
    attributes = attributes_of(span)
    assert attributes.get("boxoffice.quote.seats") == (seats if is_shown else None)
    assert str(seats) not in {str(value) for name, value in attributes.items() if not is_shown}


def test_a_refund_says_how_many_tickets_it_voided_and_what_it_returned(
    platform: Platform,
    spans: InMemorySpanExporter,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """From the result of the increment, without a read."""
    platform.place(State.PAID)
    deliver(about(issue.issue))
    spans.clear()
    monkeypatch.setattr(acquirer, "refund", lambda *_: "re_1")
    with trace.get_tracer("test").start_as_current_span("refund"):
        refund.refund_order(ORDER, ledger.read(ORDER) or {})
    span = next(span for span in spans.get_finished_spans() if span.name == "refund")
    attributes = attributes_of(span)
    assert attributes["boxoffice.tickets.voided"] == SEATS
    assert attributes["boxoffice.stock.before"] == SEATS_TOTAL - SEATS
    assert attributes["boxoffice.stock.after"] == SEATS_TOTAL


@pytest.mark.parametrize("moved_at", [None, "never", {}, {"reserved": "yesterday"}])
def test_a_hold_of_unknown_length_has_none(moved_at: object) -> None:
    """A fact that cannot be computed never fails a stage."""
    assert facts.of_hold({"moved_at": moved_at}, datetime.now(UTC)) == {}


PERSONAL = ("Anna Schmidt", "anna@example.org", "4242424242424242", "+49 30 1234567")


@pytest.mark.parametrize("personal", [*PERSONAL, 4242424242424242, {"name": PERSONAL[0]}, None])
def test_fields_of_another_form_are_left_out(personal: object) -> None:
    """A forged document, charge or event puts nothing personal on a span."""
    names = ("seats", "price_cents", "amount_cents", "currency", "reason", "show_id", "status")
    forged = dict.fromkeys((*names, "decline_code", "seats_left", "available"), personal)
    texts = dict.fromkeys(("order_id", "state", "by"), str(personal))
    every = {
        **facts.of_order(forged, State.PLACED),
        **facts.of_charge(forged, forged),
        **facts.of_quote(forged),
        **facts.of_audit({**texts, "order_id": "1"}),
    }
    values = [str(value) for value in every.values()]
    assert not [value for value in values if str(personal) in value and personal is not None]
