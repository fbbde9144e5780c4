"""Measures query latency for ./scripts/bench observatory.

All queries differ, and are sent over one connection without an ETag, so that no response comes from
a cache. They are for the data of otlp_traces.py.
"""

from __future__ import annotations

import http.client
import json
import random
import statistics
import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from benchmarks.ratio import p95
from benchmarks.shows import REGIONS, SHOWS
from stack.errors import UserError

QUERIES = 40
WARM_UP = 3
TIMEOUT_SECONDS = 60
PAGE = 100
SORTS = ("start", "duration", "spans", "errors")


def measure(url: str) -> dict[str, Any]:
    """Return p50 and p95, in milliseconds, of each kind of query to the Observatory at ``url``."""
    client = _Client(url)
    chance = random.Random(7)  # noqa: S311  # the same queries in every run
    traces = client.traces(chance)
    first, last = min(trace["ms"] for trace in traces), max(trace["ms"] for trace in traces)
    long = sorted(trace["duration_ms"] for trace in traces)[len(traces) * 9 // 10]

    def search() -> str:
        show, region = chance.choice(SHOWS), chance.choice(REGIONS)
        over = f"duration > {long * chance.random():.1f} ms"
        filters = (
            f'boxoffice.show.id = "{show}" and {over}',
            f"cloud.region = {region} and http.request.body.size > {chance.randrange(4000)}",
            f"error = true and boxoffice.show.id != {show} and {over}",
            f"customer.id = customer-{chance.randrange(20_000)}",
            f"order = {chance.choice(traces)['order_id']}",
            f"messaging.message.id = {chance.randbytes(8).hex()}",
            f"service = settle and not name ~ {chance.choice(('commit', 'webhook', 'send'))}",
            f"wait.reserve > {chance.random() * 5:.2f} ms and cloud.region = {region}",
        )
        return _path("/api/traces", q=chance.choice(filters), sort=chance.choice(SORTS))

    def heatmap() -> str:
        begin = first + chance.random() * (last - first) / 2
        query: dict[str, Any] = {"from": round(begin), "to": round(begin + (last - first) / 2)}
        if chance.random() < 0.5:
            query["q"] = f"boxoffice.show.id = {chance.choice(SHOWS)}"
        return _path("/api/heatmap", columns=chance.randint(40, 90), **query)

    def compare() -> str:
        if chance.random() < 0.3:
            return _path("/api/compare", **{"in": f"boxoffice.show.id = {chance.choice(SHOWS)}"})
        begin = first + chance.random() * (last - first)
        return _path(
            "/api/compare",
            in_from=round(begin),
            in_to=round(begin + (last - first) / 5),
            in_least_ms=round(long * chance.random(), 1),
        )

    figures: dict[str, Any] = {}
    kinds: dict[str, Callable[[], str]] = {
        "trace": lambda: f"/api/traces/{chance.choice(traces)['trace_id']}",
        "search": search,
        "heatmap": heatmap,
        "compare": compare,
        "map": lambda: _path("/api/map", q=f"cloud.region = {chance.choice(REGIONS)}"),
        "coverage": lambda: "/api/coverage",
        "health": lambda: "/api/health",
    }
    for kind, query_path in kinds.items():
        took = [client.seconds(query_path()) * 1000 for _ in range(WARM_UP + QUERIES)][WARM_UP:]
        figures[f"{kind}_p50_ms"] = round(statistics.median(took), 1)
        figures[f"{kind}_p95_ms"] = round(p95(took), 1)
    return figures


def _path(path: str, **query: Any) -> str:
    return f"{path}?{urlencode(query, quote_via=quote)}"


class _Client:
    """A client of the Observatory with one connection."""

    def __init__(self, url: str) -> None:
        address = urlsplit(url)
        self._connection = http.client.HTTPConnection(
            address.hostname or "", address.port, timeout=TIMEOUT_SECONDS
        )

    def seconds(self, path: str) -> float:
        """Return the seconds until the whole response has arrived."""
        began = time.perf_counter()
        self._body(path)
        return time.perf_counter() - began

    def traces(self, chance: random.Random) -> list[dict[str, Any]]:
        """Return a sample of the stored traces."""
        sample = list(self._lines(chance))
        if not sample:
            raise UserError("The Observatory has no traces to query.")
        return sample

    def _lines(self, chance: random.Random) -> Iterator[dict[str, Any]]:
        for sort in SORTS[:2]:
            for order in ("asc", "desc"):
                yield from self._page(sort=sort, order=order)
        for digit in range(16):
            yield from self._page(trace_id_prefix=f"{digit:x}{chance.randrange(16):x}")

    def _page(self, **query: Any) -> Iterator[dict[str, Any]]:
        for line in json.loads(self._body(_path("/api/traces", limit=PAGE, **query)))["traces"]:
            yield line | {"ms": int(line["started_unix_nano"]) / 1e6}

    def _body(self, path: str) -> bytes:
        self._connection.request("GET", path)
        response = self._connection.getresponse()
        body = response.read()
        if response.status != 200:
            raise UserError(
                f"The Observatory answered {path} with {response.status}: {body[:200]!r}."
            )
        return body
