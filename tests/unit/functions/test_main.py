"""What the Firebase CLI finds when it asks the SDK for our functions."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

FUNCTIONS = Path(__file__).resolve().parents[3] / "functions"

DISCOVER = """
import json, yaml
from firebase_functions.private import serving
print(json.dumps(yaml.safe_load(serving.functions_as_yaml(serving.get_functions()))))
"""


@pytest.fixture(scope="module")
def endpoints() -> dict[str, dict[str, Any]]:
    """The manifest's endpoints, by function."""
    done = subprocess.run(
        [FUNCTIONS / "venv" / "bin" / "python", "-c", DISCOVER],
        cwd=FUNCTIONS,
        env={"GCLOUD_PROJECT": "demo-throughline"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, dict[str, Any]] = json.loads(done.stdout)["endpoints"]
    return found


def test_every_stage_is_listed(endpoints: dict[str, dict[str, Any]]) -> None:
    """Each under its own name, and nothing else."""
    assert set(endpoints) == {
        *("welcome", "availability", "quote"),
        *("reserve", "charge", "settle", "issue"),
        *("expire", "refund", "audit", "sweep"),
    }
    assert all(endpoint["entryPoint"] == name for name, endpoint in endpoints.items())


def test_an_order_that_is_created_triggers_reserve(endpoints: dict[str, dict[str, Any]]) -> None:
    """The document's pattern names the order."""
    trigger = endpoints["reserve"]["eventTrigger"]
    assert trigger["eventType"] == "google.cloud.firestore.document.v1.created"
    assert trigger["eventFilterPathPatterns"] == {"document": "orders/{order_id}"}


@pytest.mark.parametrize(("name", "topic"), [("charge", "order-reserved"), ("issue", "order-paid")])
def test_a_topic_triggers_the_next_stage(
    endpoints: dict[str, dict[str, Any]], name: str, topic: str
) -> None:
    """Each stage has its own."""
    trigger = endpoints[name]["eventTrigger"]
    assert trigger["eventType"] == "google.cloud.pubsub.topic.v1.messagePublished"
    assert trigger["eventFilters"] == {"topic": topic}


def test_settle_is_called_over_http(endpoints: dict[str, dict[str, Any]]) -> None:
    """The processor retries it by itself."""
    assert "httpsTrigger" in endpoints["settle"]
    assert "eventTrigger" not in endpoints["settle"]


@pytest.mark.parametrize("name", ["reserve", "charge", "issue", "audit"])
def test_an_event_that_failed_is_delivered_again(
    endpoints: dict[str, dict[str, Any]], name: str
) -> None:
    """No order is lost because one attempt was."""
    assert endpoints[name]["eventTrigger"]["retry"] is True
