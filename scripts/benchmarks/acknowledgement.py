"""Measures how soon an idle Observatory acknowledges one span, and where the time goes.

All requests go over one connection to an Observatory with a new database, one after the other:
requests of one valid span, which are acknowledged from the journal; requests of one span with an
invalid link, which are acknowledged after their commit; and requests that are refused for their
content type, for the share of HTTP. The parts are then measured in this process.
"""

from __future__ import annotations

import http.client
import random
import shutil
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from benchmarks import observatory
from benchmarks.otlp_traces import Traces
from benchmarks.ratio import p95
from observatory.configuration import read_configuration
from observatory.receive.spans import spans_of
from observatory.receive.validity import all_spans_valid
from observatory.store import Store
from stack import paths
from stack.errors import UserError
from stack.local.processes import Processes

FOLDER = paths.MADE / "bench" / "acknowledgement"
WARM_UP_REQUESTS = 20
TIMEOUT_SECONDS = 30
PROTOBUF = "application/x-protobuf"


def measure(runs: int) -> dict[str, Any]:
    """Send `runs` requests of each kind, and measure the parts as often."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    bodies = requests(WARM_UP_REQUESTS + runs)
    with Processes() as processes:
        address = urlsplit(observatory.start(processes, FOLDER / "spans.duckdb"))
        connection = http.client.HTTPConnection(
            address.hostname or "", address.port, timeout=TIMEOUT_SECONDS
        )
        milliseconds = {
            "acknowledged": _round_trips(connection, bodies, PROTOBUF, 200),
            "after_commit": _round_trips(
                connection, list(map(with_invalid_link, bodies)), PROTOBUF, 200
            ),
            "http": _round_trips(connection, bodies, "text/plain", 415),
        }
        connection.close()
    return figures(milliseconds | parts(bodies, FOLDER / "parts.duckdb"))


def figures(milliseconds: dict[str, list[float]]) -> dict[str, Any]:
    """Return the median and the 95th percentile of each list, without the warm-up."""
    counted = {name: values[WARM_UP_REQUESTS:] for name, values in milliseconds.items()}
    result: dict[str, Any] = {"n": min(map(len, counted.values()))}
    for name, values in counted.items():
        result[f"{name}_p50_ms"] = round(statistics.median(values), 3)
        result[f"{name}_p95_ms"] = round(p95(values), 3)
    return result


def parts(bodies: Sequence[bytes], data: Path) -> dict[str, list[float]]:
    """Return the milliseconds of each part: `check` and `journal` are what an acknowledgement waits
    for, `decode` and `commit` what it does not wait for."""
    store = Store(data, read_configuration(paths.OBSERVATORY_CONFIG).promotions)
    milliseconds: dict[str, list[float]] = {
        name: [] for name in ("check", "journal", "decode", "commit")
    }

    def timed(name: str, work: Callable[..., Any], *arguments: Any) -> Any:
        began = time.perf_counter()
        result = work(*arguments)
        milliseconds[name].append((time.perf_counter() - began) * 1000)
        return result

    for body in bodies:
        timed("check", all_spans_valid, body)
        timed("journal", store.journal.append, "spans", body)
        batch = timed("decode", spans_of, body)
        timed("commit", lambda rows: store.add(rows).result(TIMEOUT_SECONDS), batch.rows)
    store.close()
    return milliseconds


def requests(count: int) -> list[bytes]:
    """Return `count` requests of one span."""
    traces = Traces(random.Random(1))  # noqa: S311  # the same spans in every run
    return [traces.request(1) for _ in range(count)]


def with_invalid_link(body: bytes) -> bytes:
    """Return the request with a link without ids, which the response has to report."""
    request = ExportTraceServiceRequest.FromString(body)
    request.resource_spans[0].scope_spans[0].spans[0].links.add()
    return bytes(request.SerializeToString())


def _round_trips(
    connection: http.client.HTTPConnection, bodies: Sequence[bytes], type_: str, expected: int
) -> list[float]:
    milliseconds = []
    for body in bodies:
        began = time.perf_counter()
        connection.request("POST", "/v1/traces", body, {"Content-Type": type_})
        response = connection.getresponse()
        response.read()
        milliseconds.append((time.perf_counter() - began) * 1000)
        if response.status != expected:
            raise UserError(f"The Observatory answered {response.status} instead of {expected}.")
    return milliseconds
