"""Actions of a scenario on a running stack, as a buyer and as the platform."""

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
    """The ids of an order that was placed and of its trace."""

    order_id: str
    trace_id: str


class ScenarioContext(StackProbe):
    """The actions and observations of one scenario; created by `scenario_context`."""

    def __init__(self, addresses: StackAddresses, stack: ExitStack) -> None:
        super().__init__(addresses, stack)
        self._tracer = stack.enter_context(page(addresses.observatory))
        self._shows: list[str] = []
        self._titles: list[str] = []
        self.accounts = Accounts(addresses, self.box_office.documents)
        self._accounts: list[Account] = []
        self._stack = stack
        self.flags = Flags(self.box_office.documents)
        stack.callback(self._clear)

    def open_show(self, seats: int = 5, price_cents: int = 1000, prefix: str = "test-") -> str:
        """Create a show; it is deleted at the end, with its orders and tickets."""
        show_id = f"{prefix}{secrets.token_hex(6)}"
        # Listed before it is created, in case of an interruption.
        self._shows.append(show_id)
        return self.box_office.open_show(seats, price_cents, show_id)

    def place(self, show_id: str, **changes: Any) -> PlacedOrder:
        """Place an order as a new buyer, with the spans that the page would export."""
        buyer = self._sign_in()
        self.flags.wait_until_effective()
        order_id = new_order_id()
        with order_write_spans(self._tracer, order_id, show_id) as carried:
            buyer.place_as(order_id, show_id=show_id, _trace=carried.field, **changes)
        return PlacedOrder(order_id, carried.trace_id)

    def place_at_once(self, show_ids: Sequence[str], **changes: Any) -> list[PlacedOrder]:
        """Place an order for each of the shows concurrently."""
        self.flags.wait_until_effective()
        with ThreadPoolExecutor(len(show_ids)) as pool:
            return list(pool.map(lambda show_id: self.place(show_id, **changes), show_ids))

    def page_address(self, page: str = "") -> str:
        """Return the address of a page of the Box Office, with the faults that are on.

        The faults are in the query, because the security rules don't let a page read the flags.
        """
        query = urlencode([("fault", name) for name in sorted(self.flags.on)])
        return f"{self.addresses.hosting}/{page}?{query}"

    def sign_up(self) -> Account:
        """Create an account with an e-mail address; it is deleted at the end."""
        self._accounts.append(self.accounts.sign_up())
        return self._accounts[-1]

    def delete_show_afterwards(self, title: str) -> None:
        """Delete the show with that title, if it was created, at the end."""
        self._titles.append(title)

    def card(self, outcome: str) -> str:
        """Return the token of a new test card; `outcome` is one of acquirer/cards.py."""
        return f"tok_{secrets.token_hex(8)}_{outcome}"

    def create_tickets(self, show_id: str, count: int) -> None:
        """Create `count` tickets of a show that belong to no order."""
        tickets = {
            f"{show_id}-{number}": {"uid": "nobody", "show_id": show_id, "number": number}
            for number in range(count)
        }
        self.box_office.documents.create_all("tickets", tickets)

    def delete_tickets(self, show_id: str) -> None:
        """Delete all tickets of a show."""
        documents = self.box_office.documents
        documents.delete_all("tickets", documents.ids_where("tickets", "show_id", show_id))

    def quote(self, show_id: str) -> tuple[str, float]:
        """Request a price; return the trace id and the latency in milliseconds."""
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
        """Request the seats left; return the trace id and the latency in milliseconds."""
        trace_id, response, latency_ms = self._request_availability(show_id)
        response.raise_for_status()
        return trace_id, latency_ms

    def availability_status(self, show_id: str) -> tuple[str, int]:
        """Request the seats left; return the trace id and the HTTP status."""
        trace_id, response, _ = self._request_availability(show_id)
        return trace_id, response.status_code

    def _request_availability(self, show_id: str) -> tuple[str, httpx.Response, float]:
        """Request the seats left; return trace id, response and latency in milliseconds."""
        self.flags.wait_until_effective()
        with request_span(self._tracer, "look up seats") as carried:
            began = time.monotonic()
            url, query = self.addresses.function("availability"), {"show_id": show_id}
            response = self._http.get(url, params=query, headers=carried.field)
            return carried.trace_id, response, (time.monotonic() - began) * 1000

    def expire_now(self, order_id: str, late: timedelta) -> None:
        """Deliver the task that ends an order's hold, `late` after it was due.

        The emulator delivers tasks as soon as they are created, so the hold is set to the past.
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
        """Publish an order's message again, as Pub/Sub may redeliver it for days."""
        send_span = self.wait_for_span(placed.trace_id, f"send {topic}")
        data = base64.b64encode(json.dumps({"order_id": placed.order_id}).encode()).decode()
        carried = {"traceparent": f"00-{placed.trace_id}-{send_span['span_id']}-01"}
        url = f"{self.addresses.pubsub}/v1/projects/{self.addresses.project}/topics/{topic}"
        message = {"data": data, "attributes": carried}
        self._http.post(f"{url}:publish", json={"messages": [message]}).raise_for_status()

    def broken_invariants(self) -> frozenset[Invariant]:
        """Return the invariants that do not hold for the shows of this scenario."""
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
        """Return a new buyer: the rules limit how often one buyer places an order."""
        buyer = Buyer(self.addresses)
        self._stack.callback(buyer.close)
        return buyer

    def _clear(self) -> None:
        """Delete the accounts, and the shows with their orders and tickets."""
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
    """Yield the context of one scenario, and delete what the scenario created at the end."""
    with ExitStack() as stack:
        yield ScenarioContext(addresses, stack)
