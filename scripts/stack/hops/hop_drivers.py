"""Drive a buyer, an operator and a new user across every hop of the contract."""

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
from stack.errors import UserError
from stack.local.addresses import StackAddresses

PAGE_SECONDS = 60

LISTEN = "**/google.firestore.v1.Firestore/Listen/**"
AVAILABILITY = "**/api/availability?*"
JSON = "application/json"
AS_ADMINISTRATOR = {"Authorization": "Bearer owner"}
LONG_AGO = "2020-01-01T00:00:00Z"


@dataclass
class HopRun:
    """One run across the hops: the traces it left, and when it started the roots among them."""

    began_unix_nano: int = field(default_factory=time.time_ns)
    #: The last order that was bought.
    order_id: str = ""
    uid: str = ""
    trace_ids: dict[str, None] = field(default_factory=dict)
    fired_unix_nano: dict[str, int] = field(default_factory=dict)

    def note_requests(self, page: Page) -> None:
        """Keep the trace of every request that the page sends context with."""

        def note(request: Request) -> None:
            fields = request.headers.get("traceparent", "").split("-")
            if request.method != "OPTIONS" and len(fields) == 4:
                self.trace_ids[fields[1]] = None

        page.on("request", note)


def have_quoted(page: Page, addresses: StackAddresses) -> None:
    """Open the dialog in which seats are chosen: the page asks what they would cost.

    Raises:
        UserError: the page doesn't let us, or no answer comes.
    """
    try:
        page.goto(addresses.hosting)
        page.get_by_role("button", name="Buy ").first.click(timeout=PAGE_SECONDS * 1000)
        page.locator('.quote[data-quote="quoted"]').wait_for(timeout=PAGE_SECONDS * 1000)
    except BrowserError as error:
        raise UserError(f"No price was quoted: {_first_line(error)}") from error


def buy(page: Page, addresses: StackAddresses, run: HopRun) -> None:
    """Buy one ticket: what that takes crosses most of the hops.

    Raises:
        UserError: the page doesn't let us, or the order doesn't end with its ticket.
    """
    purchase = buy_a_ticket(page, addresses.hosting)
    if purchase.order_state != "ticketed":
        raise UserError(f"Order {purchase.order_id} ended as {purchase.order_state}.")
    run.order_id = purchase.order_id
    run.trace_ids[purchase.trace_id] = None


def look_up_seats(page: Page, addresses: StackAddresses) -> None:
    """Take the page's listener away: it looks the seats up by HTTPS until it has it back.

    The page asks through Hosting's rewrite. Every second of its requests goes to the function
    itself, as those of a page do that isn't on Hosting.

    Raises:
        UserError: the page doesn't look them up.
    """
    asked = 0

    def straight_every_second_time(route: Route) -> None:
        nonlocal asked
        asked += 1
        query = route.request.url.partition("?")[2]
        direct = f"{addresses.function('availability')}?{query}"
        route.continue_(url=direct if asked % 2 == 0 else None)

    try:
        page.goto(addresses.hosting)
        page.locator("[data-show-id]").first.wait_for(timeout=PAGE_SECONDS * 1000)
        page.route(AVAILABILITY, straight_every_second_time)
        page.route(LISTEN, lambda route: route.abort())
        # Only a request that is made anew meets the closed door.
        page.context.set_offline(True)
        page.context.set_offline(False)
        page.locator("[data-seats-looked-up]").wait_for(timeout=PAGE_SECONDS * 1000)
        page.unroute_all(behavior="ignoreErrors")
    except BrowserError as error:
        raise UserError(f"The page looked no seats up: {_first_line(error)}") from error


def sweep(http: httpx.Client, addresses: StackAddresses, run: HopRun) -> str:
    """Fire the schedule while an order is stuck; returns that order's id.

    The stuck order is like one that was bought, in that one's trace, but its last message is lost.

    Raises:
        UserError: the order can't be made, or the sweep fails.
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
    _said(http.post(commit, json={"writes": [write]}, headers=AS_ADMINISTRATOR))
    run.fired_unix_nano["schedule"] = time.time_ns()
    # The emulator's name for a function that an event or a schedule starts.
    _said(http.post(addresses.function("sweep-0")))
    return order_id


def sign_up(http: httpx.Client, addresses: StackAddresses, run: HopRun) -> dict[str, str]:
    """Make an account with an e-mail address, as the browser's SDK does; returns how to sign in.

    Raises:
        UserError: it isn't made.
    """
    account = {"email": f"{secrets.token_hex(8)}@example.org", "password": secrets.token_hex(8)}
    run.fired_unix_nano["auth"] = time.time_ns()
    sent = account | {"returnSecureToken": True}
    run.uid = _said(http.post(_accounts(addresses, ":signUp?key=any"), json=sent))["localId"]
    return account


def refund(
    page: Page, http: httpx.Client, addresses: StackAddresses, run: HopRun, account: dict[str, str]
) -> None:
    """Make the new account an organiser's, and give the money back for the last order as that.

    A guest has no account that anybody was welcomed to; an organiser's calls link to theirs.

    Raises:
        UserError: the page doesn't let us, or the order isn't refunded.
    """
    asked = {"localId": [run.uid]}
    found = _said(http.post(_accounts(addresses, ":lookup"), json=asked, headers=AS_ADMINISTRATOR))
    claims = json.loads(found["users"][0]["customAttributes"]) | {"role": "organiser"}
    given = {"localId": run.uid, "customAttributes": json.dumps(claims)}
    _said(http.post(_accounts(addresses, ":update"), json=given, headers=AS_ADMINISTRATOR))
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
        raise UserError(f"The order was not refunded: {_first_line(error)}") from error


def _accounts(addresses: StackAddresses, method: str) -> str:
    """A method of the accounts that the Auth emulator keeps."""
    key = "" if "?" in method else f"projects/{addresses.project}/"
    return f"{addresses.auth}/identitytoolkit.googleapis.com/v1/{key}accounts{method}"


def _order(http: httpx.Client, addresses: StackAddresses, run: HopRun) -> Any:
    """The order that was bought last, as Firestore's REST API gives it."""
    order = f"{addresses.firestore}/v1/{addresses.documents}/orders/{run.order_id}"
    return _said(http.get(order, headers=AS_ADMINISTRATOR))


def _said(answer: httpx.Response) -> Any:
    if answer.is_error:
        raise UserError(f"{answer.url} answered {answer.status_code}: {answer.text[:200]}")
    return answer.json() if answer.headers.get("content-type", "").startswith(JSON) else None


def _first_line(error: BrowserError) -> str:
    return error.message.splitlines()[0]
