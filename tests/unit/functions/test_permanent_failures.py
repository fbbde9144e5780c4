"""Permanent failures end at once, in every stage; transient ones are retried.

The stages run as they are deployed, except for the SDK's decorator. Firestore and the card
processor are in memory; what is published is kept in lists. `Platform.deliver` does what Pub/Sub,
Eventarc, Cloud Tasks and the processor do: it repeats what fails.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import inspect
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import flask
import pytest
import requests
from firebase_functions.https_fn import FunctionsErrorCode, HttpsError
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import settings
from boxoffice import (
    acquirer,
    audit,
    charge,
    clients,
    expire,
    giving_up,
    issue,
    order_events,
    queues,
    refund,
    reserve,
    settle,
    sweep,
    topics,
)
from boxoffice.order import State
from tests.unit.functions.memory_firestore import MemoryFirestore

RUNS_MAX = 5
SEATS_TOTAL, SEATS, CENTS = 10, 2, 5000
SHOW, ORDER = "night-ferry", "Order000000000000001"

TRANSIENT = (408, 409, 425, 429, 500, 502, 503, 504)
PERMANENT = tuple(status for status in range(400, 500) if status not in TRANSIENT)
# Those that processors use.
USUAL_PERMANENT = (400, 401, 402, 403, 404, 410, 422)
LASTING_CONFLICTS = ("idempotency_key_reused", "not_refundable")


@dataclass
class Processor:
    """A card processor that keeps its charges and refunds in dictionaries by idempotency key.

    While `refusals` has a path, requests to it get that status and error code.
    """

    charges: dict[str, dict[str, Any]] = field(default_factory=dict)
    refunds: dict[str, str] = field(default_factory=dict)
    refusals: dict[str, tuple[int | Exception, str]] = field(default_factory=dict)
    received: list[str] = field(default_factory=list)
    status: str = "pending"

    def post(self, url: str, **request: Any) -> requests.Response:
        """Answer a request as `requests.post` does."""
        path = url.removeprefix(settings.acquirer_url())
        self.received.append(path)
        key, body = request["headers"]["Idempotency-Key"], request["json"]
        if path in self.refusals:
            status, code = self.refusals[path]
            if isinstance(status, Exception):
                raise status
            return response(status, {"error": {"code": code, "message": "no"}})
        if path == "/refunds":
            self.refunds.setdefault(key, body["charge_id"])
            return response(201, {"id": f"re_{key}"})
        new = {
            "id": f"ch_{key}",
            "status": self.status,
            "amount_cents": body["amount_cents"],
            "currency": body["currency"],
            "decline_code": None,
            "metadata": body["metadata"],
        }
        return response(202, self.charges.setdefault(key, new))


def response(status: int, body: object) -> requests.Response:
    """Return an HTTP response with a JSON body."""
    made = requests.Response()
    made.status_code = status
    made._content = json.dumps(body).encode()
    return made


@dataclass
class Platform:
    """The documents, the card processor, and everything that the stages published."""

    firestore: MemoryFirestore = field(default_factory=MemoryFirestore)
    processor: Processor = field(default_factory=Processor)
    messages: list[tuple[str, str]] = field(default_factory=list)
    tasks: list[str] = field(default_factory=list)
    events: list[dict[str, str]] = field(default_factory=list)

    def place(self, state: State = State.PLACED, **changes: Any) -> None:
        """Store the show, and the order in a state, with what is held for it off the stock."""
        held = 0 if state is State.PLACED else SEATS
        self.firestore.documents[f"shows/{SHOW}"] = {
            "price_cents": CENTS // SEATS,
            "currency": "EUR",
            "seats_left": SEATS_TOTAL - held,
            "seats_total": SEATS_TOTAL,
        }
        now = datetime.now(UTC)
        order = {
            "uid": "buyer",
            "show_id": SHOW,
            "seats": SEATS,
            "card_token": "tok_0000000000000000_approved",
            "placed_at": now - timedelta(hours=1),
            "state": state.value,
            "amount_cents": CENTS,
            "currency": "EUR",
            "hold_until": now + timedelta(minutes=10),
            **({"charge_id": "ch_1"} if state in (State.PAID, State.TICKETED) else {}),
            **changes,
        }
        absent = [name for name, value in order.items() if value is None]
        self.firestore.documents[f"orders/{ORDER}"] = {
            name: value for name, value in order.items() if name not in absent
        }

    @property
    def order(self) -> dict[str, Any]:
        """The order as it is stored."""
        return self.firestore.documents[f"orders/{ORDER}"]

    @property
    def seats_left(self) -> int:
        """The show's stock."""
        left: int = self.firestore.documents[f"shows/{SHOW}"]["seats_left"]
        return left

    @property
    def dead_letters(self) -> list[dict[str, Any]]:
        """The dead letters that stages stored."""
        return list(self.firestore.in_collection("dead_letters").values())

    def assert_failed(self, reason: str) -> None:
        """Assert that the order failed for that reason, once, and that its seats are for sale."""
        assert (self.order["state"], self.order["reason"]) == ("failed", reason)
        assert self.seats_left == SEATS_TOTAL
        assert [(event["state"], event["order_id"]) for event in self.events] == [("failed", ORDER)]
        assert self.dead_letters == []

    def assert_dead_letter(self, stage: str, reason: str) -> None:
        """Assert that there is exactly one dead letter, with that reason."""
        (letter,) = self.dead_letters
        assert (letter["stage"], letter["reason"]) == (stage, reason)
        assert letter["message"]


@pytest.fixture
def platform(monkeypatch: pytest.MonkeyPatch) -> Platform:
    """What surrounds the stages, in memory."""
    made = Platform()
    monkeypatch.setattr(clients, "firestore", lambda: made.firestore)
    monkeypatch.setattr(requests, "post", made.processor.post)
    monkeypatch.setattr(acquirer, "pauses_seconds", lambda: (0.0,) * 3)
    monkeypatch.setattr(topics, "publish", lambda *sent: made.messages.append(sent))
    monkeypatch.setattr(
        queues, "schedule_expiry", lambda order_id, _due: made.tasks.append(order_id)
    )
    monkeypatch.setattr(
        order_events, "publish", lambda _id, data, _extensions: made.events.append(data)
    )
    return made


Run = Callable[[], Any]


def deliver(run: Run) -> int:
    """Run a stage until it succeeds, at most `RUNS_MAX` times; return the number of runs."""
    for runs in range(1, RUNS_MAX + 1):
        try:
            result = run()
        except Exception:  # noqa: BLE001, S112  (the platform repeats an event whatever is raised)
            continue
        if not isinstance(result, flask.Response) or result.status_code < 500:
            return runs
    return RUNS_MAX


def message(stage: Any, data: bytes) -> Run:
    """Return the delivery of a Pub/Sub message."""

    def parse() -> Any:
        return json.loads(data)

    class Message(SimpleNamespace):
        json = property(lambda _self: parse())

    event = SimpleNamespace(
        id="evt-1",
        type="published",
        source="//pubsub.googleapis.com/projects/p/topics/t",
        data=SimpleNamespace(message=Message(attributes={}, message_id="7")),
    )
    return in_request(lambda: traced(stage)(event), base64.b64encode(data))


def about(stage: Any, order_id: object = ORDER) -> Run:
    """Return the delivery of a message about an order."""
    return message(stage, json.dumps({"order_id": order_id}).encode())


def created(order_id: str = ORDER, document: dict[str, Any] | None = None) -> Run:
    """Return the delivery of the event that the order's document was created."""
    event = SimpleNamespace(
        id="evt-2",
        type="google.cloud.firestore.document.v1.created",
        source="//firestore.googleapis.com/projects/p/databases/(default)",
        document=f"orders/{order_id}",
        time=datetime.now(UTC),
        params={"order_id": order_id},
        data=SimpleNamespace(to_dict=lambda: document or {}),
    )
    return in_request(lambda: traced(reserve.reserve)(event))


def task(data: object) -> Run:
    """Return the delivery of a task."""
    call = SimpleNamespace(data=data)
    return in_request(lambda: traced(expire.expire)(call))


def lapsed(order_id: object = ORDER) -> Run:
    """Return the delivery of the task that ends the order's hold."""
    due = datetime.now(UTC) - timedelta(seconds=1)
    return task({"order_id": order_id, "due": due.isoformat()})


def order_moved(data: object, event_id: str = "evt-3") -> Run:
    """Return the delivery of an order's event to audit."""
    event = SimpleNamespace(
        id=event_id,
        type=order_events.ORDER_MOVED,
        source="tests",
        specversion="1.0",
        time=datetime.now(UTC),
        data=data,
    )
    return in_request(lambda: traced(audit.audit)(event))


def webhook(body: bytes) -> Run:
    """Return the delivery of a webhook, signed anew each time."""

    def run() -> flask.Response:
        sent_at = str(int(time.time()))
        secret = settings.acquirer_webhook_secret().encode()
        digest = hmac.new(secret, f"{sent_at}.".encode() + body, hashlib.sha256).hexdigest()
        headers = {"Acquirer-Signature": f"t={sent_at},v1={digest}"}
        app = flask.Flask("settle")
        with app.test_request_context("/", method="POST", data=body, headers=headers):
            answer: flask.Response = traced(settle.settle)(flask.request)
            return answer

    return run


def charged(order_id: object = ORDER, **changes: Any) -> Run:
    """Return the delivery of a webhook about the charge of an order."""
    fields = {"id": "ch_1", "status": "succeeded", "amount_cents": CENTS, "currency": "EUR"}
    charge = {**fields, "metadata": {"order_id": order_id}, **changes}
    return webhook(json.dumps({"data": {"charge": charge}}).encode())


def refund_call(order_id: str = ORDER) -> dict[str, Any]:
    """Call refund as an organiser."""
    auth = SimpleNamespace(uid="organiser", token={"role": "organiser"})
    app = flask.Flask("refund")
    with app.test_request_context("/", method="POST"):
        call = SimpleNamespace(data={"order_id": order_id}, auth=auth, raw_request=flask.request)
        answer: dict[str, Any] = inspect.unwrap(refund.refund)(call)
        return answer


def run_sweep() -> None:
    """Run the sweep."""
    traced(sweep.sweep)(SimpleNamespace(schedule_time=datetime.now(UTC)))


def traced(function: Any) -> Callable[[Any], Any]:
    """Return a deployed function without the SDK's decorator."""
    below: Callable[[Any], Any] = function.__wrapped__
    return below


def in_request(run: Run, body: bytes = b"an event") -> Run:
    """Run within the HTTP request that delivers an event."""

    def served() -> Any:
        with flask.Flask("stage").test_request_context("/", method="POST", data=body):
            return run()

    return served


@pytest.mark.parametrize("status", PERMANENT)
def test_a_charge_that_the_processor_refuses_fails_the_order_in_one_run(
    platform: Platform, status: int
) -> None:
    """With one request. The seats are for sale again, and no sweep repeats it."""
    platform.place(State.RESERVED)
    platform.processor.refusals["/charges"] = (status, "card_refused")
    assert deliver(about(charge.charge)) == 1
    platform.assert_failed("charge_refused")
    run_sweep()
    assert deliver(about(charge.charge)) == 1
    assert platform.processor.received == ["/charges"]
    assert platform.messages == []


@pytest.mark.parametrize("held", [SEATS, 0], ids=["held", "unheld"])
def test_an_order_that_fails_is_counted_as_unpaid_no_more(platform: Platform, held: int) -> None:
    """It returns the seats that it held: none, if it was accepted without a hold."""
    counted = {
        "uid": "buyer",
        "show_id": SHOW,
        "seats": SEATS,
        "held": held,
        "unheld": SEATS - held,
    }
    platform.place(State.RESERVED, counted=counted, has_hold=held > 0)
    of_buyer = {"orders": 1, "seats": SEATS}
    of_show = {"held": held, "unheld": SEATS - held}
    platform.firestore.documents["buyer_holds/buyer"] = of_buyer
    platform.firestore.documents[f"show_holds/{SHOW}"] = of_show
    platform.processor.refusals["/charges"] = (402, "")
    assert deliver(about(charge.charge)) == 1
    assert platform.order["state"] == "failed"
    assert platform.seats_left == SEATS_TOTAL - SEATS + held
    assert platform.firestore.documents["buyer_holds/buyer"] == {"orders": 0, "seats": 0}
    show_holds = platform.firestore.documents[f"show_holds/{SHOW}"]
    assert (show_holds["held"], show_holds["unheld"]) == (0, 0)


@pytest.mark.parametrize("code", LASTING_CONFLICTS)
def test_a_conflict_that_lasts_is_a_refusal(platform: Platform, code: str) -> None:
    """Status 409, but with a code that says so."""
    platform.place(State.RESERVED)
    platform.processor.refusals["/charges"] = (409, code)
    assert deliver(about(charge.charge)) == 1
    platform.assert_failed("charge_refused")
    assert platform.processor.received == ["/charges"]


@pytest.mark.parametrize("status", [*TRANSIENT, requests.Timeout(), requests.ConnectionError()])
def test_a_charge_that_may_succeed_later_is_retried_and_the_order_waits(
    platform: Platform, status: int | Exception
) -> None:
    """Each run makes three requests. The order is charged once the processor answers again."""
    platform.place(State.RESERVED)
    platform.processor.refusals["/charges"] = (status, "request_in_progress")
    assert deliver(about(charge.charge)) == RUNS_MAX
    assert len(platform.processor.received) == 3 * RUNS_MAX
    assert (platform.order["state"], platform.dead_letters) == ("charging", [])
    assert platform.seats_left == SEATS_TOTAL - SEATS
    platform.processor.refusals.clear()
    assert deliver(about(charge.charge)) == 1
    assert deliver(charged(id=f"ch_{ORDER}")) == 1
    assert platform.order["state"] == "paid"


@pytest.mark.parametrize("body", [b"<html>", b"[]", b"{}"])
def test_a_response_that_is_not_a_charge_is_retried(
    platform: Platform, body: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such as the page of a proxy, with status 200."""
    answer = response(200, None)
    answer._content = body
    monkeypatch.setattr(requests, "post", lambda *_arguments, **_options: answer)
    platform.place(State.RESERVED)
    with pytest.raises(acquirer.AcquirerError, match="status 200"):
        about(charge.charge)()
    assert platform.order["state"] == "charging"


@pytest.mark.parametrize("status", USUAL_PERMANENT)
def test_a_payment_that_arrives_after_a_refusal_is_refunded(
    platform: Platform, status: int
) -> None:
    """An earlier request had got through, although the last one was refused."""
    platform.place(State.RESERVED)
    platform.processor.refusals["/charges"] = (status, "")
    deliver(about(charge.charge))
    for _ in range(2):
        assert deliver(charged()) == 1
    platform.assert_failed("charge_refused")
    assert platform.processor.refunds == {f"refund-{ORDER}": "ch_1"}


def test_a_refusal_does_not_fail_an_order_that_was_paid_in_the_meantime(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The webhook of an earlier request arrives while a repeated one is refused."""
    platform.place(State.RESERVED)

    def refuse(*_arguments: Any, **_options: Any) -> requests.Response:
        assert deliver(charged()) == 1
        return response(403, {})

    monkeypatch.setattr(requests, "post", refuse)
    assert deliver(about(charge.charge)) == 1
    assert (platform.order["state"], platform.seats_left) == ("paid", SEATS_TOTAL - SEATS)
    assert platform.dead_letters == []


STAGES: dict[str, Callable[[object], Run]] = {
    "charge": lambda order_id: about(charge.charge, order_id),
    "issue": lambda order_id: about(issue.issue, order_id),
    "expire": lapsed,
    "settle": charged,
    "reserve": lambda order_id: created(str(order_id)),
}
# A state from which each stage makes its move.
BEFORE = {
    "reserve": State.PLACED,
    "charge": State.RESERVED,
    "settle": State.CHARGING,
    "issue": State.PAID,
    "expire": State.CHARGING,
}


@pytest.mark.parametrize("stage", STAGES)
def test_an_event_about_an_unknown_order_is_a_dead_letter_after_one_run(
    platform: Platform, stage: str
) -> None:
    """A duplicate of the event adds none."""
    platform.place()
    for _ in range(2):
        assert deliver(STAGES[stage]("NoSuchOrder")) == 1
    platform.assert_dead_letter(stage, "unknown_order")


@pytest.mark.parametrize("state", ["no such state", None, 7])
@pytest.mark.parametrize("stage", STAGES)
def test_an_order_in_no_known_state_is_a_dead_letter_after_one_run(
    platform: Platform, stage: str, state: object
) -> None:
    platform.place(BEFORE[stage])
    platform.order["state"] = state
    assert deliver(STAGES[stage](ORDER)) == 1
    platform.assert_dead_letter(stage, "unknown_state")


@pytest.mark.parametrize(
    ("stage", "run", "reason"),
    [
        ("charge", message(charge.charge, b"not json"), "unreadable_message"),
        ("charge", message(charge.charge, b"[]"), "unreadable_message"),
        ("issue", about(issue.issue, "a/b"), "unreadable_message"),
        ("issue", about(issue.issue, 7), "unreadable_message"),
        ("expire", task(None), "unreadable_task"),
        ("expire", task({"order_id": "x", "due": "soon"}), "unreadable_task"),
        ("settle", webhook(b"not json"), "unreadable_webhook"),
        ("settle", webhook(b"{}"), "unreadable_webhook"),
        ("settle", charged("a/b"), "unknown_charge"),
        ("settle", charged(amount_cents="5000"), "unknown_charge"),
        ("settle", charged(status="pending"), "unknown_charge"),
        ("audit", order_moved({}), "unreadable_event"),
        ("audit", order_moved(["x"]), "unreadable_event"),
        (
            "audit",
            order_moved({"order_id": "order 1", "state": "paid", "by": "tests"}),
            "unreadable_event",
        ),
        (
            "audit",
            order_moved({"order_id": "x", "state": "y", "by": "z"}, ".."),
            "unreadable_event",
        ),
        (
            "audit",
            order_moved({"order_id": "x", "state": "y", "by": "z"}, "__x__"),
            "unreadable_event",
        ),
    ],
)
def test_an_unreadable_event_is_a_dead_letter_after_one_run(
    platform: Platform, stage: str, run: Run, reason: str
) -> None:
    """It has the event's body, and a duplicate adds none."""
    for _ in range(2):
        assert deliver(run) == 1
    platform.assert_dead_letter(stage, reason)
    assert platform.dead_letters[0]["event"]


@pytest.mark.parametrize("name", ["show_id", "seats", "uid", "card_token", "placed_at"])
@pytest.mark.parametrize("stage", STAGES)
def test_an_order_without_a_field_that_its_move_needs_fails_after_one_run(
    platform: Platform, stage: str, name: str
) -> None:
    """Its seats are for sale again, unless it does not say which. A payment is refunded."""
    platform.place(BEFORE[stage], **{name: None})
    assert deliver(STAGES[stage](ORDER)) == 1
    assert (platform.order["state"], platform.order["reason"]) == ("failed", "malformed_order")
    assert platform.dead_letters == []
    is_returned = name not in ("show_id", "seats") or stage == "reserve"
    assert platform.seats_left == (SEATS_TOTAL if is_returned else SEATS_TOTAL - SEATS)
    is_paid = stage in ("issue", "settle")
    assert platform.processor.refunds == ({f"refund-{ORDER}": "ch_1"} if is_paid else {})


@pytest.mark.parametrize(
    "change",
    [
        {"show_id": 7},
        {"show_id": ""},
        {"show_id": "a/b"},
        {"seats": 0},
        {"seats": True},
        {"seats": 2.5},
        {"placed_at": "today"},
    ],
    ids=str,
)
def test_a_malformed_order_fails_before_it_takes_seats(
    platform: Platform, change: dict[str, Any]
) -> None:
    platform.place(**change)
    assert deliver(created()) == 1
    platform.assert_failed("malformed_order")


@pytest.mark.parametrize("name", ["hold_until", "amount_cents", "currency"])
def test_the_sweep_fails_an_order_that_it_cannot_resume(platform: Platform, name: str) -> None:
    platform.place(State.CHARGING, **{name: None})
    run_sweep()
    platform.assert_failed("malformed_order")
    run_sweep()
    assert len(platform.events) == 1


def test_one_unusable_order_does_not_stop_the_sweep(platform: Platform) -> None:
    platform.place(State.CHARGING, hold_until=None)
    other = {**platform.order, "state": "paid", "hold_until": datetime.now(UTC)}
    platform.firestore.documents["orders/Other"] = other
    run_sweep()
    assert platform.messages == [(topics.ORDER_PAID, "Other")]


@pytest.mark.parametrize(
    ("stage", "run"),
    [("expire", lapsed()), ("settle", charged(status="declined", decline_code="expired_card"))],
)
def test_a_show_that_was_deleted_fails_its_orders_after_one_run(
    platform: Platform, stage: str, run: Run
) -> None:
    """There is no stock to return the seats to."""
    platform.place(BEFORE[stage], hold_until=datetime.now(UTC) - timedelta(seconds=1))
    del platform.firestore.documents[f"shows/{SHOW}"]
    assert deliver(run) == 1
    assert (platform.order["state"], platform.order["reason"]) == ("failed", "missing_document")
    assert f"shows/{SHOW}" not in platform.firestore.documents
    assert platform.dead_letters == []


DIFFERENCES = {"amount_cents": CENTS - 1, "currency": "USD"}


@pytest.mark.parametrize("name", DIFFERENCES)
def test_a_charge_that_differs_from_its_order_is_refunded_once_and_fails_the_order(
    platform: Platform, name: str
) -> None:
    """In one run, and duplicates of the webhook ask for no second refund."""
    platform.place(State.CHARGING)
    for _ in range(3):
        assert deliver(charged(**{name: DIFFERENCES[name]})) == 1
    platform.assert_failed("charge_differs")
    assert platform.order["charge_id"] == "ch_1"
    assert platform.processor.refunds == {f"refund-{ORDER}": "ch_1"}
    assert platform.processor.received == ["/refunds"]
    assert platform.messages == []


def test_a_charge_that_differs_and_whose_webhook_was_lost_fails_the_order_too(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The response to the repeated request has the charge."""
    platform.place(State.CHARGING)
    platform.processor.status = "succeeded"
    monkeypatch.setattr(charge, "amount_cents", lambda _order: CENTS - 1)
    assert deliver(about(charge.charge)) == 1
    platform.assert_failed("charge_differs")
    assert platform.processor.refunds == {f"refund-{ORDER}": f"ch_{ORDER}"}


def test_a_declined_charge_of_another_amount_declines_the_order(platform: Platform) -> None:
    """No money was taken."""
    platform.place(State.CHARGING)
    assert deliver(charged(status="declined", amount_cents=1)) == 1
    assert platform.order["state"] == "declined"
    assert platform.processor.refunds == {}


def crash_once(monkeypatch: pytest.MonkeyPatch, owner: Any, name: str, *, after: bool) -> None:
    """Make the first call of a function crash, before or after it runs."""
    right, calls = getattr(owner, name), iter([True])

    def crash(*arguments: Any, **options: Any) -> Any:
        is_first = next(calls, False)
        if is_first and not after:
            raise RuntimeError("the instance ended")
        result = right(*arguments, **options)
        if is_first:
            raise RuntimeError("the instance ended")
        return result

    monkeypatch.setattr(owner, name, crash)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize(
    ("owner", "step"),
    [(acquirer, "refund"), (giving_up, "move_to_failed"), (order_events, "record")],
    ids=["refund", "move", "publish"],
)
def test_a_crash_at_any_step_of_failing_loses_no_money_and_no_seats(
    platform: Platform, monkeypatch: pytest.MonkeyPatch, owner: Any, step: str, after: bool
) -> None:
    """The webhook comes again, and the order ends as it does without the crash."""
    platform.place(State.CHARGING)
    crash_once(monkeypatch, owner, step, after=after)
    assert deliver(charged(amount_cents=1)) == 2
    assert (platform.order["state"], platform.order["reason"]) == ("failed", "charge_differs")
    assert platform.seats_left == SEATS_TOTAL
    assert platform.processor.refunds == {f"refund-{ORDER}": "ch_1"}


@pytest.mark.parametrize("status", TRANSIENT)
def test_an_order_whose_refund_may_succeed_later_waits_for_it(
    platform: Platform, status: int
) -> None:
    """An order that failed because of its charge has its money back."""
    platform.place(State.CHARGING)
    platform.processor.refusals["/refunds"] = (status, "")
    assert deliver(charged(amount_cents=1)) == RUNS_MAX
    assert (platform.order["state"], platform.dead_letters) == ("charging", [])
    platform.processor.refusals.clear()
    assert deliver(charged(amount_cents=1)) == 1
    platform.assert_failed("charge_differs")


@pytest.mark.parametrize("status", USUAL_PERMANENT)
def test_an_order_whose_refund_is_refused_fails_and_leaves_a_dead_letter(
    platform: Platform, status: int
) -> None:
    """One run and one request; a person has to return the money."""
    platform.place(State.CHARGING)
    platform.processor.refusals["/refunds"] = (status, "")
    assert deliver(charged(amount_cents=1)) == 1
    assert (platform.order["state"], platform.order["reason"]) == ("failed", "charge_differs")
    assert platform.seats_left == SEATS_TOTAL
    assert platform.processor.received == ["/refunds"]
    platform.assert_dead_letter("settle", "refused_by_processor")


@pytest.mark.parametrize("status", USUAL_PERMANENT)
def test_a_late_payment_whose_refund_is_refused_is_a_dead_letter(
    platform: Platform, status: int
) -> None:
    platform.place(State.EXPIRED)
    platform.processor.refusals["/refunds"] = (status, "")
    assert deliver(charged()) == 1
    assert platform.order["state"] == "expired"
    platform.assert_dead_letter("settle", "refused_by_processor")


@pytest.mark.parametrize("status", TRANSIENT)
def test_a_late_payment_whose_refund_may_succeed_later_is_retried(
    platform: Platform, status: int
) -> None:
    platform.place(State.EXPIRED)
    platform.processor.refusals["/refunds"] = (status, "")
    assert deliver(charged()) == RUNS_MAX
    assert platform.dead_letters == []


@pytest.mark.parametrize(
    ("status", "code"),
    [(status, FunctionsErrorCode.FAILED_PRECONDITION) for status in USUAL_PERMANENT]
    + [(status, FunctionsErrorCode.UNAVAILABLE) for status in TRANSIENT],
)
def test_an_organiser_learns_whether_to_try_a_refund_again(
    platform: Platform, status: int, code: FunctionsErrorCode
) -> None:
    platform.place(State.TICKETED)
    platform.processor.refusals["/refunds"] = (status, "")
    with pytest.raises(HttpsError) as refused:
        refund_call()
    assert refused.value.code is code
    assert platform.order["state"] == "ticketed"


@pytest.mark.parametrize("change", [{"seats": 0}, {"state": "no such state"}], ids=str)
def test_an_organiser_is_told_that_an_order_is_unusable_before_its_money_moves(
    platform: Platform, change: dict[str, Any]
) -> None:
    platform.place(State.TICKETED)
    platform.order.update(change)
    with pytest.raises(HttpsError) as refused:
        refund_call()
    assert refused.value.code is FunctionsErrorCode.FAILED_PRECONDITION
    assert platform.processor.received == []


def test_an_order_that_cannot_move_after_its_refund_is_a_dead_letter(platform: Platform) -> None:
    """Its show was deleted. The money is back, and a person has to void the tickets."""
    platform.place(State.TICKETED)
    del platform.firestore.documents[f"shows/{SHOW}"]
    for _ in range(2):
        with pytest.raises(HttpsError) as refused:
            refund_call()
        assert refused.value.code is FunctionsErrorCode.FAILED_PRECONDITION
    assert platform.processor.refunds == {f"refund-{ORDER}": "ch_1"}
    platform.assert_dead_letter("refund", "missing_document")


def span_named(spans: InMemorySpanExporter, name: str) -> dict[str, Any]:
    """Return the attributes of the only span of that name."""
    (span,) = [span for span in spans.get_finished_spans() if span.name == name]
    return dict(span.attributes or {})


def test_the_span_has_both_amounts_and_the_field_that_differs(
    platform: Platform, spans: InMemorySpanExporter
) -> None:
    platform.place(State.CHARGING)
    charged(amount_cents=CENTS - 1)()
    facts = {
        "boxoffice.order.amount_cents": CENTS,
        "boxoffice.order.currency": "EUR",
        "boxoffice.charge.amount_cents": CENTS - 1,
        "boxoffice.charge.currency": "EUR",
        "boxoffice.charge.differs_in": "amount_cents",
        "boxoffice.permanent_failure": "charge_differs",
        "boxoffice.order.state": "failed",
        "error.type": "boxoffice.failure.OrderFailure",
        "http.response.status_code": 200,
    }
    assert facts.items() <= span_named(spans, "settle").items()


def test_a_refusals_span_has_the_processors_status_and_code(
    platform: Platform, spans: InMemorySpanExporter
) -> None:
    platform.place(State.RESERVED)
    platform.processor.refusals["/charges"] = (402, "card_refused")
    about(charge.charge)()
    (span,) = [span for span in spans.get_finished_spans() if span.name == "charge"]
    assert (span.attributes or {})["boxoffice.permanent_failure"] == "charge_refused"
    assert (span.attributes or {})["boxoffice.charge.amount_cents"] == CENTS
    assert str(span.status.description).endswith("status 402, card_refused")
    assert not span.status.is_ok


def test_an_order_that_goes_well_gives_nothing_up(
    platform: Platform, spans: InMemorySpanExporter
) -> None:
    """From the created document to the tickets, each stage runs once."""
    platform.place(amount_cents=None, currency=None, hold_until=None)
    assert deliver(created(document=platform.order)) == 1
    assert deliver(about(charge.charge)) == 1
    assert deliver(charged(id=f"ch_{ORDER}")) == 1
    assert deliver(about(issue.issue)) == 1
    assert platform.order["state"] == "ticketed"
    assert len(platform.firestore.in_collection("tickets")) == SEATS
    assert all(
        "boxoffice.permanent_failure" not in (span.attributes or {})
        for span in spans.get_finished_spans()
    )
