"""Sends spans over eight connections as fast as possible, one round for each line on stdin.

The URL is that of an OTLP endpoint: ``http://HOST:PORT``, or ``grpc://HOST:PORT`` for OTLP/gRPC.
"""

from __future__ import annotations

import argparse
import http.client
import json
import random
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import grpc

from benchmarks.otlp_traces import Traces

CONNECTIONS = 8
SPANS_PER_REQUEST = 512
TIMEOUT_SECONDS = 120
# Shorter than an OTLP client's, to keep the endpoint busy.
RETRY_SECONDS = 0.02
RETRYABLE = (429, 503)
EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"


@dataclass
class Round:
    """The result of one round; `spans` counts those in requests answered with 200."""

    spans: int = 0
    seconds: float = 0.0
    throttled: int = 0
    refused: int = 0
    last_trace_id: str = ""
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def add(self, spans: int, throttled: int, refused: int) -> None:
        """Add the counts of one connection."""
        with self._lock:
            self.spans += spans
            self.throttled += throttled
            self.refused += refused

    def as_json(self) -> str:
        """Return the result as a line of JSON."""
        names = ("spans", "seconds", "throttled", "refused", "last_trace_id")
        return json.dumps({name: getattr(self, name) for name in names})


def send(url: str, requests: list[bytes]) -> Round:
    """Send the requests, distributed over the connections."""
    done = Round()
    barrier = threading.Barrier(CONNECTIONS + 1)
    senders = [
        threading.Thread(target=_send, args=(url, requests[n::CONNECTIONS], barrier, done))
        for n in range(CONNECTIONS)
    ]
    for sender in senders:
        sender.start()
    barrier.wait()
    began = time.monotonic()
    for sender in senders:
        sender.join()
    done.seconds = time.monotonic() - began
    return done


def _send(url: str, requests: list[bytes], barrier: threading.Barrier, done: Round) -> None:
    connected = _grpc if url.startswith("grpc:") else _http
    with connected(url) as post:
        barrier.wait()
        stored = throttled = refused = 0
        for body in requests:
            status = post(body)
            while status in RETRYABLE:
                throttled += 1
                time.sleep(RETRY_SECONDS)
                status = post(body)
            if status == 200:
                stored += SPANS_PER_REQUEST
            else:
                refused += 1
        done.add(stored, throttled, refused)


@contextmanager
def _http(url: str) -> Iterator[Callable[[bytes], int]]:
    """Connect, and yield a function that posts a body and returns the status."""
    address = urlsplit(url)
    connection = http.client.HTTPConnection(
        address.hostname or "", address.port, timeout=TIMEOUT_SECONDS
    )
    connection.connect()

    def post(body: bytes) -> int:
        connection.request("POST", "/v1/traces", body, {"Content-Type": "application/x-protobuf"})
        response = connection.getresponse()
        response.read()
        return response.status

    yield post
    connection.close()


@contextmanager
def _grpc(url: str) -> Iterator[Callable[[bytes], int]]:
    """Connect, and yield a function that exports a message and returns HTTP's status for it."""
    # Without the option, all channels of the process share one connection.
    options = [("grpc.use_local_subchannel_pool", 1)]
    with grpc.insecure_channel(urlsplit(url).netloc, options=options) as channel:
        grpc.channel_ready_future(channel).result(TIMEOUT_SECONDS)
        export = channel.unary_unary(EXPORT)

        def post(body: bytes) -> int:
            try:
                export(body, timeout=TIMEOUT_SECONDS)
            except grpc.RpcError as error:
                return 503 if error.code() is grpc.StatusCode.UNAVAILABLE else 400
            return 200

        yield post


def main() -> int:
    """Encode a round, print a line, wait for a line, send the round and print its result; repeat
    until stdin ends."""
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("--spans", type=int, required=True, help="in each round")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    traces = Traces(random.Random(options.seed))  # noqa: S311  # the same spans in every run
    count = -(-options.spans // SPANS_PER_REQUEST)
    while True:
        requests = [traces.request(SPANS_PER_REQUEST) for _ in range(count)]
        print(json.dumps({"encoded": count * SPANS_PER_REQUEST}), flush=True)
        if not sys.stdin.readline():
            return 0
        done = send(options.url, requests)
        done.last_trace_id = traces.last_trace_id
        print(done.as_json(), flush=True)


if __name__ == "__main__":
    sys.exit(main())
