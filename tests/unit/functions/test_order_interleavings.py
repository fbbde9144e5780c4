"""Orders under random interleavings, duplicated and reordered deliveries, and crashes.

The model is what the stages do around boxoffice.order. Each reads an order, checks its move, and
writes in one transaction, which begins again if what it read has changed. It publishes its messages
after that, and may crash at any point. Deliveries are at least once, and in no order. A charge
may be refused or differ in its amount, and an order may turn out to be unusable: then the stage
refunds what was paid, and moves the order to failed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import Enum, auto
from typing import Any

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from boxoffice import holds
from boxoffice import order as order_module
from boxoffice.order import FINAL, IN_PROGRESS, UNPAID, MoveStatus, State

SEATS_TOTAL = 5
ORDERS_MAX = 4
BUYERS = ("alice", "bob")
# Unpaid orders hold at most three of the five seats.
LIMITS = holds.Limits(orders=2, seats=4, share=0.6, stall_seconds=6)
BEGAN_AT = datetime(2026, 1, 1, tzinfo=UTC)
SOLD = {State.PAID, State.TICKETED}
# Sweeps after which no order moves any more: an order needs at most one for each of its moves.
SWEEPS_MAX = 10


class Card(Enum):
    """What the processor does with a card."""

    APPROVED = auto()
    DECLINED = auto()
    REFUSED = auto()  # The request is refused, and there is no charge.
    REFUSED_LATER = auto()  # The first request is approved, and every later one refused.
    CHARGED_OTHERWISE = auto()  # Approved, but for another amount.


@dataclass
class Order:
    """An order document; `version` counts its writes.

    `counted` is what the order counts with while it is unpaid. An order that is not `usable` lacks
    a field, and no stage but the one that fails it can move it.
    """

    seats: int
    buyer: str = BUYERS[0]
    card: Card = Card.APPROVED
    admission: holds.Admission = holds.Admission.HELD
    counted: Mapping[str, Any] | None = None
    state: State = State.PLACED
    version: int = 0
    lapsed: bool = False
    usable: bool = True


@dataclass(frozen=True)
class Delivery:
    """The delivery of an order to a stage; `number` distinguishes deliveries of the same kind."""

    stage: str
    order_id: int
    number: int


@dataclass
class Run:
    """A run of a stage for a delivery: what it has read, and whether it has committed."""

    delivery: Delivery
    read: tuple[int, int]
    committed: bool = False


@dataclass
class BoxOffice:
    """The documents, the card processor, and the pending deliveries between the stages."""

    seats_left: int = SEATS_TOTAL
    unpaid_orders: Counter[str] = field(default_factory=Counter)
    unpaid_seats: Counter[str] = field(default_factory=Counter)
    held: int = 0
    unheld: int = 0
    now: datetime = BEGAN_AT
    progress_at: datetime = BEGAN_AT
    failed_at: datetime | None = None
    show_version: int = 0
    orders: list[Order] = field(default_factory=list)
    tickets: Counter[int] = field(default_factory=Counter)
    charges: dict[int, Card] = field(default_factory=dict)
    refunds: set[int] = field(default_factory=set)
    pending: list[Delivery] = field(default_factory=list)
    runs: list[Run] = field(default_factory=list)
    sent: int = 0

    def publish(self, stage: str, order_id: int) -> None:
        """Add a delivery to those that are pending."""
        self.sent += 1
        self.pending.append(Delivery(stage, order_id, self.sent))

    def begin(self, delivery: Delivery) -> None:
        """Have a stage read the order of its delivery."""
        may_refund = self._move_status(delivery.order_id, State.REFUNDED) is MoveStatus.LEGAL
        if delivery.stage == "refund" and may_refund and self.is_charged(delivery.order_id):
            # The processor is called first, and the order is moved second.
            self.refunds.add(delivery.order_id)
        self.runs.append(Run(delivery, self._versions(delivery.order_id)))

    def commit(self, run: Run) -> None:
        """Commit a stage's transaction, or begin it again if another wrote what it had read."""
        order_id = run.delivery.order_id
        if run.read != self._versions(order_id):
            run.read = self._versions(order_id)
            return
        STAGES[run.delivery.stage].move(self, order_id)
        run.committed = True

    def finish(self, run: Run, *, duplicate: bool = False) -> None:
        """Publish a stage's messages, and acknowledge its delivery unless it is to be repeated."""
        STAGES[run.delivery.stage].publish(self, run.delivery.order_id)
        self.runs.remove(run)
        if not duplicate and run.delivery in self.pending:
            self.pending.remove(run.delivery)

    def work(self, delivery: Delivery, *, duplicate: bool = False) -> None:
        """Begin, commit and finish a stage's run without interruption."""
        self.begin(delivery)
        run = self.runs[-1]
        self.commit(run)
        self.finish(run, duplicate=duplicate)

    def sweep(self) -> None:
        """Start each order's next stage again, as the schedule does for orders that are stuck."""
        for order_id, order in enumerate(self.orders):
            match order.state:
                case State.PLACED:
                    self.publish("reserve", order_id)
                case State.RESERVED | State.CHARGING:
                    self.publish("expire" if order.lapsed else "charge", order_id)
                case State.PAID:
                    self.publish("issue", order_id)

    def advance(self, order_id: int, to: State, writes: Callable[[Order], State | None]) -> None:
        """Move an order if the move is legal; `writes` may return another state to move it to."""
        if self._move_status(order_id, to) is not MoveStatus.LEGAL:
            return
        order = self.orders[order_id]
        if not order.usable and order.state in IN_PROGRESS:
            self.fail(order_id, order.state)
            return
        order.state = writes(order) or to
        order.version += 1
        self.stop_counting(order)

    def fail(self, order_id: int, found_in: State) -> None:
        """Refund an order's payment, if it is known, and move the order to failed.

        The order may have left the state in which it failed.
        """
        order = self.orders[order_id]
        if order.state is State.PAID:
            self.refunds.add(order_id)
        is_legal = self._move_status(order_id, State.FAILED) is MoveStatus.LEGAL
        if order.state is found_in and is_legal:
            if order.state is not State.PLACED:
                self.return_seats(order)
            order.state = State.FAILED
            order.version += 1
            self.stop_counting(order)

    def is_charged(self, order_id: int) -> bool:
        """Return whether the processor took money for an order."""
        return self.charges.get(order_id, Card.DECLINED) is not Card.DECLINED

    def take_seats(self, order: Order) -> State | None:
        """Take an order's seats off the stock, accept it without a hold, or reject it."""
        if self.seats_left < order.seats:
            return State.REJECTED
        counters = holds.Counters(
            self.unpaid_orders[order.buyer],
            self.unpaid_seats[order.buyer],
            self.held,
            self.unheld,
            self.progress_at,
            self.failed_at,
        )
        admission = counters.admission(order.seats, self.seats_left, SEATS_TOTAL, self.now, LIMITS)
        if counters.rejection(order.seats, LIMITS) or admission is None:
            return State.REJECTED
        order.admission = admission
        document = {"uid": order.buyer, "show_id": "show", "seats": order.seats}
        order.counted = holds.counted_with(document, admission)
        is_first = not self.held and not self.unheld
        self.count(order, 1, "progress_at" if is_first else None)
        self.seats_left -= order.counted["held"]
        return None

    def count(self, order: Order, sign: int, timestamp: str | None) -> None:
        """Add an order to the counters, or subtract it, and set a timestamp to now."""
        assert order.counted is not None
        self.unpaid_orders[order.buyer] += sign
        self.unpaid_seats[order.buyer] += sign * order.counted["seats"]
        self.held += sign * order.counted["held"]
        self.unheld += sign * order.counted["unheld"]
        if timestamp and (order.counted["held"] or order.counted["unheld"]):
            setattr(self, timestamp, self.now)
        self.show_version += 1

    def stop_counting(self, order: Order) -> None:
        """Subtract an order that was counted while it was unpaid."""
        if order.counted is not None and order.state not in UNPAID:
            self.count(order, -1, "progress_at" if order.state is State.PAID else "failed_at")
            order.counted = None

    def sell_seats(self, order: Order) -> State | None:
        """Take the seats of a paid order without a hold, or expire it."""
        if order.admission is not holds.Admission.HELD:
            if self.seats_left < order.seats:
                return State.EXPIRED
            self.seats_left -= order.seats
            self.show_version += 1
        return None

    def return_seats(self, order: Order) -> None:
        """Put the seats that an order has taken back into the stock."""
        self.seats_left += order.counted["held"] if order.counted else order.seats
        self.show_version += 1

    def _move_status(self, order_id: int, to: State) -> MoveStatus:
        return order_module.check_move(self.orders[order_id].state, to)

    def _versions(self, order_id: int) -> tuple[int, int]:
        return self.orders[order_id].version, self.show_version


def _reserve(box_office: BoxOffice, order_id: int) -> None:
    box_office.advance(order_id, State.RESERVED, box_office.take_seats)


def _request_charge(box_office: BoxOffice, order_id: int) -> None:
    if box_office.orders[order_id].state is State.RESERVED:
        box_office.publish("charge", order_id)
        box_office.publish("expire", order_id)


def _charge(box_office: BoxOffice, order_id: int) -> None:
    box_office.advance(order_id, State.CHARGING, lambda _order: None)


def _call_acquirer(box_office: BoxOffice, order_id: int) -> None:
    order = box_office.orders[order_id]
    if order.state is not State.CHARGING:
        return
    is_first = order_id not in box_office.charges
    if order.card is Card.REFUSED or (order.card is Card.REFUSED_LATER and not is_first):
        box_office.fail(order_id, State.CHARGING)
        return
    # Under one key the processor charges once.
    box_office.charges.setdefault(order_id, order.card)
    box_office.publish("settle", order_id)


def _settle(box_office: BoxOffice, order_id: int) -> None:
    match box_office.charges[order_id]:
        case Card.DECLINED:
            box_office.advance(order_id, State.DECLINED, box_office.return_seats)
        case Card.CHARGED_OTHERWISE if box_office.orders[order_id].state is State.CHARGING:
            box_office.refunds.add(order_id)
            box_office.fail(order_id, State.CHARGING)
        case _:
            box_office.advance(order_id, State.PAID, box_office.sell_seats)


def _announce_payment(box_office: BoxOffice, order_id: int) -> None:
    match box_office.orders[order_id].state:
        case State.PAID:
            box_office.publish("issue", order_id)
        case State.EXPIRED | State.FAILED if box_office.is_charged(order_id):
            box_office.refunds.add(order_id)


def _issue(box_office: BoxOffice, order_id: int) -> None:
    def write_tickets(order: Order) -> None:
        box_office.tickets[order_id] += order.seats

    box_office.advance(order_id, State.TICKETED, write_tickets)


def _expire(box_office: BoxOffice, order_id: int) -> None:
    if box_office.orders[order_id].lapsed:
        box_office.advance(order_id, State.EXPIRED, box_office.return_seats)


def _refund(box_office: BoxOffice, order_id: int) -> None:
    if order_id in box_office.refunds:
        box_office.advance(order_id, State.REFUNDED, box_office.return_seats)


def _publish_nothing(_box_office: BoxOffice, _order_id: int) -> None:
    pass


@dataclass(frozen=True)
class Stage:
    """A stage: its transaction, and the messages that it publishes afterwards."""

    move: Callable[[BoxOffice, int], None]
    publish: Callable[[BoxOffice, int], None] = _publish_nothing


STAGES: Mapping[str, Stage] = {
    "reserve": Stage(_reserve, _request_charge),
    "charge": Stage(_charge, _call_acquirer),
    "settle": Stage(_settle, _announce_payment),
    "issue": Stage(_issue),
    "expire": Stage(_expire),
    "refund": Stage(_refund),
}


def is_held(order: Order) -> bool:
    """Return whether an unpaid order holds its seats."""
    return order.admission is holds.Admission.HELD


class Interleavings(RuleBasedStateMachine):
    """Everything that can happen to a few orders of one show, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.box_office = BoxOffice()

    @precondition(lambda self: len(self.box_office.orders) < ORDERS_MAX)
    @rule(seats=st.integers(1, 3), buyer=st.sampled_from(BUYERS), card=st.sampled_from(Card))
    def place(self, seats: int, buyer: str, card: Card) -> None:
        """A buyer places an order."""
        self.box_office.orders.append(Order(seats, buyer, card))
        self.box_office.publish("reserve", len(self.box_office.orders) - 1)

    @precondition(lambda self: self.box_office.pending)
    @rule(data=st.data(), duplicate=st.booleans())
    def work(self, data: st.DataObject, duplicate: bool) -> None:
        """Any pending delivery arrives, and its stage runs without interruption."""
        self.box_office.work(
            data.draw(st.sampled_from(self.box_office.pending)), duplicate=duplicate
        )

    @precondition(lambda self: self.box_office.pending)
    @rule(data=st.data())
    def begin(self, data: st.DataObject) -> None:
        """Any pending delivery arrives, even one that another run is processing."""
        self.box_office.begin(data.draw(st.sampled_from(self.box_office.pending)))

    @precondition(lambda self: any(not run.committed for run in self.box_office.runs))
    @rule(data=st.data())
    def commit(self, data: st.DataObject) -> None:
        """Any run commits its transaction, or has to begin it again."""
        runs = [run for run in self.box_office.runs if not run.committed]
        self.box_office.commit(data.draw(st.sampled_from(runs)))

    @precondition(lambda self: any(run.committed for run in self.box_office.runs))
    @rule(data=st.data(), duplicate=st.booleans())
    def finish(self, data: st.DataObject, duplicate: bool) -> None:
        """Any run that has committed ends; its delivery may still be repeated."""
        runs = [run for run in self.box_office.runs if run.committed]
        self.box_office.finish(data.draw(st.sampled_from(runs)), duplicate=duplicate)

    @precondition(lambda self: self.box_office.runs)
    @rule(data=st.data())
    def crash(self, data: st.DataObject) -> None:
        """Any run crashes, before its commit or after; its delivery stays pending."""
        self.box_office.runs.remove(data.draw(st.sampled_from(self.box_office.runs)))

    @precondition(lambda self: self.box_office.pending)
    @rule(data=st.data())
    def lose(self, data: st.DataObject) -> None:
        """A delivery is lost, except the processor's, which calls until it is answered."""
        delivery = data.draw(st.sampled_from(self.box_office.pending))
        if delivery.stage != "settle":
            self.box_office.pending.remove(delivery)

    @precondition(lambda self: self.box_office.orders)
    @rule(data=st.data())
    def lapse(self, data: st.DataObject) -> None:
        """An order's hold lapses."""
        data.draw(st.sampled_from(self.box_office.orders)).lapsed = True

    @precondition(lambda self: self.box_office.orders)
    @rule(data=st.data())
    def spoil(self, data: st.DataObject) -> None:
        """An administrator removes a field that the next stage needs."""
        data.draw(st.sampled_from(self.box_office.orders)).usable = False

    @precondition(lambda self: self.box_office.orders)
    @rule(data=st.data())
    def refund(self, data: st.DataObject) -> None:
        """An organiser asks for a refund."""
        order_ids = range(len(self.box_office.orders))
        self.box_office.publish("refund", data.draw(st.sampled_from(order_ids)))

    @rule(seconds=st.integers(1, 10))
    def pass_time(self, seconds: int) -> None:
        """No payment comes for some seconds."""
        self.box_office.now += timedelta(seconds=seconds)

    @rule()
    def sweep(self) -> None:
        """The schedule looks for stuck orders."""
        self.box_office.sweep()

    @invariant()
    def the_stock_is_what_the_orders_do_not_hold(self) -> None:
        """No seat is sold twice, and each comes back exactly once."""
        taken = sum(
            order.seats
            for order in self.box_office.orders
            if order.state in SOLD or (order.state in UNPAID and is_held(order))
        )
        assert self.box_office.seats_left >= 0
        assert self.box_office.seats_left + taken == SEATS_TOTAL

    @invariant()
    def the_counters_are_what_the_unpaid_orders_hold(self) -> None:
        """They neither leak nor exceed the limits, however orders end."""
        box_office = self.box_office
        unpaid = [order for order in box_office.orders if order.state in UNPAID]
        for buyer in BUYERS:
            theirs = [order.seats for order in unpaid if order.buyer == buyer]
            assert box_office.unpaid_orders[buyer] == len(theirs) <= LIMITS.orders
            assert box_office.unpaid_seats[buyer] == sum(theirs) <= LIMITS.seats
        held = sum(order.seats for order in unpaid if is_held(order))
        assert box_office.held == held <= holds.show_limit(SEATS_TOTAL, LIMITS)
        unheld = [o.seats for o in unpaid if o.admission is holds.Admission.UNHELD]
        assert box_office.unheld == sum(unheld)

    @invariant()
    def a_ticketed_order_has_one_ticket_a_seat(self) -> None:
        """Neither more nor fewer, and no other order has any."""
        for order_id, order in enumerate(self.box_office.orders):
            issued = order.state in (State.TICKETED, State.REFUNDED)
            assert self.box_office.tickets[order_id] == (order.seats if issued else 0)

    @invariant()
    def tickets_are_paid_for(self) -> None:
        """Only a charge that succeeded brings tickets, and only a refund takes the money back."""
        for order_id, order in enumerate(self.box_office.orders):
            if order.state in (State.PAID, State.TICKETED, State.REFUNDED):
                assert self.box_office.is_charged(order_id)
                assert self.box_office.charges[order_id] is not Card.CHARGED_OTHERWISE
            if order.state is State.REFUNDED:
                assert order_id in self.box_office.refunds

    def teardown(self) -> None:
        """Run until no order moves: no order is lost, and no money is kept without tickets."""
        box_office = self.box_office
        box_office.runs.clear()
        for _ in range(SWEEPS_MAX):
            while box_office.pending:
                box_office.work(box_office.pending[0])
            box_office.sweep()
        assert not box_office.pending
        for order_id, order in enumerate(box_office.orders):
            assert order.state in FINAL
            if order.state in (State.EXPIRED, State.FAILED) and box_office.is_charged(order_id):
                assert order_id in box_office.refunds
        assert not box_office.unpaid_orders.total()
        assert not box_office.unpaid_seats.total()
        assert (box_office.held, box_office.unheld) == (0, 0)
        self.the_stock_is_what_the_orders_do_not_hold()
        self.a_ticketed_order_has_one_ticket_a_seat()
        self.tickets_are_paid_for()


def _explore(
    max_examples: int,
    steps: int,
    phases: Sequence[Phase] = tuple(Phase),
    *,
    derandomize: bool = False,
) -> None:
    run_state_machine_as_test(
        Interleavings,
        settings=settings(
            max_examples=max_examples,
            stateful_step_count=steps,
            phases=phases,
            derandomize=derandomize,
        ),
    )


def _finds_a_violation() -> bool:
    """Return whether the tests detect a broken model, without minimising the counterexample."""
    try:
        # The same interleavings on every run: a test of the model must not fail by chance.
        _explore(max_examples=2_000, steps=50, phases=[Phase.generate], derandomize=True)
    except AssertionError:
        return True
    return False


def test_no_interleaving_oversells_loses_an_order_or_issues_twice() -> None:
    """Stock, tickets and money are right after each step, and every order reaches a final state."""
    _explore(max_examples=60, steps=50)


@pytest.mark.long
def test_no_long_interleaving_oversells_loses_an_order_or_issues_twice() -> None:
    """The same, with more examples and more steps in each."""
    _explore(max_examples=5_000, steps=120)


@pytest.mark.parametrize("status", MoveStatus)
def test_the_model_finds_stages_that_do_not_check_their_moves(
    status: MoveStatus, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With one status for every move, seats or orders go wrong."""
    monkeypatch.setattr(order_module, "check_move", lambda _now, _to: status)
    assert _finds_a_violation()


@pytest.mark.parametrize(
    ("now", "to"),
    [
        (State.TICKETED, State.TICKETED),
        pytest.param(State.REFUNDED, State.REFUNDED, marks=pytest.mark.long),
        (State.RESERVED, State.RESERVED),
        (State.EXPIRED, State.EXPIRED),
    ],
)
def test_the_model_finds_a_move_that_is_made_twice(
    now: State, to: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A duplicated delivery then issues tickets, takes seats or returns them once more."""
    check_move = order_module.check_move

    def lenient(state: State, wanted: State) -> MoveStatus:
        return MoveStatus.LEGAL if (state, wanted) == (now, to) else check_move(state, wanted)

    monkeypatch.setattr(order_module, "check_move", lenient)
    assert _finds_a_violation()


@pytest.mark.parametrize(
    "broken",
    [
        ("rejection", lambda *_: None),
        ("admission", lambda *_: holds.Admission.HELD),
    ],
    ids=lambda broken: broken[0],
)
def test_the_model_finds_a_limit_that_is_not_checked(
    broken: tuple[str, Callable[..., object]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A buyer then has too many unpaid orders, or a show too many held seats."""
    monkeypatch.setattr(holds.Counters, *broken)
    assert _finds_a_violation()
