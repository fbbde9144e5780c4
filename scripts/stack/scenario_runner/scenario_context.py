"""What a scenario does on a running stack, as a buyer and as the platform."""

from __future__ import annotations

import base64
import json
import secrets
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import httpx

from stack.clients.box_office import Buyer, new_order_id
from stack.clients.page_spans import order_write_spans, page, request_span
from stack.invariants import Invariant, OrderOutcome, broken
from stack.local.addresses import StackAddresses
from stack.scenario_runner.accounts import Account, Accounts
from stack.scenario_runner.flags import Flags
from stack.scenario_runner.stack_probe import StackProbe


@dataclass(frozen=True)
class PlacedOrder:
    """An order that was placed, and its trace."""

    order_id: str
    trace_id: str


class ScenarioContext(StackProbe):
    """What a scenario acts with, and what it looks at. `scenario_context` makes one."""

    def __init__(self, addresses: StackAddresses, stack: ExitStack) -> None:
        super().__init__(addresses, stack)
        self._tracer = stack.enter_context(page(addresses.observatory))
        self._buyer: Buyer | None = None
        self._shows: list[str] = []
        self._titles: list[str] = []
        self.accounts = Accounts(addresses, self.box_office.documents)
        self._accounts: list[Account] = []
        self._stack = stack
        self.flags = Flags(self.box_office.documents)
        stack.callback(self._clear)

    def open_show(self, seats: int = 5, price_cents: int = 1000, prefix: str = "test-") -> str:
        """Put on a show of one's own; it, and all that is sold of it, is gone afterwards."""
        show_id = f"{prefix}{secrets.token_hex(6)}"
        # Before it is there: an interruption may come at any moment.
        self._shows.append(show_id)
        return self.box_office.open_show(seats, price_cents, show_id)

    def place(self, show_id: str, **changes: Any) -> PlacedOrder:
        """Place an order as the page does, with the spans that it sends."""
        buyer = self._sign_in()
        self.flags.wait_until_effective()
        order_id = new_order_id()
        with order_write_spans(self._tracer, order_id, show_id) as carried:
            buyer.place_as(order_id, show_id=show_id, _trace=carried.field, **changes)
        return PlacedOrder(order_id, carried.trace_id)

    def place_at_once(self, show_ids: Sequence[str], **changes: Any) -> list[PlacedOrder]:
        """Place an order for each of the shows, all at the same moment."""
        self._sign_in()
        self.flags.wait_until_effective()
        with ThreadPoolExecutor(len(show_ids)) as pool:
            return list(pool.map(lambda show_id: self.place(show_id, **changes), show_ids))

    def page_address(self, page: str = "") -> str:
        """The Box Office's page, or another of its pages, with the faults that are on: a page may
        not read the flags."""
        asked = urlencode([("fault", name) for name in sorted(self.flags.on)])
        return f"{self.addresses.hosting}/{page}?{asked}"

    def sign_up(self) -> Account:
        """Somebody new, with an e-mail address; they are gone afterwards."""
        self._accounts.append(self.accounts.sign_up())
        return self._accounts[-1]

    def delete_show_afterwards(self, title: str) -> None:
        """Have the show of that title gone afterwards, if somebody puts it on."""
        self._titles.append(title)

    def card(self, trouble: str) -> str:
        """The token of a test card that nobody used yet, with that trouble; see the acquirer."""
        return f"tok_{secrets.token_hex(8)}_{trouble}"

    def create_tickets(self, show_id: str, count: int) -> None:
        """Have so many tickets of a show be out already, without anybody's order."""
        tickets = {
            f"{show_id}-{number}": {"uid": "nobody", "show_id": show_id, "number": number}
            for number in range(count)
        }
        self.box_office.documents.create_all("tickets", tickets)

    def delete_tickets(self, show_id: str) -> None:
        """Have no ticket of a show be out."""
        documents = self.box_office.documents
        documents.delete_all("tickets", documents.ids_where("tickets", "show_id", show_id))

    def quote(self, show_id: str) -> tuple[str, float]:
        """Have a price quoted; returns the trace, and how many milliseconds it took."""
        self.flags.wait_until_effective()
        with request_span(self._tracer, "look at the price") as carried:
            began = time.monotonic()
            self._http.post(
                self.addresses.function("quote"),
                json={"data": {"show_id": show_id, "seats": 1}},
                headers=carried.field,
            ).raise_for_status()
            return carried.trace_id, (time.monotonic() - began) * 1000

    def time_availability(self, show_id: str) -> tuple[str, float]:
        """Ask how many seats are left; returns the trace, and how many milliseconds it took."""
        trace_id, answer, took_ms = self._request_availability(show_id)
        answer.raise_for_status()
        return trace_id, took_ms

    def availability_status(self, show_id: str) -> tuple[str, int]:
        """Ask how many seats are left; returns the trace, and the HTTP status."""
        trace_id, answer, _ = self._request_availability(show_id)
        return trace_id, answer.status_code

    def _request_availability(self, show_id: str) -> tuple[str, httpx.Response, float]:
        """The trace of the question, its answer, and how many milliseconds that took."""
        self.flags.wait_until_effective()
        with request_span(self._tracer, "look up seats") as carried:
            began = time.monotonic()
            url, asked = self.addresses.function("availability"), {"show_id": show_id}
            answer = self._http.get(url, params=asked, headers=carried.field)
            return carried.trace_id, answer, (time.monotonic() - began) * 1000

    def expire_now(self, order_id: str, late: timedelta) -> None:
        """Deliver the task that ends an order's hold, as Cloud Tasks does, so late.

        The emulator delivers tasks as soon as they are made, so somebody has to turn the clock.
        """
        due = datetime.now(UTC) - late
        self.box_office.documents.update(
            f"orders/{order_id}", {"hold_until": due}
        ).raise_for_status()
        self._http.post(
            self.addresses.function("expire"),
            json={"data": {"order_id": order_id, "due": due.isoformat()}},
            headers=self.order(order_id).get("_trace", {}),
        ).raise_for_status()

    def republish(self, placed: PlacedOrder, topic: str) -> None:
        """Have Pub/Sub deliver an order's message once more, as it may for days."""
        sent = self.wait_for_span(placed.trace_id, f"send {topic}")
        data = base64.b64encode(json.dumps({"order_id": placed.order_id}).encode()).decode()
        carried = {"traceparent": f"00-{placed.trace_id}-{sent['span_id']}-01"}
        url = f"{self.addresses.pubsub}/v1/projects/{self.addresses.project}/topics/{topic}"
        message = {"data": data, "attributes": carried}
        self._http.post(f"{url}:publish", json={"messages": [message]}).raise_for_status()

    def broken_invariants(self) -> frozenset[Invariant]:
        """Which invariants do not hold for the shows of one's own."""
        documents, charges = self.box_office.documents, self.box_office.charges()
        shows = {show_id: documents.read(f"shows/{show_id}") for show_id in self._shows}
        sold = []
        for order_id in [order_id for show_id in shows for order_id in self.orders_of(show_id)]:
            order = self.order(order_id)
            taken = [
                charge
                for charge in charges
                if charge["metadata"].get("order_id") == order_id
                and charge["status"] == "succeeded"
            ]
            sold.append(
                OrderOutcome(
                    *(order_id, order["show_id"], order["seats"], order["state"]),
                    tickets=len(documents.ids_where("tickets", "order_id", order_id)),
                    taken=len(taken),
                    kept=sum(not charge["refund_id"] for charge in taken),
                )
            )
        return broken(
            sold,
            {show_id: show["seats_total"] for show_id, show in shows.items()},
            {show_id: show["seats_left"] for show_id, show in shows.items()},
        )

    def _sign_in(self) -> Buyer:
        """The buyer who places all orders."""
        if self._buyer is None:
            self._buyer = Buyer(self.addresses)
            self._stack.callback(self._buyer.close)
        return self._buyer

    def _clear(self) -> None:
        """Take away what was sold of the shows, and the shows."""
        self.wait_until_quiet()
        documents = self.box_office.documents
        for account in self._accounts:
            self.accounts.remove(account)
        for title in self._titles:
            self._shows += documents.ids_where("shows", "title", title)
        for show_id in self._shows:
            order_ids = self.orders_of(show_id)
            sold = [o["seats"] for o in map(self.order, order_ids) if o["state"] == "ticketed"]
            if sold:
                less = {"orders": -len(sold), "seats": -sum(sold)}
                documents.add("tally/0", less).raise_for_status()
            for order_id in order_ids:
                documents.delete_all("audit", documents.ids_where("audit", "order_id", order_id))
            self.delete_tickets(show_id)
            documents.delete_all("orders", order_ids)
            self.box_office.close_show(show_id)


@contextmanager
def scenario_context(addresses: StackAddresses) -> Iterator[ScenarioContext]:
    """Yield the context of one scenario; what the scenario leaves on the stack is removed."""
    with ExitStack() as stack:
        yield ScenarioContext(addresses, stack)
