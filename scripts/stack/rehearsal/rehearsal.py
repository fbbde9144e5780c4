"""Deploys this tree, runs what was uploaded, buys one ticket, and reports what its trace says."""

from __future__ import annotations

import shutil
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cloud.deployment.deployed import Deployed
from observatory.client import Observatory
from observatory.schemas.journey import Journey
from stack import index_check
from stack.clients.errors import stack_errors
from stack.console import step
from stack.load.load_report import FUNCTIONS
from stack.local import emulators
from stack.local.addresses import StackAddresses
from stack.local.current import exclusive_stack
from stack.local.processes import Processes
from stack.rehearsal import deployment, site, tree
from stack.rehearsal.site import Site
from stack.setup import install

PAGE = "page"
# How long the work that an order started may still run, and its spans arrive.
SETTLE_SECONDS = 30.0

# A span that has `throughline.hop` and `faas.name` is one invocation of a function.
_INVOCATIONS = """
select attributes['faas.name'] as function, count(*) as invocations from spans
where attributes['faas.name'] is not null and attributes['throughline.hop'] is not null
group by function
"""


@dataclass(frozen=True)
class Running:
    """A rehearsed site that is ready."""

    site: Site
    deployed: Deployed
    unknown_requests: list[str]
    granted: list[str]
    deploy_seconds: float
    processes: Processes


class AnsweredInvocations:
    """Counts the invocations that the instances of a rehearsed site answered."""

    def __init__(self, place: Site) -> None:
        self._place = place
        self._from: Counter[str] = Counter()

    def begin(self) -> None:
        """Count only invocations from now on."""
        self._from = self._read("invocations")

    def counts(self) -> Counter[str]:
        """Return how often each function answered."""
        return self._read("invocations") - self._from

    def are_running(self) -> bool:
        """Return whether an instance has an open request."""
        return bool(self._read("open_requests").total())

    def _read(self, figure: str) -> Counter[str]:
        functions = self._place.status().get("functions", {})
        return Counter({name: functions[name][figure] for name in FUNCTIONS if name in functions})


@contextmanager
def rehearsed_site(addresses: StackAddresses, folder: Path) -> Iterator[Running]:
    """Deploy the tree and run it until the block ends.

    Raises:
        UserError: the tree can't be deployed or run; the message says why.
    """
    place = Site(addresses)
    folder = folder.resolve()
    with exclusive_stack(folder, addresses):
        addresses.require_free_ports()
        for leftover in folder.glob("observatory.duckdb*"):
            leftover.unlink()
        public = folder / "page"
        install.page(public, site.page_settings(addresses), mode="production")
        with Processes() as processes:
            with emulators.starting():
                # They start while firebase-tools deploys.
                site.start_backends(processes, place, folder)
                stored = folder / "deployed"
                shutil.rmtree(stored, ignore_errors=True)
                settings, secrets = tree.settings(addresses), tree.secrets(addresses)
                bound = tree.stage(folder / "tree", public, settings, secrets, addresses.project)
                server = deployment.start_server(
                    processes,
                    place.server_port,
                    stored,
                    addresses.project,
                    folder / "deployment.log",
                )
                deployment.create_secrets(
                    server, addresses.project, {name: secrets[name] for name in bound}
                )
                with step("Deploying with firebase-tools"):
                    began = time.monotonic()
                    unknown = deployment.deploy(server, folder / "tree", addresses.project, folder)
                    deploy_seconds = time.monotonic() - began
                deployed = Deployed(stored, addresses.project)
                granted = deployment.grant_invoker(server, deployed)
                with step("Observatory, acquirer, emulators"):
                    site.wait_for_backends(processes, place, folder)
                with step("Running what was deployed"):
                    site.start_runtime(processes, place, stored, folder)
            yield Running(place, deployed, unknown, granted, deploy_seconds, processes)


def rehearse(addresses: StackAddresses, folder: Path) -> dict[str, Any]:
    """Deploy, run, buy one ticket in a browser; return the result that --json prints.

    Raises:
        UserError: a step fails.
    """
    # Imported here: it takes a third of a second, and only a purchase needs it.
    from stack.clients.browser_purchase import buy_and_trace  # noqa: PLC0415

    with rehearsed_site(addresses, folder) as running:
        purchase, journey = buy_and_trace(addresses)
        with stack_errors(), Observatory(addresses.observatory) as observatory:
            lost = wait_for_spans(observatory, running.site)
            journey = observatory.trace(purchase.trace_id)
            queries = index_check.queries(observatory, indexes=running.deployed.indexes())
        return {
            **result(journey, running),
            "spans_lost": sum(lost.values()),
            "lost": lost,
            "order_state": purchase.order_state,
            "trace_id": purchase.trace_id,
            "wall_s": round(purchase.wall_s, 3),
            "missing_indexes": sorted({index for query in queries for index in query.missing}),
        }


def wait_for_spans(observatory: Observatory, place: Site) -> dict[str, int]:
    """Wait until nothing runs and every invocation has its span; return how many have none.

    The runtime counts the requests that instances answered, and each must have delivered the span
    of its invocation before its CPU was taken away.
    """
    deadline = time.monotonic() + SETTLE_SECONDS
    while True:
        status = place.status()
        functions = status.get("functions", {})
        is_quiet = status.get("events", {}).get("in_progress") == 0 and not any(
            function["open_requests"] for function in functions.values()
        )
        lost = lost_spans(
            {
                name: function["invocations"]
                for name, function in functions.items()
                # It passes the page's spans on, and has none of its own.
                if name != site.RELAY
            },
            dict(observatory.ask(_INVOCATIONS)["rows"]),
        )
        if (is_quiet and not lost) or time.monotonic() > deadline:
            return lost
        time.sleep(0.5)


def lost_spans(invocations: Mapping[str, int], spans: Mapping[str, int]) -> dict[str, int]:
    """Return how many invocations have no span, for each function with any.

    Args:
        invocations: the number of answered requests, by function.
        spans: the number of stored spans of invocations, by function.
    """
    missing = {name: count - spans.get(name, 0) for name, count in invocations.items()}
    return {name: count for name, count in sorted(missing.items()) if count > 0}


def result(journey: Journey, running: Running) -> dict[str, Any]:
    """Return what a trace and the runtime say about one purchase."""
    status = running.site.status()
    events = status.get("events", {})
    return {
        "deployed": sorted(function.name for function in running.deployed.functions()),
        "hops": len(set(journey["hops"])),
        "spans": journey["spans"],
        "orphans": journey["orphans"],
        "coverage": journey["coverage"],
        "page_spans": sum(row["service"] == PAGE for row in journey["rows"]),
        "errors": journey["errors"],
        "deploy_s": round(running.deploy_seconds, 1),
        "unknown_requests": running.unknown_requests,
        "refused_hosts": status.get("refused_hosts", []),
        "dropped_events": events.get("dropped", []),
        "granted": running.granted,
        "instances": {
            name: {
                "starts": function["starts"],
                "memory_mib": function["memory_bytes_max"] >> 20,
                "limit_mib": function["memory_mib"],
            }
            for name, function in status.get("functions", {}).items()
            if function["requests"]
        },
        "failures": [
            failure
            for function in status.get("functions", {}).values()
            for failure in function["failures"]
        ],
    }


def is_whole(outcome: Mapping[str, Any]) -> bool:
    """Return whether a rehearsal shows what a deployed site must."""
    return (
        outcome["order_state"] == "ticketed"
        and outcome["orphans"] == 0
        and outcome["coverage"] == 1.0
        and outcome["spans_lost"] == 0
        and outcome["page_spans"] > 0
        and not outcome["missing_indexes"]
        and not outcome["unknown_requests"]
        and not outcome["refused_hosts"]
        and not outcome["failures"]
    )
