"""pubsub-refuses-once, on the publisher that the functions use."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[4]

PUBLISH = """
import sys, flask
from cloud.platform_conditions import pubsub_refuses_once
from cloud.platform_conditions.flags import Flags

class Switches:
    def collection(self, name):
        return {name: {"on": {"booleanValue": True}} for name in sys.argv[1].split()}

pubsub_refuses_once.inject(Flags(Switches()))
assert "google.cloud.pubsub_v1" not in sys.modules, "the import costs a cold start"

from google.cloud.pubsub_v1 import PublisherClient

publisher = PublisherClient.__new__(PublisherClient)
# What the publisher itself does first, with the batch settings that this one lacks.
headers = {"x-throughline-delivery-attempt": sys.argv[2]} if sys.argv[2] else {}
with flask.Flask("worker").test_request_context(headers=headers):
    try:
        publisher.publish("projects/p/topics/order-reserved", b"{}")
    except Exception as error:
        print(type(error).__name__)
"""


@pytest.mark.parametrize(
    ("on", "attempt", "raised"),
    [
        ("pubsub-refuses-once", "1", "ServiceUnavailable"),
        ("pubsub-refuses-once", "2", "AttributeError"),
        ("pubsub-refuses-once", "", "AttributeError"),
        ("", "1", "AttributeError"),
    ],
)
def test_only_the_first_delivery_is_refused(on: str, attempt: str, raised: str) -> None:
    """Every other message reaches the publisher's own code, which this one lacks the state for."""
    done = subprocess.run(
        [sys.executable, "-c", PUBLISH, on, attempt],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.strip() == raised, done.stderr
