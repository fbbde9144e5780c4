"""Firestore calls as spans: the gRPC instrumentation is loaded once, with the first channel."""

from __future__ import annotations

import json

from tests.unit.functions.test_telemetry import run

CHANNELS = """
import sys, threading, grpc
from throughline import firestore_calls
makers = grpc.insecure_channel, grpc.secure_channel
firestore_calls.trace_calls()
print("opentelemetry.instrumentation.grpc" in sys.modules)
made = []
threads = [
    threading.Thread(target=lambda: made.append(grpc.insecure_channel("127.0.0.1:9")))
    for _ in range(8)
]
for thread in threads: thread.start()
for thread in threads: thread.join()
made.append(grpc.secure_channel("127.0.0.1:9", grpc.ssl_channel_credentials()))
print("opentelemetry.instrumentation.grpc" in sys.modules)
print(json.dumps([type(channel).__name__ for channel in made]))
for channel in made:
    inner = channel._channel._channel
    print(type(inner).__name__)
    channel.close()
"""


def test_the_first_channel_loads_the_instrumentation_and_every_channel_is_traced() -> None:
    """Importing throughline does not load it, which would slow down every cold start."""
    before, after, made, *inner = run(CHANNELS)
    assert (before, after) == ("False", "True")
    assert json.loads(made) == ["_InterceptorChannel"] * 9
    assert set(inner) == {"Channel"}
