"""Tests of pubsub-refuses-once, with the publisher that the functions use."""

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

class FakeFlags:
    def collection(self, name):
        return {name: {"on": {"booleanValue": True}} for name in sys.argv[1].split()}

pubsub_refuses_once.inject(Flags(FakeFlags()))
assert "google.cloud.pubsub_v1" not in sys.modules, "the import costs a cold start"

from google.cloud.pubsub_v1 import PublisherClient

publisher = PublisherClient.__new__(PublisherClient)
# This publisher has no batch settings, so its own publish() raises AttributeError.
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
def test_only_messages_of_the_first_delivery_are_rejected(
    on: str, attempt: str, raised: str
) -> None:
    """AttributeError shows that the message reached the publisher's own code."""
    done = subprocess.run(
        [sys.executable, "-c", PUBLISH, on, attempt],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.strip() == raised, done.stderr
