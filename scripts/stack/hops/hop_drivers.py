"""Actions of a buyer, an administrator and a new user that cross the hops of the contract."""

from __future__ import annotations

import json
import secrets
import time
from dataclasses import dataclass, field
from typing import Any

import httpx
from playwright.sync_api import Error as BrowserError
from playwright.sync_api import Page, Request, Route

from stack.clients.browser_purchase import buy_a_ticket
from stack.errors import LOGS_HINT, UserError
from stack.local.addresses import StackAddresses

PAGE_SECONDS = 60

LISTEN = "**/google.firestore.v1.Firestore/Listen/**"
AVAILABILITY = "**/api/availability?*"
JSON = "application/json"
AS_ADMINISTRATOR = {"Authorization": "Bearer owner"}
LONG_AGO = "2020-01-01T00:00:00Z"


@dataclass
class HopRun:
    """One run across the hops.

    Attributes:
        began_unix_nano: when the run began.
        order_id: the last order that was bought.
        uid: the user that signed up.
        trace_ids: the traces that the run started; the values are unused.
        fired_unix_nano: when the run caused each declared root, by hop.
    """

    began_unix_nano: int = field(default_factory=time.time_ns)
    order_id: str = ""
    uid: str = ""
    trace_ids: dict[str, None] = field(default_factory=dict)
    fired_unix_nano: dict[str, int] = field(default_factory=dict)

    def note_requests(self, page: Page) -> None:
        """Record the trace id of every request that the page sends with a traceparent."""

        def note(request: Request) -> None:
            fields = request.headers.get("traceparent", "").split("-")
            if request.method != "OPTIONS" and len(fields) == 4:
                self.trace_ids[fields[1]] = None

        page.on("request", note)


def request_quote(page: Page, addresses: StackAddresses) -> None:
    """Open the purchase dialog, for which the page requests a price.

    Raises:
        UserError: the page shows no price in time.
    """
    try:
        page.goto(addresses.hosting)
        page.get_by_role("button", name="Buy ").first.click(timeout=PAGE_SECONDS * 1000)
        page.locator('.quote[data-quote="quoted"]').wait_for(timeout=PAGE_SECONDS * 1000)
    except BrowserError as error:
        raise UserError(
            f"The page showed no price: {_first_line(error)}", hint=LOGS_HINT
        ) from error


def buy(page: Page, addresses: StackAddresses, run: HopRun) -> None:
    """Buy one ticket, which crosses most of the hops.

    Raises:
        UserError: the purchase fails, or the order is not ticketed.
    """
    purchase = buy_a_ticket(page, addresses.hosting)
    if purchase.order_state != "ticketed":
        raise UserError(
            f"Order {purchase.order_id} is {purchase.order_state}, not ticketed.",
            hint=LOGS_HINT,
        )
    run.order_id = purchase.order_id
    run.trace_ids[purchase.trace_id] = None


def fetch_availability(page: Page, addresses: StackAddresses) -> None:
    """Block the page's listener, so that the page requests the seats left over HTTPS.

    The page sends the request through Hosting's rewrite. Every second request is redirected to the
    function itself, as a page that is not on Hosting would send it.

    Raises:
        UserError: the page does not request them.
    """
    requests = 0

    def redirect_every_second(route: Route) -> None:
        nonlocal requests
        requests += 1
        query = route.request.url.partition("?")[2]
        direct = f"{addresses.function('availability')}?{query}"
        route.continue_(url=direct if requests % 2 == 0 else None)

    try:
        page.goto(addresses.hosting)
        page.locator("[data-show-id]").first.wait_for(timeout=PAGE_SECONDS * 1000)
        page.route(AVAILABILITY, redirect_every_second)
        page.route(LISTEN, lambda route: route.abort())
        # The route blocks only new requests; going offline ends the listener's open one.
        page.context.set_offline(True)
        page.context.set_offline(False)
        page.locator("[data-seats-looked-up]").wait_for(timeout=PAGE_SECONDS * 1000)
        page.unroute_all(behavior="ignoreErrors")
    except BrowserError as error:
        raise UserError(
            f"The page did not request the seats left: {_first_line(error)}", hint=LOGS_HINT
        ) from error


def sweep(http: httpx.Client, addresses: StackAddresses, run: HopRun) -> str:
    """Fire the schedule while an order is stuck, and return the order's id.

    The stuck order is a copy of the order that was bought, in the same trace; it is paid, but its
    last message was never sent.

    Raises:
        UserError: the order can't be created, or the sweep fails.
    """
    bought = _order(http, addresses, run)
    order_id = secrets.token_hex(10)
    stuck = bought["fields"] | {
        "state": {"stringValue": "paid"},
        "placed_at": {"timestampValue": LONG_AGO},
        "moved_at": {"mapValue": {"fields": {}}},
    }
    write = {
        "update": {"name": f"{addresses.documents}/orders/{order_id}", "fields": stuck},
        "currentDocument": {"exists": False},
    }
    commit = f"{addresses.firestore}/v1/{addresses.documents}:commit"
    _json_of(http.post(commit, json={"writes": [write]}, headers=AS_ADMINISTRATOR))
    run.fired_unix_nano["schedule"] = time.time_ns()
    # The emulator's name of a function with an event or schedule trigger has the suffix -0.
    _json_of(http.post(addresses.function("sweep-0")))
    return order_id


def sign_up(http: httpx.Client, addresses: StackAddresses, run: HopRun) -> dict[str, str]:
    """Create an account with an e-mail address, as the browser's SDK does; return its credentials.

    Raises:
        UserError: the Auth emulator returned an error.
    """
    account = {"email": f"{secrets.token_hex(8)}@example.org", "password": secrets.token_hex(8)}
    run.fired_unix_nano["auth"] = time.time_ns()
    body = account | {"returnSecureToken": True}
    run.uid = _json_of(http.post(_accounts(addresses, ":signUp?key=any"), json=body))["localId"]
    return account


def refund(
    page: Page, http: httpx.Client, addresses: StackAddresses, run: HopRun, account: dict[str, str]
) -> None:
    """Make the new account an organiser's, and refund the last order as this organiser.

    The calls of an organiser link to the trace in which the account was created; anonymous users
    have no such trace.

    Raises:
        UserError: the refund fails in the page, or a request fails.
    """
    query = {"localId": [run.uid]}
    result = _json_of(
        http.post(_accounts(addresses, ":lookup"), json=query, headers=AS_ADMINISTRATOR)
    )
    claims = json.loads(result["users"][0]["customAttributes"]) | {"role": "organiser"}
    update = {"localId": run.uid, "customAttributes": json.dumps(claims)}
    _json_of(http.post(_accounts(addresses, ":update"), json=update, headers=AS_ADMINISTRATOR))
    show_id = _order(http, addresses, run)["fields"]["show_id"]["stringValue"]
    sale = page.locator(f'.sale[data-order-id="{run.order_id}"]')
    refunded = page.locator(f'.sale[data-order-id="{run.order_id}"][data-order-state="refunded"]')
    try:
        page.goto(f"{addresses.hosting}/organiser#show={show_id}")
        page.get_by_label("E-mail").fill(account["email"], timeout=PAGE_SECONDS * 1000)
        page.get_by_label("Password").fill(account["password"])
        page.get_by_role("button", name="Sign in").click()
        sale.get_by_role("button", name="Refund").click(timeout=PAGE_SECONDS * 1000)
        page.get_by_role("dialog").get_by_role("button", name="Refund").click()
        refunded.wait_for(timeout=PAGE_SECONDS * 1000)
    except BrowserError as error:
        raise UserError(
            f"Order {run.order_id} was not refunded: {_first_line(error)}", hint=LOGS_HINT
        ) from error


def _accounts(addresses: StackAddresses, method: str) -> str:
    """Return the URL of a method of the Auth emulator's accounts."""
    key = "" if "?" in method else f"projects/{addresses.project}/"
    return f"{addresses.auth}/identitytoolkit.googleapis.com/v1/{key}accounts{method}"


def _order(http: httpx.Client, addresses: StackAddresses, run: HopRun) -> Any:
    """Return the order that was bought last, in the format of Firestore's REST API."""
    order = f"{addresses.firestore}/v1/{addresses.documents}/orders/{run.order_id}"
    return _json_of(http.get(order, headers=AS_ADMINISTRATOR))


def _json_of(response: httpx.Response) -> Any:
    if response.is_error:
        raise UserError(
            f"{response.url} answered {response.status_code}: {response.text[:200]}", hint=LOGS_HINT
        )
    return response.json() if response.headers.get("content-type", "").startswith(JSON) else None


def _first_line(error: BrowserError) -> str:
    return error.message.splitlines()[0]
