"""Orders under random interleavings, duplicated and reordered deliveries, and crashes.

The model is what the stages do around boxoffice.order. Each reads an order, checks its move, and
writes in one transaction, which begins again if what it read has changed. It publishes its messages
after that, and may crash at any point. Deliveries are at least once, and in no order.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

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

from boxoffice import order as order_module
from boxoffice.order import FINAL, MoveStatus, State

SEATS_TOTAL = 5
ORDERS_MAX = 4
HOLDING = {State.RESERVED, State.CHARGING, State.PAID, State.TICKETED}
# Sweeps after which no order moves any more: an order needs at most one for each of its moves.
SWEEPS_MAX = 10


@dataclass
class Order:
    """An order document; `version` counts its writes."""

    seats: int
    state: State = State.PLACED
    version: int = 0
    lapsed: bool = False


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
    show_version: int = 0
    orders: list[Order] = field(default_factory=list)
    tickets: Counter[int] = field(default_factory=Counter)
    charges: dict[int, bool] = field(default_factory=dict)
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
        if delivery.stage == "refund" and may_refund and self.charges.get(delivery.order_id):
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
        if self._move_status(order_id, to) is MoveStatus.LEGAL:
            order = self.orders[order_id]
            order.state = writes(order) or to
            order.version += 1

    def take_seats(self, order: Order) -> State | None:
        """Take an order's seats off the stock, or reject it."""
        if self.seats_left < order.seats:
            return State.REJECTED
        self.seats_left -= order.seats
        self.show_version += 1
        return None

    def return_seats(self, order: Order) -> None:
        """Put an order's seats back into the stock."""
        self.seats_left += order.seats
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
    if box_office.orders[order_id].state is State.CHARGING:
        # Under one key the processor charges once; every third order has a card that it declines.
        box_office.charges.setdefault(order_id, order_id % 3 != 2)
        box_office.publish("settle", order_id)


def _settle(box_office: BoxOffice, order_id: int) -> None:
    if box_office.charges[order_id]:
        box_office.advance(order_id, State.PAID, lambda _order: None)
    else:
        box_office.advance(order_id, State.DECLINED, box_office.return_seats)


def _announce_payment(box_office: BoxOffice, order_id: int) -> None:
    match box_office.orders[order_id].state:
        case State.PAID:
            box_office.publish("issue", order_id)
        case State.EXPIRED if box_office.charges[order_id]:
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


class Interleavings(RuleBasedStateMachine):
    """Everything that can happen to a few orders of one show, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.box_office = BoxOffice()

    @precondition(lambda self: len(self.box_office.orders) < ORDERS_MAX)
    @rule(seats=st.integers(1, 3))
    def place(self, seats: int) -> None:
        """A buyer places an order."""
        self.box_office.orders.append(Order(seats))
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
    def refund(self, data: st.DataObject) -> None:
        """An organiser asks for a refund."""
        order_ids = range(len(self.box_office.orders))
        self.box_office.publish("refund", data.draw(st.sampled_from(order_ids)))

    @rule()
    def sweep(self) -> None:
        """The schedule looks for stuck orders."""
        self.box_office.sweep()

    @invariant()
    def the_stock_is_what_the_orders_do_not_hold(self) -> None:
        """No seat is sold twice, and each comes back exactly once."""
        held = sum(order.seats for order in self.box_office.orders if order.state in HOLDING)
        assert self.box_office.seats_left >= 0
        assert self.box_office.seats_left + held == SEATS_TOTAL

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
                assert self.box_office.charges.get(order_id)
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
            if order.state is State.EXPIRED and box_office.charges.get(order_id):
                assert order_id in box_office.refunds
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
        (State.REFUNDED, State.REFUNDED),
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
