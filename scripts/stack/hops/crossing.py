"""Crosses every hop of the contract through the real path, and collects the evidence in traces."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterable

import httpx
from playwright.sync_api import Browser, Page

from observatory.client import Observatory, TraceNotFound
from observatory.schemas.journey import Journey
from stack.clients.pseudonym import pseudonym
from stack.console import step
from stack.hops.hop_drivers import (
    HopRun,
    buy,
    fetch_availability,
    refund,
    request_quote,
    sign_up,
    sweep,
)
from stack.hops.hop_evidence import Evidence, evidence_in
from stack.local.addresses import StackAddresses

PURCHASES = 3
TRACE_SECONDS = 40
SETTLED_MS = 700
CALL_SECONDS = 120


def root_traces(
    observatory: Observatory, addresses: StackAddresses, run: HopRun, swept_order_id: str
) -> Iterable[Journey]:
    """Yield the traces of the declared roots: the sweep of the order, and the user's welcome."""
    for line in observatory.traces(50, subject=swept_order_id)["traces"]:
        for row in observatory.trace(line["trace_id"])["rows"]:
            is_swept_order = row["attributes"].get("boxoffice.order.id") == swept_order_id
            if row["name"] == "resume order" and is_swept_order:
                for link in row["links"]:
                    if link["stored"]:
                        yield observatory.trace(link["trace_id"])
    user_pseudonym = pseudonym(addresses.project, run.uid)
    for line in observatory.traces(50, service="welcome")["traces"]:
        journey = observatory.trace(line["trace_id"])
        if user_pseudonym in (
            row["attributes"].get("enduser.pseudo.id") for row in journey["rows"]
        ):
            yield journey


def collect_evidence(
    read_traces: Callable[[], list[Journey]], run: HopRun, pause: Callable[[], None]
) -> dict[str, Evidence]:
    """Return the evidence, by hop, once every hop is carried and no new spans arrive.

    After TRACE_SECONDS, return the evidence that there is.
    """
    deadline = time.monotonic() + TRACE_SECONDS
    while True:
        journeys = read_traces()
        evidence_by_hop = evidence_in(journeys, run.fired_unix_nano)
        settled = all(journey["last_received_ms_ago"] > SETTLED_MS for journey in journeys)
        if settled and all(evidence.carried for evidence in evidence_by_hop.values()):
            return evidence_by_hop
        if time.monotonic() > deadline:
            return evidence_by_hop
        pause()


def with_detached_traces(
    evidence_by_hop: dict[str, Evidence], observatory: Observatory, run: HopRun
) -> dict[str, Evidence]:
    """Return the evidence with that of other traces for hops that no known trace crosses.

    A span that loses its context becomes the root of a new trace, which was not known before.
    """
    if all(evidence.crossings for evidence in evidence_by_hop.values()):
        return evidence_by_hop
    detached = [
        observatory.trace(line["trace_id"])
        for line in observatory.traces(200)["traces"]
        if int(line["started_unix_nano"]) >= run.began_unix_nano
        and line["trace_id"] not in run.trace_ids
    ]
    detached_evidence = evidence_in(detached)
    return {
        hop: evidence if evidence.crossings else Evidence(hop, detached_evidence[hop].wrong)
        for hop, evidence in evidence_by_hop.items()
    }


def cross_every_hop(chromium: Browser, addresses: StackAddresses) -> dict[str, Evidence]:
    """Cross every hop, and return the evidence in the Observatory's traces, by hop.

    Raises:
        UserError: a step in the browser or a request fails.
        ObservatoryError: the Observatory doesn't answer.
    """
    run = HopRun()
    with (
        Observatory(addresses.observatory) as observatory,
        httpx.Client(timeout=CALL_SECONDS, trust_env=False) as http,
    ):

        def new_page() -> Page:
            page = chromium.new_context().new_page()
            run.note_requests(page)
            return page

        with step("Requesting a price in a browser"):
            request_quote(new_page(), addresses)
        with step(f"Buying {PURCHASES} tickets"):
            for _ in range(PURCHASES):
                buy(new_page(), addresses, run)
        with step("Requesting the seats left without a listener"):
            offline_page = new_page()
            fetch_availability(offline_page, addresses)
        with step("Sweeping a stuck order"):
            swept_order_id = sweep(http, addresses, run)
        with step("Signing up, and refunding a ticket as a new organiser"):
            newcomer = sign_up(http, addresses, run)
            refund(new_page(), http, addresses, run, newcomer)

        def read_traces() -> list[Journey]:
            journeys = list(root_traces(observatory, addresses, run, swept_order_id))
            for trace_id in run.trace_ids:
                with contextlib.suppress(TraceNotFound):
                    journeys.append(observatory.trace(trace_id))
            return journeys

        with step("Reading the traces"):
            # The pages are still open, and export their last spans during the wait.
            evidence_by_hop = collect_evidence(
                read_traces, run, lambda: offline_page.wait_for_timeout(500)
            )
            return with_detached_traces(evidence_by_hop, observatory, run)


def table(evidence_by_hop: dict[str, Evidence]) -> str:
    """Format the evidence as a table with a line for each hop."""
    lines = [f"{'hop':<10}{'carried':<9}{'joined as':<11}{'p50':>9}  {'trace':<32}"]
    for hop, evidence in evidence_by_hop.items():
        summary = evidence.summary()
        p50 = "–" if summary["p50_ms"] is None else f"{summary['p50_ms']} ms"
        lines.append(
            f"{hop:<10}{'yes' if evidence.carried else 'NO':<9}{summary['joined_as'] or '–':<11}"
            f"{p50:>9}  {summary['trace_id'] or '–':<32}"
        )
    return "\n".join(lines)


def describe_failures(evidence_by_hop: dict[str, Evidence], observatory: str) -> list[str]:
    """Return error lines for the hops that did not carry the context."""
    lines = []
    for evidence in evidence_by_hop.values():
        if evidence.carried:
            continue
        if not evidence.crossings:
            lines.append(f"✗ {evidence.hop}: no span of this hop is stored at {observatory}.")
        for crossing in evidence.wrong[:3]:
            where = f"{observatory}/traces/{crossing.trace_id}"
            lines.append(f"✗ {evidence.hop}: {crossing.wrong}. {where}")
    return lines
