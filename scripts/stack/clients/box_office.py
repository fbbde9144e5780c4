"""Clients without a browser: a buyer, whom the security rules limit, and an administrator."""

from __future__ import annotations

import secrets
import string
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from stack.clients.firestore_rest import NO_CERTIFICATES, OWNER, Firestore
from stack.local.addresses import StackAddresses

APPROVED = "tok_0000000000000000_approved"
DECLINED = "tok_0000000000000000_card_declined"

#: The security rules want this long between two orders of one buyer; the page waits as well.
PAUSE_SECONDS = 2.0
# The client's clock may run a little faster than Firestore's.
PAUSE_MARGIN_SECONDS = 0.1

FINAL = {"rejected", "declined", "ticketed", "expired", "refunded", "failed"}


def new_traceparent() -> str:
    """Return a new W3C traceparent with the sampled flag."""
    return f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01"


def new_order_id() -> str:
    """Return a random id in the format of Firestore's SDKs."""
    return "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(20))


class Buyer:
    """A user of the Auth emulator: a new anonymous one, or the account with the given `email`."""

    def __init__(
        self, addresses: StackAddresses, email: str | None = None, password: str = ""
    ) -> None:
        method = "signInWithPassword" if email else "signUp"
        account = {"email": email, "password": password} if email else {}
        response = httpx.post(
            f"{addresses.auth}/identitytoolkit.googleapis.com/v1/accounts:{method}?key=any",
            json={"returnSecureToken": True, **account},
            timeout=30,
            verify=NO_CERTIFICATES,
        )
        response.raise_for_status()
        self.uid: str = response.json()["localId"]
        self.token: str = response.json()["idToken"]
        self.documents = Firestore(addresses.firestore, addresses.project, self.token)
        self._next_order_at = 0.0

    def order(self, **changes: Any) -> dict[str, Any]:
        """Return a valid order with `changes`; a value of None removes the key."""
        order = {
            "uid": self.uid,
            "show_id": "night-ferry",
            "seats": 1,
            "card_token": APPROVED,
            "state": "placed",
            "_trace": {"traceparent": new_traceparent()},
            **changes,
        }
        return {key: value for key, value in order.items() if value is not None}

    def place(self, **changes: Any) -> str:
        """Place an order, and return its id."""
        order_id = new_order_id()
        self.place_as(order_id, **changes)
        return order_id

    def place_as(self, order_id: str, **changes: Any) -> None:
        """Place an order with the given id, once enough time has passed since the last one."""
        time.sleep(max(0.0, self._next_order_at - time.monotonic()))
        self.attempt(order_id, **changes).raise_for_status()

    def attempt(self, order_id: str, **changes: Any) -> httpx.Response:
        """Send an order and the note that it is the buyer's latest one, as the page does.

        Returns the response, which is a denial if the rules refuse the order.
        """
        order = self.order(**changes)
        note = {"last_order_id": order_id, "_trace": order.get("_trace")}
        response = self.documents.create_beside(
            (f"buyers/{self.uid}", note, ("last_order_at",)),
            f"orders/{order_id}",
            order,
            server_times=() if "placed_at" in order else ("placed_at",),
        )
        if response.is_success:
            self._next_order_at = time.monotonic() + PAUSE_SECONDS + PAUSE_MARGIN_SECONDS
        return response

    def close(self) -> None:
        """Close the connections."""
        self.documents.close()


class BoxOffice:
    """The Box Office with an administrator's rights, which the security rules don't limit."""

    def __init__(self, addresses: StackAddresses) -> None:
        self.documents = Firestore(addresses.firestore, addresses.project, OWNER)
        self._acquirer = addresses.acquirer

    def open_show(self, seats: int, price_cents: int = 1000, show_id: str | None = None) -> str:
        """Create a show, with the given id or a new one, and return its id."""
        show_id = show_id or f"test-{secrets.token_hex(6)}"
        show = {
            "title": "A Test in Three Acts",
            "starts_at": datetime.now(UTC) + timedelta(days=30),
            "venue": "Studio",
            "city": "Delft",
            "blurb": "For one night only.",
            "price_cents": price_cents,
            "currency": "EUR",
            "seats_total": seats,
            "seats_left": seats,
            "rank": 99,
        }
        self.documents.create(f"shows/{show_id}", show).raise_for_status()
        return show_id

    def close_show(self, show_id: str) -> None:
        """Delete a show that `open_show` created, and the counter of its unpaid seats."""
        self.documents.delete(f"shows/{show_id}")
        self.documents.delete(f"show_holds/{show_id}")

    def wait_for(
        self, order_id: str, states: set[str] = FINAL, seconds: float = 40
    ) -> dict[str, Any]:
        """Wait until an order is in one of `states`, and return it.

        Raises:
            AssertionError: it is in another state after `seconds`.
        """
        deadline = time.monotonic() + seconds
        while True:
            order = self.documents.read(f"orders/{order_id}")
            if order["state"] in states:
                return order
            if time.monotonic() > deadline:
                raise AssertionError(
                    f"order {order_id} is {order['state']} after {seconds} s, not one of {states}"
                )
            time.sleep(0.05)

    def charges(self) -> list[dict[str, Any]]:
        """Return every charge in the acquirer's book."""
        # The acquirer's tracing excludes requests with a query string (local/running.py).
        response = httpx.get(f"{self._acquirer}/charges", params={"all": "yes"}, timeout=30)
        response.raise_for_status()
        charges: list[dict[str, Any]] = response.json()["charges"]
        return charges

    def close(self) -> None:
        """Close the connections."""
        self.documents.close()
