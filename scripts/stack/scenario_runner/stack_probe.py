"""Observe a running stack: its documents, the acquirer's book, the traces.

Each wait has a deadline, which costs nothing where all goes well.
"""

from __future__ import annotations

import hashlib
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
from stack.errors import UserError
from stack.local.addresses import StackAddresses
from stack.scenario_runner.span_queries import attr, invocations, rows, under_way

# Nothing waits so long unless it has to: on a machine that is busy with other things each of the
# four cold starts that a purchase may meet takes many seconds.
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
        """An order as it is now."""
        return self.box_office.documents.read(f"orders/{order_id}")

    def order_placed_for(self, show_id: str) -> str:
        """The order that somebody else placed for a show of ours, once it is there.

        Raises:
            UserError: none is.
        """
        find = partial(self.orders_of, show_id)
        self.wait_until(lambda: bool(find()))
        if not (found := find()):
            raise UserError(f"No order was placed for {show_id}.")
        return found[0]

    def orders_of(self, show_id: str) -> list[str]:
        """Every order for a show, whoever wrote it."""
        return self.box_office.documents.ids_where("orders", "show_id", show_id)

    def trace_of_show(self, title: str) -> str:
        """The trace in which the show of that title was put on."""
        (show_id,) = self.box_office.documents.ids_where("shows", "title", title)
        show = self.box_office.documents.read(f"shows/{show_id}")
        return str(show["_trace"]["traceparent"]).split("-")[1]

    def seats_left(self, show_id: str) -> int:
        """How many seats a show has for sale."""
        left: int = self.box_office.documents.read(f"shows/{show_id}")["seats_left"]
        return left

    def wait_for(
        self, order_id: str, states: set[str] = FINAL, seconds: float = ORDER_SECONDS
    ) -> dict[str, Any]:
        """The order once it is in one of `states`, or as it is when it is too late for that."""
        deadline = time.monotonic() + seconds
        while (order := self.order(order_id))["state"] not in states:
            if time.monotonic() > deadline:
                break
            time.sleep(POLL_SECONDS)
        return order

    def wait_until_settled(self, order_id: str, seconds: float = ORDER_SECONDS) -> dict[str, Any]:
        """The order once it is in a final state, or nothing is under way that could move it.

        Not a matter of time: what is under way was sent, and has not arrived.
        """

        def is_at_rest() -> bool:
            order = self.order(order_id)
            return order["state"] in FINAL or not self._is_under_way(order_id, order)

        self.wait_until(is_at_rest, seconds)
        return self.order(order_id)

    def charges(self, order_id: str) -> list[dict[str, Any]]:
        """What the processor took, or tried to, for an order: the lines of the card's statement."""
        return [
            charge
            for charge in self.box_office.charges()
            if charge["metadata"].get("order_id") == order_id
        ]

    def settled_charges(self, order_id: str) -> list[dict[str, Any]]:
        """The same, once the processor is done with each."""
        self.wait_until(
            lambda: all(charge["status"] != "pending" for charge in self.charges(order_id))
        )
        return self.charges(order_id)

    def usage(self, card_token: str) -> int:
        """How many requests to charge a card came to the processor."""
        answer = self._http.get(f"{self.addresses.acquirer}/usage").raise_for_status().json()
        count: int = answer["requests"].get(card_token, 0)
        return count

    def traces_of(self, order_id: str) -> list[str]:
        """Every trace in which an order is named, the newest first."""
        return [line["trace_id"] for line in self.observatory.traces(subject=order_id)["traces"]]

    def wait_for_trace_with(self, span: str, attribute: str, value: float) -> str:
        """The trace with a span of that name that says so, once it is stored.

        Raises:
            UserError: it does not come.
        """

        def find() -> list[str]:
            found = self.observatory.traces(50, text=f'"{span}"')["traces"]
            return [
                line["trace_id"]
                for line in found
                for _, row in rows([self.observatory.trace(line["trace_id"])], name=span)
                if attr(row, attribute) == value
            ]

        self.wait_until(lambda: bool(find()), TRACE_SECONDS)
        if not (stored := find()):
            raise UserError(f"No span “{span}” came with {attribute} {value}.")
        return stored[0]

    def rules_traces_of(self, uid: str, *, wait: bool) -> list[str]:
        """The traces that begin with a decision of the security rules about what a user asked."""
        pseudonym = hashlib.sha256(f"{self.addresses.project}{uid}".encode()).hexdigest()[:16]

        def find() -> list[str]:
            found = self.observatory.traces(50, service="firestore.rules")["traces"]
            lone = [self.observatory.trace(line["trace_id"]) for line in found if line["spans"] < 5]
            return [
                journey["trace_id"]
                for journey in lone
                if any(attr(row, "enduser.pseudo.id") == pseudonym for row in journey["rows"])
            ]

        if wait:
            self.wait_until(lambda: bool(find()), TRACE_SECONDS)
        return find()

    def wait_for_span(self, trace_id: str, name: str) -> Row:
        """The first span of that name in a trace, once it is stored.

        Raises:
            UserError: it does not come.
        """

        def find() -> list[Row]:
            found = self._trace(trace_id)
            return [row for _, row in rows([found], name=name)] if found else []

        self.wait_until(lambda: bool(find()))
        if not (stored := find()):
            raise UserError(f"No span “{name}” came in trace {trace_id}.")
        return stored[0]

    def wait_for_decision(self, trace_id: str) -> None:
        """Return when what the security rules decided is in a trace, or it is too late."""

        def is_there() -> bool:
            found = self._trace(trace_id)
            return found is not None and any(rows([found], "firestore.rules"))

        self.wait_until(is_there, TRACE_SECONDS)

    def wait_for_invocation(self, trace_id: str, function: str, times: int = 1) -> None:
        """Return when a function has come to its end in a trace so often, or it is too late.

        An order's state says less: it is written while its stage goes on.
        """

        def has_ended() -> bool:
            found = self._trace(trace_id)
            return found is not None and len(list(invocations([found], function))) >= times

        self.wait_until(has_ended)

    def wait_for_end_of(self, function: str, order_id: str) -> None:
        """Return when a function is done with an order, in whichever trace, or it is too late."""

        def has_ended() -> bool:
            found = [self.observatory.trace(trace_id) for trace_id in self.traces_of(order_id)]
            return any(
                attr(row, "boxoffice.order.id") == order_id
                for _, row in invocations(found, function)
            )

        self.wait_until(has_ended)

    def wait_until(self, holds: Callable[[], bool], seconds: float = ORDER_SECONDS) -> None:
        """Return when it holds, or it is too late for that."""
        deadline = time.monotonic() + seconds
        while not holds() and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)

    def wait_until_quiet(self) -> None:
        """Return when no event is under way or waits to be delivered again, or it is too late."""
        deadline = time.monotonic() + QUIET_SECONDS
        while self._pending() and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)

    def complete_traces(self, trace_ids: Sequence[str]) -> list[Journey]:
        """The traces once nothing more arrives and no parent is missing, or what there is of them
        when it is too late for that.

        Raises:
            UserError: one of them is not stored at all.
        """
        self.wait_until_quiet()
        deadline = time.monotonic() + TRACE_SECONDS
        journeys = []
        for trace_id in trace_ids:
            while True:
                found = self._trace(trace_id)
                if found and _is_whole(found):
                    break
                if time.monotonic() > deadline:
                    break
                time.sleep(POLL_SECONDS)
            if found is None:
                raise UserError(f"Nothing of trace {trace_id} is stored at {self.observatory.url}.")
            journeys.append(found)
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

    def _is_under_way(self, order_id: str, order: Mapping[str, Any]) -> bool:
        """Whether anything that was sent of an order has not arrived, the vendor's word included.

        The trace first: who is stored in it has left what it did behind. A span whose parent is
        not there may be the answer to something that is not there either.
        """
        found = self._trace(str(order["_trace"]["traceparent"]).split("-")[1])
        if found is None or found["orphans"] or under_way(found):
            return True
        if not any(invocations([found], "reserve")):
            return True
        settled_ids = {
            attr(row, "boxoffice.charge.id")
            for _, row in invocations([found], "settle")
            if not row["error"]
        }
        return any(charge["id"] not in settled_ids for charge in self.charges(order_id))


def _is_whole(journey: Journey) -> bool:
    return journey["last_received_ms_ago"] > SETTLED_MS and journey["orphans"] == 0
