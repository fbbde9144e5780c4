"""Observes a running stack: its documents, the acquirer's book, the traces.

The wait_… methods return when their condition holds or their deadline has passed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from typing import Any

import httpx

from observatory.client import Observatory, TraceNotFound
from observatory.schemas.journey import Journey, Row
from stack.clients.box_office import FINAL, BoxOffice
from stack.clients.firestore_rest import NO_CERTIFICATES
from stack.clients.pseudonym import pseudonym
from stack.errors import LOGS_HINT, UserError
from stack.local.addresses import StackAddresses
from stack.scenario_runner.span_queries import attr, invocations, pending_sends, rows

# Long deadlines, because each of the up to four cold starts of a purchase takes many seconds on a
# busy machine.
ORDER_SECONDS = 90.0
TRACE_SECONDS = 30.0
SETTLED_MS = 900.0
QUIET_SECONDS = 60.0
POLL_SECONDS = 0.1


class StackProbe:
    """Reads a running stack, and changes nothing on it."""

    def __init__(self, addresses: StackAddresses, stack: ExitStack) -> None:
        self.addresses = addresses
        self.box_office = BoxOffice(addresses)
        stack.callback(self.box_office.close)
        self.observatory = stack.enter_context(Observatory(addresses.observatory))
        self._http = stack.enter_context(
            httpx.Client(timeout=60, trust_env=False, verify=NO_CERTIFICATES)
        )

    def order(self, order_id: str) -> dict[str, Any]:
        """Return the current state of an order."""
        return self.box_office.documents.read(f"orders/{order_id}")

    def order_placed_for(self, show_id: str) -> str:
        """Wait for an order that the browser placed for a show, and return its id.

        Raises:
            UserError: no order was placed in time.
        """
        find = partial(self.orders_of, show_id)
        self.wait_until(lambda: bool(find()))
        if not (order_ids := find()):
            raise UserError(
                f"No order was placed for {show_id} within {ORDER_SECONDS:.0f} s.", hint=LOGS_HINT
            )
        return order_ids[0]

    def orders_of(self, show_id: str) -> list[str]:
        """Return the ids of all orders for a show."""
        return self.box_office.documents.ids_where("orders", "show_id", show_id)

    def trace_of_show(self, title: str) -> str:
        """Return the id of the trace in which the show with that title was created."""
        (show_id,) = self.box_office.documents.ids_where("shows", "title", title)
        show = self.box_office.documents.read(f"shows/{show_id}")
        return str(show["_trace"]["traceparent"]).split("-")[1]

    def seats_left(self, show_id: str) -> int:
        """Return how many seats a show has for sale."""
        left: int = self.box_office.documents.read(f"shows/{show_id}")["seats_left"]
        return left

    def wait_for(
        self, order_id: str, states: set[str] = FINAL, seconds: float = ORDER_SECONDS
    ) -> dict[str, Any]:
        """Wait until an order is in one of `states`, and return it; also after the deadline."""
        deadline = time.monotonic() + seconds
        while (order := self.order(order_id))["state"] not in states:
            if time.monotonic() > deadline:
                break
            time.sleep(POLL_SECONDS)
        return order

    def wait_until_settled(self, order_id: str, seconds: float = ORDER_SECONDS) -> dict[str, Any]:
        """Wait until an order is in a final state or no pending message could move it; return it.

        A message is pending if it was sent and not processed.
        """

        def is_settled() -> bool:
            order = self.order(order_id)
            return order["state"] in FINAL or not self._is_pending(order_id, order)

        self.wait_until(is_settled, seconds)
        return self.order(order_id)

    def charges(self, order_id: str) -> list[dict[str, Any]]:
        """Return the card processor's charges for an order, failed ones included."""
        return [
            charge
            for charge in self.box_office.charges()
            if charge["metadata"].get("order_id") == order_id
        ]

    def settled_charges(self, order_id: str) -> list[dict[str, Any]]:
        """Wait until none of an order's charges is pending, and return them."""
        self.wait_until(
            lambda: all(charge["status"] != "pending" for charge in self.charges(order_id))
        )
        return self.charges(order_id)

    def usage(self, card_token: str) -> int:
        """Return how many requests to charge a card the processor received."""
        usage = self._http.get(f"{self.addresses.acquirer}/usage").raise_for_status().json()
        count: int = usage["requests"].get(card_token, 0)
        return count

    def traces_of(self, order_id: str) -> list[str]:
        """Return the ids of all traces of an order, the newest first."""
        return [line["trace_id"] for line in self.observatory.traces(subject=order_id)["traces"]]

    def wait_for_trace_with(self, span: str, attribute: str, value: float) -> str:
        """Wait for a trace with a span whose attribute has that value, and return its id.

        Raises:
            UserError: no such trace was stored in time.
        """

        def find() -> list[str]:
            candidates = self.observatory.traces(50, text=f'"{span}"')["traces"]
            return [
                line["trace_id"]
                for line in candidates
                for _, row in rows([self.observatory.trace(line["trace_id"])], name=span)
                if attr(row, attribute) == value
            ]

        self.wait_until(lambda: bool(find()), TRACE_SECONDS)
        if not (stored := find()):
            raise UserError(
                f"No span “{span}” with {attribute} = {value} was stored within "
                f"{TRACE_SECONDS:.0f} s.",
                hint=LOGS_HINT,
            )
        return stored[0]

    def rules_traces_of(self, uid: str, *, wait: bool) -> list[str]:
        """Return the small traces with a decision of the security rules on a user's request."""
        user_pseudonym = pseudonym(self.addresses.project, uid)

        def find() -> list[str]:
            lines = self.observatory.traces(50, service="firestore.rules")["traces"]
            small_traces = [
                self.observatory.trace(line["trace_id"]) for line in lines if line["spans"] < 5
            ]
            return [
                journey["trace_id"]
                for journey in small_traces
                if any(attr(row, "enduser.pseudo.id") == user_pseudonym for row in journey["rows"])
            ]

        if wait:
            self.wait_until(lambda: bool(find()), TRACE_SECONDS)
        return find()

    def wait_for_span(self, trace_id: str, name: str) -> Row:
        """Wait for a span with that name in a trace, and return it.

        Raises:
            UserError: it was not stored in time.
        """

        def find() -> list[Row]:
            journey = self._trace(trace_id)
            return [row for _, row in rows([journey], name=name)] if journey else []

        self.wait_until(lambda: bool(find()))
        if not (stored := find()):
            raise UserError(
                f"No span “{name}” of trace {trace_id} was stored within {ORDER_SECONDS:.0f} s.",
                hint=f"See what is stored with ./scripts/trace show {trace_id}.",
            )
        return stored[0]

    def wait_for_decision(self, trace_id: str) -> None:
        """Wait until a decision of the security rules is in a trace."""

        def has_decision() -> bool:
            journey = self._trace(trace_id)
            return journey is not None and any(rows([journey], "firestore.rules"))

        self.wait_until(has_decision, TRACE_SECONDS)

    def wait_for_invocation(self, trace_id: str, function: str, times: int = 1) -> None:
        """Wait until a trace has `times` invocations of a function that have ended.

        The order's state is not enough: it is written before the invocation ends.
        """

        def has_ended() -> bool:
            journey = self._trace(trace_id)
            return journey is not None and len(list(invocations([journey], function))) >= times

        self.wait_until(has_ended)

    def wait_for_end_of(self, function: str, order_id: str) -> None:
        """Wait until an invocation of a function for an order has ended, in any trace."""

        def has_ended() -> bool:
            journeys = [self.observatory.trace(trace_id) for trace_id in self.traces_of(order_id)]
            return any(
                attr(row, "boxoffice.order.id") == order_id
                for _, row in invocations(journeys, function)
            )

        self.wait_until(has_ended)

    def wait_until(self, holds: Callable[[], bool], seconds: float = ORDER_SECONDS) -> None:
        """Wait until `holds()` is true, at most `seconds`."""
        deadline = time.monotonic() + seconds
        while not holds() and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)

    def wait_until_quiet(self) -> None:
        """Wait until redelivery has no pending event, at most QUIET_SECONDS."""
        deadline = time.monotonic() + QUIET_SECONDS
        while self._pending() and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)

    def complete_traces(self, trace_ids: Sequence[str]) -> list[Journey]:
        """Wait until the traces are complete, and return them.

        A trace is complete when no parent is missing and no new spans arrive. After the deadline
        the trace is returned as it is.

        Raises:
            UserError: no span of a trace is stored.
        """
        self.wait_until_quiet()
        deadline = time.monotonic() + TRACE_SECONDS
        journeys = []
        for trace_id in trace_ids:
            while True:
                journey = self._trace(trace_id)
                if journey and _is_complete(journey):
                    break
                if time.monotonic() > deadline:
                    break
                time.sleep(POLL_SECONDS)
            if journey is None:
                raise UserError(
                    f"No span of trace {trace_id} is stored at {self.observatory.url}.",
                    hint=LOGS_HINT,
                )
            journeys.append(journey)
        return journeys

    def _trace(self, trace_id: str) -> Journey | None:
        try:
            return self.observatory.trace(trace_id)
        except TraceNotFound:
            return None

    def _pending(self) -> int:
        url = f"{self.addresses.redelivery}/state"
        pending: int = self._http.get(url).raise_for_status().json()["pending"]
        return pending

    def _is_pending(self, order_id: str, order: Mapping[str, Any]) -> bool:
        """Return whether a message of an order, or a webhook of its charges, is not processed yet.

        The trace is read before the charges, because a stored invocation has already made its
        charge. With orphans in the trace, a span that is not stored yet may have sent a message.
        """
        journey = self._trace(str(order["_trace"]["traceparent"]).split("-")[1])
        if journey is None or journey["orphans"] or pending_sends(journey):
            return True
        if not any(invocations([journey], "reserve")):
            return True
        settled_ids = {
            attr(row, "boxoffice.charge.id")
            for _, row in invocations([journey], "settle")
            if not row["error"]
        }
        return any(charge["id"] not in settled_ids for charge in self.charges(order_id))


def _is_complete(journey: Journey) -> bool:
    return journey["last_received_ms_ago"] > SETTLED_MS and journey["orphans"] == 0
