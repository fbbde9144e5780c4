"""The functions that the Firebase CLI discovers through the SDK."""

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
    """The manifest's endpoints, keyed by function."""
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
    by_function: dict[str, dict[str, Any]] = json.loads(done.stdout)["endpoints"]
    return by_function


def test_exactly_the_stages_are_discovered(endpoints: dict[str, dict[str, Any]]) -> None:
    assert set(endpoints) == {
        *("welcome", "availability", "quote"),
        *("reserve", "charge", "settle", "issue"),
        *("expire", "refund", "audit", "sweep", "telemetry"),
    }
    assert all(endpoint["entryPoint"] == name for name, endpoint in endpoints.items())


def test_a_created_order_triggers_reserve(endpoints: dict[str, dict[str, Any]]) -> None:
    """The document pattern captures the order's id."""
    trigger = endpoints["reserve"]["eventTrigger"]
    assert trigger["eventType"] == "google.cloud.firestore.document.v1.created"
    assert trigger["eventFilterPathPatterns"] == {"document": "orders/{order_id}"}


@pytest.mark.parametrize(("name", "topic"), [("charge", "order-reserved"), ("issue", "order-paid")])
def test_each_topic_triggers_its_stage(
    endpoints: dict[str, dict[str, Any]], name: str, topic: str
) -> None:
    trigger = endpoints[name]["eventTrigger"]
    assert trigger["eventType"] == "google.cloud.pubsub.topic.v1.messagePublished"
    assert trigger["eventFilters"] == {"topic": topic}


def test_settle_is_called_over_http(endpoints: dict[str, dict[str, Any]]) -> None:
    """It has no retry option, because the processor retries webhooks."""
    assert "httpsTrigger" in endpoints["settle"]
    assert "eventTrigger" not in endpoints["settle"]


def test_telemetry_has_few_instances(endpoints: dict[str, dict[str, Any]]) -> None:
    """Anyone can call it, and it must not be what a busy day costs."""
    assert "httpsTrigger" in endpoints["telemetry"]
    assert endpoints["telemetry"]["maxInstances"] == 3


@pytest.mark.parametrize("name", ["reserve", "charge", "issue", "audit"])
def test_failed_events_are_retried(endpoints: dict[str, dict[str, Any]], name: str) -> None:
    """One failed attempt therefore does not lose an order."""
    assert endpoints[name]["eventTrigger"]["retry"] is True
