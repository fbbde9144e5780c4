"""Places orders concurrently on a running stack, as the page does, without a browser."""

from __future__ import annotations

import threading
import time
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass

import httpx
from opentelemetry.trace import Tracer

from stack.clients.box_office import APPROVED, DECLINED, FINAL, BoxOffice, Buyer, new_order_id
from stack.clients.page_spans import order_write_spans, page
from stack.console import print_line
from stack.errors import UserError
from stack.load.load_report import Events, Invocations, LoadReport, Order, report
from stack.load.process_kills import ProcessKills
from stack.local.addresses import StackAddresses

SHOWS = 4
POLL_SECONDS = 0.25
PROGRESS_SECONDS = 5.0
STILL_SECONDS = 2.0
# A stuck order waits for the sweep: it is due after a minute, and the sweep runs every minute.
DEADLINE_SECONDS, DEADLINE_PER_ORDER_SECONDS = 180.0, 2.0
# The orders that a killed process was working on wait for the sweep too.
DEADLINE_PER_KILL_SECONDS = 120.0


@dataclass(frozen=True)
class Load:
    """The options of a run.

    Attributes:
        orders: number of orders.
        concurrency: number of orders in progress at a time.
        seats: stock of the show that sells out; None: half of the seats ordered of it.
        chaos: the body of redelivery's POST /chaos; {}: no chaos.
    """

    orders: int
    concurrency: int
    seats: int | None
    chaos: dict[str, float]


def run(
    addresses: StackAddresses,
    invocations: Invocations,
    load: Load,
    kills: ProcessKills | None = None,
) -> LoadReport:
    """Place the orders, wait until no event is pending, and return the report.

    Processes are killed as `kills` has planned. The shows are deleted and chaos is turned off
    afterwards.

    Raises:
        UserError: events are pending before the first order, or a service does not answer.
    """
    with ExitStack() as stack:
        box_office = BoxOffice(addresses)
        stack.callback(box_office.close)
        redelivery = stack.enter_context(_client(addresses.redelivery))
        invocations.begin()
        before = _wait_until_quiet(redelivery, invocations, time.monotonic() + 60)
        if before["pending"]:
            raise UserError(
                f"{before['pending']} events of earlier orders are still pending.",
                hint="Wait until they are delivered, then run the command again.",
            )
        orders = _orders(load)
        stack.enter_context(_shows(box_office, orders, load.seats))
        stack.enter_context(_chaos(redelivery, load.chaos))

        def restarted(service: str) -> None:
            if service == "Redelivery":
                # It has forgotten the chaos, and its counts begin at 0 again.
                before.update(dict.fromkeys(before, 0))
                redelivery.post("/chaos", json=load.chaos).raise_for_status()

        invocations.begin()
        deadline = time.monotonic() + DEADLINE_SECONDS + load.orders * DEADLINE_PER_ORDER_SECONDS
        deadline += kills.planned * DEADLINE_PER_KILL_SECONDS if kills else 0
        progress = _buy_all(addresses, box_office, orders, load.concurrency, deadline)
        # Closed here, because otherwise an error would leave the buyers running.
        for done in stack.enter_context(closing(progress)):
            if kills:
                kills.advance(done / load.orders, restarted)
        after = _wait_until_quiet(redelivery, invocations, max(deadline, time.monotonic() + 60))
        redelivered = {name: count - before[name] for name, count in after.items()}
        events = Events(invocations, redelivered, kills.done if kills else [])
        return report(addresses.observatory, box_office, orders, events)


def _orders(load: Load) -> list[Order]:
    """Return the orders, of 1 to 3 seats in turn; one card in ten is declined."""
    return [
        Order(
            id=new_order_id(),
            show=number % SHOWS,
            seats=1 + number // SHOWS % 3,
            card=DECLINED if number % 10 == 7 else APPROVED,
        )
        for number in range(load.orders)
    ]


@contextmanager
def _shows(box_office: BoxOffice, orders: list[Order], seats: int | None) -> Iterator[None]:
    """Create shows for the orders, and delete them at the end; the first one sells out."""
    opened: list[str] = []
    try:
        for show in range(min(SHOWS, len(orders))):
            ordered = sum(order.seats for order in orders if order.show == show)
            stock = ordered if show else (ordered // 2 if seats is None else seats)
            opened.append(box_office.open_show(stock))
            for order in orders:
                if order.show == show:
                    order.show_id, order.stock = opened[-1], stock
        yield
    finally:
        for show_id in opened:
            box_office.close_show(show_id)


@contextmanager
def _chaos(redelivery: httpx.Client, chaos: dict[str, float]) -> Iterator[None]:
    """Set chaos, and turn it off at the end, even if other chaos was on before."""
    try:
        redelivery.post("/chaos", json=chaos).raise_for_status()
        yield
    finally:
        redelivery.post("/chaos", json={}).raise_for_status()


def _buy_all(
    addresses: StackAddresses,
    box_office: BoxOffice,
    orders: list[Order],
    concurrency: int,
    deadline: float,
) -> Generator[int]:
    """Place all orders, with `concurrency` of them in progress at a time.

    Yield the number of orders that are done, each time that one more is.
    """
    over = threading.Event()
    began = reported_at = time.monotonic()
    with (
        page(addresses.observatory, 4 * len(orders)) as tracer,
        ThreadPoolExecutor(concurrency) as pool,
    ):

        def buy(order: Order) -> None:
            if not over.is_set():
                _buy(addresses, tracer, order)
            while not over.is_set() and order.is_placed and time.monotonic() < deadline:
                if box_office.documents.read(f"orders/{order.id}")["state"] in FINAL:
                    return
                over.wait(POLL_SECONDS)

        try:
            waiting = as_completed([pool.submit(buy, order) for order in orders])
            for number, done in enumerate(waiting, start=1):
                if error := done.exception():
                    print_line(f"✗ Reading an order failed: {type(error).__name__}: {error}")
                yield number
                now = time.monotonic()
                if now - reported_at > PROGRESS_SECONDS or number == len(orders):
                    print_line(f"  … {number} of {len(orders)} orders done, {now - began:.0f} s")
                    reported_at = now
        finally:
            over.set()


def _buy(addresses: StackAddresses, tracer: Tracer, order: Order) -> None:
    """Sign a new buyer in and place the order, with the spans that the page would export."""
    try:
        buyer = Buyer(addresses)
    except httpx.HTTPError as error:
        print_line(f"✗ Signing a buyer in failed: {error}")
        return
    with order_write_spans(tracer, order.id, order.show_id) as carried:
        order.trace_id = carried.trace_id
        try:
            buyer.place_as(
                order.id,
                show_id=order.show_id,
                seats=order.seats,
                card_token=order.card,
                _trace=carried.field,
            )
            order.is_placed = True
        except httpx.HTTPError as error:
            print_line(f"✗ Placing order {order.id} failed: {error}")
        finally:
            buyer.close()


def _wait_until_quiet(
    redelivery: httpx.Client, invocations: Invocations, deadline: float
) -> dict[str, int]:
    """Wait until no event is pending and no function was called for STILL_SECONDS.

    Return redelivery's state, or the state at the deadline.
    """
    last_counts: object = None
    since = time.monotonic()
    while True:
        state: dict[str, int] = redelivery.get("/state").raise_for_status().json()
        now = time.monotonic()
        counts = invocations.counts()
        if counts != last_counts or state["pending"] or invocations.are_running():
            last_counts, since = counts, now
        if now - since >= STILL_SECONDS or now > deadline:
            return state
        time.sleep(POLL_SECONDS)


def _client(url: str) -> httpx.Client:
    # trust_env=False: requests to this machine must not go through a proxy.
    return httpx.Client(base_url=url, trust_env=False, timeout=10)
