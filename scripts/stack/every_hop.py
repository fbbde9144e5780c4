"""Crosses every hop of the contract through the real path, and shows what the Observatory saw.

Runs in the environment that install.py made, not in the bare Python of the other modules.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import secrets
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import httpx
from playwright.sync_api import Browser, Page, Request, Route
from playwright.sync_api import Error as BrowserError

from observatory.client import Observatory, ObservatoryError, TraceNotFound
from observatory.shapes import Journey
from stack.buy import browser, buy_a_ticket
from stack.console import say, step
from stack.hop_evidence import Evidence, evidence_in
from stack.problem import Problem

PURCHASES = 3
PAGE_SECONDS = 60
TRACE_SECONDS = 40
SETTLED_MS = 700
CALL_SECONDS = 120

REGION = "us-central1"
LISTEN = "**/google.firestore.v1.Firestore/Listen/**"
AVAILABILITY = "**/api/availability?*"
JSON = "application/json"
LONG_AGO = "2020-01-01T00:00:00Z"


@dataclass(frozen=True)
class Parts:
    """Where the parts of the stack are, as URLs, and its project's id."""

    project: str
    hosting: str
    functions: str
    auth: str
    firestore: str
    observatory: str

    def function(self, name: str) -> str:
        """The address of a function."""
        return f"{self.functions}/{self.project}/{REGION}/{name}"


@dataclass
class Journeyed:
    """Where the hops left their traces, and when somebody caused the roots among them."""

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


def have_quoted(page: Page, parts: Parts) -> None:
    """Open the dialog in which seats are chosen: the page asks what they would cost.

    Raises:
        Problem: the page doesn't let us, or no answer comes.
    """
    try:
        page.goto(parts.hosting)
        page.get_by_role("button", name="Buy ").first.click(timeout=PAGE_SECONDS * 1000)
        page.locator('.quote[data-quote="quoted"]').wait_for(timeout=PAGE_SECONDS * 1000)
    except BrowserError as error:
        raise Problem(f"No price was quoted: {_first_line(error)}") from error


def buy(page: Page, parts: Parts, done: Journeyed) -> None:
    """Buy one ticket: what that takes crosses most of the hops.

    Raises:
        Problem: the page doesn't let us, or the order doesn't end with its ticket.
    """
    purchase = buy_a_ticket(page, parts.hosting)
    if purchase.order_state != "ticketed":
        raise Problem(f"Order {purchase.order_id} ended as {purchase.order_state}.")
    done.order_id = purchase.order_id
    done.trace_ids[purchase.trace_id] = None


def look_up_seats(page: Page, parts: Parts) -> None:
    """Take the page's listener away: it looks the seats up by HTTPS until it has it back.

    The page asks through Hosting's rewrite. Every second of its requests goes to the function
    itself, as those of a page do that isn't on Hosting.

    Raises:
        Problem: the page doesn't look them up.
    """
    asked = 0

    def straight_every_second_time(route: Route) -> None:
        nonlocal asked
        asked += 1
        query = route.request.url.partition("?")[2]
        direct = f"{parts.function('availability')}?{query}"
        route.continue_(url=direct if asked % 2 == 0 else None)

    try:
        page.goto(parts.hosting)
        page.locator("[data-show-id]").first.wait_for(timeout=PAGE_SECONDS * 1000)
        page.route(AVAILABILITY, straight_every_second_time)
        page.route(LISTEN, lambda route: route.abort())
        # Only a request that is made anew meets the closed door.
        page.context.set_offline(True)
        page.context.set_offline(False)
        page.locator("[data-seats-looked-up]").wait_for(timeout=PAGE_SECONDS * 1000)
        page.unroute_all(behavior="ignoreErrors")
    except BrowserError as error:
        raise Problem(f"The page looked no seats up: {_first_line(error)}") from error


def sweep(http: httpx.Client, parts: Parts, done: Journeyed) -> str:
    """Fire the schedule while an order is stuck; returns that order's id.

    The stuck order is like one that was bought, in that one's trace, but its last message is lost.

    Raises:
        Problem: the order can't be made, or the sweep fails.
    """
    name = f"projects/{parts.project}/databases/(default)/documents"
    documents = f"{parts.firestore}/v1/{name}"
    as_administrator = {"Authorization": "Bearer owner"}
    bought = _said(http.get(f"{documents}/orders/{done.order_id}", headers=as_administrator))
    order_id = secrets.token_hex(10)
    stuck = bought["fields"] | {
        "state": {"stringValue": "paid"},
        "placed_at": {"timestampValue": LONG_AGO},
        "moved_at": {"mapValue": {"fields": {}}},
    }
    write = {
        "update": {"name": f"{name}/orders/{order_id}", "fields": stuck},
        "currentDocument": {"exists": False},
    }
    _said(http.post(f"{documents}:commit", json={"writes": [write]}, headers=as_administrator))
    done.fired_unix_nano["schedule"] = time.time_ns()
    # The emulator's name for a function that an event or a schedule starts.
    _said(http.post(parts.function("sweep-0")))
    return order_id


def sign_up(http: httpx.Client, parts: Parts, done: Journeyed) -> None:
    """Make a new account with an e-mail address, as the browser's SDK does.

    Raises:
        Problem: it isn't made.
    """
    url = f"{parts.auth}/identitytoolkit.googleapis.com/v1/accounts:signUp?key=any"
    account = {"email": f"{secrets.token_hex(8)}@example.org", "password": secrets.token_hex(8)}
    done.fired_unix_nano["auth"] = time.time_ns()
    done.uid = _said(http.post(url, json=account | {"returnSecureToken": True}))["localId"]


def traces_of_the_roots(
    observatory: Observatory, parts: Parts, done: Journeyed, swept_order_id: str
) -> Iterable[Journey]:
    """The traces of the sweep that mended the order, and of the welcome of the new user."""
    for line in observatory.traces(50, order_id=swept_order_id)["traces"]:
        for row in observatory.trace(line["trace_id"])["rows"]:
            of_it = row["attributes"].get("boxoffice.order.id") == swept_order_id
            if row["name"] == "mend order" and of_it:
                for link in row["links"]:
                    if link["stored"]:
                        yield observatory.trace(link["trace_id"])
    pseudonym = hashlib.sha256(f"{parts.project}{done.uid}".encode()).hexdigest()[:16]
    for line in observatory.traces(50, service="welcome")["traces"]:
        journey = observatory.trace(line["trace_id"])
        if pseudonym in (row["attributes"].get("enduser.pseudo.id") for row in journey["rows"]):
            yield journey


def wait_for_all(
    look: Callable[[], list[Journey]], done: Journeyed, pause: Callable[[], None]
) -> dict[str, Evidence]:
    """What the traces prove once every hop is carried and nothing more arrives, or when it is too
    late for that."""
    deadline = time.monotonic() + TRACE_SECONDS
    while True:
        journeys = look()
        found = evidence_in(journeys, done.fired_unix_nano)
        settled = all(journey["last_received_ms_ago"] > SETTLED_MS for journey in journeys)
        if settled and all(evidence.carried for evidence in found.values()):
            return found
        if time.monotonic() > deadline:
            return found
        pause()


def cross_every_hop(chromium: Browser, parts: Parts) -> dict[str, Evidence]:
    """Cross every hop, and return what the Observatory saw of each.

    Raises:
        Problem: a hop can't be begun.
        ObservatoryError: the Observatory doesn't answer.
    """
    done = Journeyed()
    with (
        Observatory(parts.observatory) as observatory,
        httpx.Client(timeout=CALL_SECONDS, trust_env=False) as http,
    ):

        def somebodys_page() -> Page:
            page = chromium.new_context().new_page()
            done.note_requests(page)
            return page

        with step("Having a price quoted in a browser"):
            have_quoted(somebodys_page(), parts)
        with step(f"Buying {PURCHASES} tickets"):
            for _ in range(PURCHASES):
                buy(somebodys_page(), parts, done)
        with step("Looking seats up without a listener"):
            onlooker = somebodys_page()
            look_up_seats(onlooker, parts)
        with step("Signing up, and sweeping a stuck order"):
            sign_up(http, parts, done)
            swept_order_id = sweep(http, parts, done)

        def look() -> list[Journey]:
            journeys = list(traces_of_the_roots(observatory, parts, done, swept_order_id))
            for trace_id in done.trace_ids:
                with contextlib.suppress(TraceNotFound):
                    journeys.append(observatory.trace(trace_id))
            return journeys

        with step("Reading the traces"):
            # The pages are still open: they deliver their last spans while we wait for them.
            return wait_for_all(look, done, lambda: onlooker.wait_for_timeout(500))


def table(found: dict[str, Evidence]) -> str:
    """The hops as lines for a person."""
    lines = [f"{'hop':<10}{'carried':<9}{'joined as':<11}{'p50':>9}  {'trace':<32}"]
    for hop, evidence in found.items():
        said = evidence.summary()
        p50 = "–" if said["p50_ms"] is None else f"{said['p50_ms']} ms"
        lines.append(
            f"{hop:<10}{'yes' if evidence.carried else 'NO':<9}{said['joined_as'] or '–':<11}"
            f"{p50:>9}  {said['trace_id'] or '–':<32}"
        )
    return "\n".join(lines)


def complaints(found: dict[str, Evidence], observatory: str) -> list[str]:
    """A line for each hop that is not carried: what was seen of it instead."""
    lines = []
    for evidence in found.values():
        if evidence.carried:
            continue
        if not evidence.crossings:
            lines.append(f"✗ {evidence.hop}: nothing of it is stored at {observatory}.")
        for crossing in evidence.wrong[:3]:
            where = f"{observatory}/traces/{crossing.trace_id}"
            lines.append(f"✗ {evidence.hop}: {crossing.wrong}. {where}")
    return lines


def main(arguments: list[str] | None = None) -> int:
    """Run the command; returns its exit status."""
    parser = argparse.ArgumentParser(description="Cross every hop of a stack that is running.")
    for part in Parts.__dataclass_fields__:
        parser.add_argument(f"--{part}", required=True)
    parser.add_argument("--json", action="store_true")
    options = vars(parser.parse_args(arguments))
    as_json = options.pop("json")
    parts = Parts(**options)
    try:
        with browser() as chromium:
            found = cross_every_hop(chromium, parts)
    except (Problem, ObservatoryError) as problem:
        say(f"✗ {problem}")
        return 1
    print(json.dumps({h: e.summary() for h, e in found.items()}) if as_json else table(found))
    for line in complaints(found, parts.observatory):
        say(line)
    return 0 if all(evidence.carried for evidence in found.values()) else 1


def _said(answer: httpx.Response) -> Any:
    if answer.is_error:
        raise Problem(f"{answer.url} answered {answer.status_code}: {answer.text[:200]}")
    return answer.json() if answer.headers.get("content-type", "").startswith(JSON) else None


def _first_line(error: BrowserError) -> str:
    return error.message.splitlines()[0]


if __name__ == "__main__":
    sys.exit(main())
