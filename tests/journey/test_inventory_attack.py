"""Free denial of inventory: many accounts order all seats, and none of their cards is any good."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from tests.addresses import Addresses
from tests.buyer import DECLINED, FINAL, BoxOffice, Buyer

SEATS_TOTAL = 60
# As many orders as the functions emulator can work on at a time on a small machine.
AT_A_TIME = 4
# Of legal buyers, spread over the attack.
PURCHASES = 10


class Attack:
    """Accounts that each order as many seats as the rules allow, a few at a time."""

    def __init__(
        self, addresses: Addresses, box_office: BoxOffice, show_id: str, accounts: int
    ) -> None:
        self.orders: dict[str, str] = {}
        self._addresses, self._box_office, self._show_id = addresses, box_office, show_id
        self._numbers = iter(range(accounts))
        self._lock = threading.Lock()
        self.over = threading.Event()
        self.threads = [threading.Thread(target=self._order) for _ in range(AT_A_TIME)]

    def _order(self) -> None:
        while not self.over.is_set():
            with self._lock:
                if next(self._numbers, None) is None:
                    return
            buyer = Buyer(self._addresses)
            order_id = buyer.place(show_id=self._show_id, seats=8, card_token=DECLINED)
            buyer.close()
            self.orders[order_id] = buyer.uid
            self._box_office.wait_for(order_id, {*FINAL, "reserved", "charging"}, seconds=120)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Run the attack while the block runs."""
        for thread in self.threads:
            thread.start()
        try:
            yield
        finally:
            self.over.set()
            for thread in self.threads:
                thread.join()

    def wait_for(self, orders: int) -> None:
        """Wait until that many accounts have ordered, or the attack has ended."""
        while self.is_on and len(self.orders) < orders:
            time.sleep(0.05)

    @property
    def is_on(self) -> bool:
        """Return whether accounts are left that have not ordered."""
        return any(thread.is_alive() for thread in self.threads)


@pytest.mark.parametrize(
    ("accounts", "ticketed_seconds"), [(40, 60), pytest.param(1_000, 10, marks=pytest.mark.long)]
)
def test_a_buyer_who_pays_gets_tickets_in_seconds_under_attack(
    addresses: Addresses,
    new_buyer: Callable[[], Buyer],
    box_office: BoxOffice,
    open_show: Callable[..., str],
    accounts: int,
    ticketed_seconds: float,
) -> None:
    """Unpaid orders never hold more than half of the show, and leave nothing held at the end."""
    show_id = open_show(seats=SEATS_TOTAL)
    # The first purchase may have to start the functions.
    assert box_office.wait_for(new_buyer().place(show_id=show_id))["state"] == "ticketed"
    attack = Attack(addresses, box_office, show_id, accounts)
    held: list[int] = []

    def watch() -> None:
        while not attack.over.wait(0.1):
            counters = box_office.documents.get(f"show_holds/{show_id}")
            if counters.is_success:
                held.append(box_office.documents.read(f"show_holds/{show_id}")["held"])

    took_seconds: list[float] = []
    with ThreadPoolExecutor(1) as pool, attack.running():
        watching = pool.submit(watch)
        while attack.is_on or not took_seconds:
            began, ordered = time.monotonic(), len(attack.orders)
            order = box_office.wait_for(new_buyer().place(show_id=show_id), seconds=90)
            took_seconds.append(time.monotonic() - began)
            assert order["state"] == "ticketed", order
            attack.wait_for(ordered + accounts // PURCHASES)
        attack.over.set()
        watching.result()
    assert max(took_seconds) <= ticketed_seconds
    assert 0 < max(held) <= SEATS_TOTAL / 2
    assert len(attack.orders) == accounts
    for order_id in attack.orders:
        assert box_office.wait_for(order_id, seconds=120)["state"] in {"declined", "rejected"}
    left = box_office.documents.read(f"shows/{show_id}")["seats_left"]
    assert left == SEATS_TOTAL - 1 - len(took_seconds)
    counters = box_office.documents.read(f"show_holds/{show_id}")
    assert (counters["held"], counters["unheld"]) == (0, 0)
