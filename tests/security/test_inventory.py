"""Free denial of inventory: what unpaid orders can keep from buyers who pay.

The stages' transactions and the rules run on a Firestore emulator; no stack is around it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

import settings
from boxoffice import clients, expire, holds, ledger, reserve, settlement, sweep, transactions
from boxoffice.order import UNPAID, State
from stack import paths
from tests.security import forged_requests, lone_firestore
from tests.security.forged_requests import STARTS_AT
from tests.security.lone_firestore import LoneFirestore, Outcome

RULES = (paths.ROOT / "rules" / "firestore.rules").read_text()
SEATS_TOTAL, PRICE_CENTS = 60, 1000
SHOW = "night-ferry"
# As many instances as the functions emulator runs of a function on a small machine.
AT_A_TIME = 4
# Long ago for a waiting order, so that no test waits for seats.
PLACED_AT = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def firestore(
    firestore_emulator: LoneFirestore, monkeypatch: pytest.MonkeyPatch
) -> Iterator[LoneFirestore]:
    """An emulator with one show, to which the stages' own client is connected."""
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", firestore_emulator.url.removeprefix("http://"))
    monkeypatch.setenv("GCLOUD_PROJECT", lone_firestore.PROJECT)
    firestore_emulator.reset({f"shows/{SHOW}": show()})
    # However slow this machine is, the orders that lock each other's documents do not give up.
    monkeypatch.setattr(transactions, "LOCK_WAIT_SECONDS", 240.0)
    clients.firestore.cache_clear()
    yield firestore_emulator
    clients.firestore().close()  # type: ignore[no-untyped-call]
    clients.firestore.cache_clear()


def show(seats_left: int = SEATS_TOTAL) -> dict[str, Any]:
    """Return a show that begins in years."""
    return {
        "starts_at": STARTS_AT,
        "price_cents": PRICE_CENTS,
        "currency": "EUR",
        "seats_total": SEATS_TOTAL,
        "seats_left": seats_left,
    }


def place(order_id: str, uid: str, seats: int, **fields: object) -> str:
    """Write a placed order as if the rules had let it in, and return its id."""
    card = {"card_token": "tok_0000000000000000_approved"}
    order = {"uid": uid, "show_id": SHOW, "seats": seats, "state": "placed", **card}
    times = {"placed_at": PLACED_AT}
    clients.firestore().collection("orders").document(order_id).create({**order, **times, **fields})
    return order_id


def reserve_all(order_ids: Sequence[str]) -> list[ledger.Outcome]:
    """Run reserve's transaction for each order, a few at a time, as the platform does."""
    with ThreadPoolExecutor(AT_A_TIME) as pool:
        return list(
            pool.map(
                lambda order_id: ledger.move_order(order_id, State.RESERVED, reserve.hold_seats),
                order_ids,
            )
        )


def read(path: str) -> dict[str, Any]:
    """Return a document; an empty one if there is none."""
    return clients.firestore().document(path).get().to_dict() or {}


def held_seats() -> int:
    """Return how many seats of the show are held by orders that are not paid for."""
    orders = (read(f"orders/{one.id}") for one in clients.firestore().collection("orders").stream())
    return sum(order["seats"] for order in orders if order["state"] in UNPAID and order["has_hold"])


def pay(order_id: str, status: str = "succeeded") -> ledger.Outcome:
    """Charge an order, and apply the bank's decision."""
    ledger.move_order(order_id, State.CHARGING)
    order = read(f"orders/{order_id}")
    charge = {
        "id": f"ch_{order_id}",
        "status": status,
        "amount_cents": order["amount_cents"],
        "currency": order["currency"],
        "metadata": {"order_id": order_id},
    }
    return settlement.apply_charge(order_id, charge)


def lapse(order_id: str) -> ledger.Outcome:
    """End an order's hold, as if its time had passed."""
    long_ago = datetime(2026, 1, 1, tzinfo=UTC)
    clients.firestore().document(f"orders/{order_id}").update({"hold_until": long_ago})
    return ledger.move_order(order_id, State.EXPIRED, expire.release_hold)


def stall() -> None:
    """Let the show's unpaid orders be without a payment for a minute, and without a failure."""
    minute_ago = datetime.now(UTC) - timedelta(minutes=1)
    clients.firestore().document(f"show_holds/{SHOW}").update({"progress_at": minute_ago})


def test_one_buyer_with_twenty_orders_holds_at_most_the_configured_seats(
    firestore: LoneFirestore,
) -> None:
    """Concurrent orders do not get past the limits; each refusal has its numbers."""
    order_ids = [place(f"o{number}", "mallory", 1 + number % 8) for number in range(20)]
    outcomes = reserve_all(order_ids)
    reserved = [each for each in outcomes if each.state is State.RESERVED]
    assert 0 < len(reserved) <= settings.unpaid_orders_max()
    assert sum(each.order["seats"] for each in reserved) <= settings.unpaid_seats_max()
    assert held_seats() <= settings.unpaid_seats_max()
    assert read("buyer_holds/mallory") == {
        "orders": len(reserved),
        "seats": sum(each.order["seats"] for each in reserved),
    }
    for order in (each.order for each in outcomes if each.state is State.REJECTED):
        if order["reason"] == "too_many_orders":
            assert order["held"] == order["limit"] == settings.unpaid_orders_max()
        else:
            assert order["reason"] == "too_many_seats"
            assert order["held"] + order["seats"] > order["limit"] == settings.unpaid_seats_max()


def attack(accounts: int) -> list[str]:
    """Place and reserve an order of each of many accounts; return the ids of those accepted."""
    order_ids = [place(f"a{number}", f"account-{number}", 8) for number in range(accounts)]
    outcomes = reserve_all(order_ids)
    return [
        order_id
        for order_id, outcome in zip(order_ids, outcomes, strict=True)
        if outcome.state is State.RESERVED
    ]


@pytest.mark.parametrize("accounts", [40, pytest.param(1_000, marks=pytest.mark.long)])
def test_many_accounts_hold_at_most_half_of_a_show_and_a_buyer_who_pays_gets_seats(
    firestore: LoneFirestore, accounts: int
) -> None:
    """While the attackers' orders are pending, a legal buyer is charged first and gets tickets."""
    accepted = attack(accounts)
    assert 20 < held_seats() <= SEATS_TOTAL / 2
    stall()
    (legal,) = reserve_all([place("legal", "alice", 5)])
    assert legal.state is State.RESERVED
    assert not legal.order["has_hold"]
    assert pay("legal").state is State.PAID
    assert held_seats() <= SEATS_TOTAL / 2
    # The attackers' cards are declined or never answered for, and all other seats come back.
    for number, order_id in enumerate(accepted):
        assert (pay(order_id, "declined") if number % 2 else lapse(order_id)).moved
    assert read(f"shows/{SHOW}")["seats_left"] == SEATS_TOTAL - 5
    counters = read(f"show_holds/{SHOW}")
    assert (counters["held"], counters["unheld"]) == (0, 0)
    for uid in ("alice", *(f"account-{order_id[1:]}" for order_id in accepted)):
        assert read(f"buyer_holds/{uid}") == {"orders": 0, "seats": 0}


def test_while_payments_come_no_order_is_charged_for_a_seat_that_another_may_get(
    firestore: LoneFirestore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of fifty orders of two seats each thirty are accepted, and all of them get their seats."""
    # However slow this machine is, these orders have not stalled.
    monkeypatch.setenv("UNPAID_STALL_SECONDS", "3600")
    order_ids = [place(f"o{number}", f"buyer-{number}", 2) for number in range(50)]
    outcomes = dict(zip(order_ids, reserve_all(order_ids), strict=True))
    accepted = [order_id for order_id in order_ids if outcomes[order_id].state is State.RESERVED]
    assert len(accepted) == SEATS_TOTAL / 2
    assert held_seats() == SEATS_TOTAL / 2
    assert {outcomes[o].order["reason"] for o in order_ids if o not in accepted} == {"sold_out"}
    assert {pay(order_id).state for order_id in accepted} == {State.PAID}
    assert read(f"shows/{SHOW}")["seats_left"] == 0
    counters = read(f"show_holds/{SHOW}")
    assert (counters["held"], counters["unheld"]) == (0, 0)


def test_an_order_without_a_hold_expires_if_others_have_paid_for_its_seats(
    firestore: LoneFirestore,
) -> None:
    """It must give its payment back, which expired orders do."""
    attack(8)
    stall()
    reserve_all([place(f"late{number}", f"late-{number}", 8) for number in range(5)])
    states = [pay(f"late{number}") for number in range(5)]
    assert [each.state for each in states] == [*[State.PAID] * 4, State.EXPIRED]
    assert states[-1].order["reason"] == "sold_out"
    assert read("buyer_holds/late-4") == {"orders": 0, "seats": 0}


def test_an_order_waits_for_seats_while_unpaid_orders_speak_for_them(
    firestore: LoneFirestore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It gets the seats of an order whose card is declined meanwhile."""
    accepted = attack(8)
    hold_seats, attempts = reserve.hold_seats, []

    def hold_seats_after_a_decline(order: ledger.Document, transaction: Any) -> ledger.Move:
        attempts.append(order)
        if len(attempts) == 2:
            pay(accepted.pop(), "declined")
        return hold_seats(order, transaction)

    monkeypatch.setattr(reserve, "LOOK_SECONDS", 0.01)
    monkeypatch.setattr(reserve, "hold_seats", hold_seats_after_a_decline)
    order_id = place("patient", "alice", 8, placed_at=datetime.now(UTC))
    assert reserve.wait_and_hold_seats(order_id).state is State.RESERVED
    assert len(attempts) > 1


def test_a_show_that_has_begun_sells_no_seats(firestore: LoneFirestore) -> None:
    """Also if an order gets past the rules, as one that waited for its function may."""
    at_the_start, before = (
        place(name, "alice", 1, placed_at=at)
        for name, at in (("late", STARTS_AT), ("early", STARTS_AT - timedelta(microseconds=1)))
    )
    late, early = reserve_all([at_the_start]) + reserve_all([before])
    assert (late.state, late.order["reason"]) == (State.REJECTED, "show_begun")
    assert early.state is State.RESERVED


def test_the_rules_let_one_buyer_place_an_order_every_two_seconds_at_most(
    firestore: LoneFirestore,
) -> None:
    """Of a flood of orders, sent four at a time, hardly any gets in."""
    firestore.load_rules(RULES)

    def order(number: int) -> bool:
        order_id = f"flood-{number}"
        fields = forged_requests.order(uid="mallory")
        creation = forged_requests.create(f"orders/{order_id}", fields, ("placed_at",))
        call = forged_requests.noted(creation, order_id, "mallory")
        with suppress(AssertionError):  # two at the same time may abort each other
            return firestore.outcome(call, forged_requests.token("mallory")) is Outcome.ALLOWED
        return False

    began = time.monotonic()
    with ThreadPoolExecutor(AT_A_TIME) as pool:
        let_in = sum(pool.map(order, range(300)))
    assert 1 <= let_in <= (time.monotonic() - began) / 2 + 1


def test_orders_that_stay_stuck_do_not_keep_the_sweep_from_the_others(
    firestore: LoneFirestore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each of 25 stuck orders is read within three sweeps of ten, and then again."""
    monkeypatch.setattr(sweep, "ORDERS_MAX", 10)
    placed = [
        place(
            f"o{number:02}", f"buyer-{number}", 1, placed_at=PLACED_AT + timedelta(seconds=number)
        )
        for number in range(25)
    ]
    for _ in range(2):
        sweeps = [[order_id for order_id, _ in sweep.stuck_orders(STARTS_AT)] for _ in range(3)]
        assert [len(order_ids) for order_ids in sweeps] == [10, 10, 5]
        assert [order_id for order_ids in sweeps for order_id in order_ids] == placed


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("stop_counting", lambda _tx, _order, _to: {}),
        ("count", lambda _tx, _counted, _counters: None),
    ],
)
def test_counters_that_are_not_kept_are_found_out(
    firestore: LoneFirestore, monkeypatch: pytest.MonkeyPatch, name: str, wrong: Callable[..., Any]
) -> None:
    """Guards the tests above, which must see a counter that is wrong."""
    monkeypatch.setattr(holds, name, wrong)
    reserve_all([place("o", "alice", 2)])
    pay("o")
    assert read("buyer_holds/alice") != {"orders": 0, "seats": 0}
