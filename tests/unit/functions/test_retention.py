"""What ends with an order is deleted after RETENTION_DAYS, by Firestore's TTL policies."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from boxoffice import charge, giving_up, issue, ledger
from boxoffice.audit import AUDIT
from boxoffice.order import State
from stack import paths
from tests.unit.functions import test_permanent_failures as stages
from tests.unit.functions.test_permanent_failures import Platform

platform = stages.platform

COLLECTIONS = (ledger.ORDERS, ledger.TICKETS, AUDIT, giving_up.DEAD_LETTERS)


@pytest.fixture(autouse=True)
def _ten_days(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RETENTION_DAYS", "10")


def assert_ends_in_ten_days(document: dict[str, Any]) -> None:
    """Assert that a document has the field that the policies read."""
    left = document["delete_at"] - datetime.now(UTC)
    assert timedelta(days=10) - timedelta(minutes=1) < left <= timedelta(days=10)


def test_an_order_ends_with_its_tickets(platform: Platform) -> None:
    """Ten days after the tickets were issued."""
    platform.place(State.PAID)
    stages.deliver(stages.about(issue.issue))
    assert platform.order["state"] == "ticketed"
    assert_ends_in_ten_days(platform.order)
    tickets = platform.firestore.in_collection(ledger.TICKETS).values()
    assert len(tickets) == stages.SEATS
    for ticket in tickets:
        assert_ends_in_ten_days(ticket)


def test_an_order_that_fails_ends_too(platform: Platform) -> None:
    platform.place(State.RESERVED)
    platform.processor.refusals["/charges"] = (402, "card_refused")
    stages.deliver(stages.about(charge.charge))
    assert platform.order["state"] == "failed"
    assert_ends_in_ten_days(platform.order)


def test_an_order_that_can_still_move_does_not_end(platform: Platform) -> None:
    """A payment may arrive for it at any time."""
    platform.place(State.RESERVED)
    stages.deliver(stages.about(charge.charge))
    assert platform.order["state"] == "charging"
    assert "delete_at" not in platform.order


def test_audit_entries_and_dead_letters_end(platform: Platform) -> None:
    stages.deliver(stages.order_moved({"order_id": "1", "state": "paid", "by": "settle"}))
    stages.deliver(stages.message(issue.issue, b"unreadable"))
    (entry,) = platform.firestore.in_collection(AUDIT).values()
    (letter,) = platform.dead_letters
    assert_ends_in_ten_days(entry)
    assert_ends_in_ten_days(letter)


def test_each_collection_has_a_policy_and_no_index_on_its_field() -> None:
    """An index on times that only grow would limit how fast documents are written."""
    indexes = json.loads((paths.ROOT / "rules" / "firestore.indexes.json").read_text())
    policies = {
        each["collectionGroup"]: (each["fieldPath"], each["indexes"])
        for each in indexes["fieldOverrides"]
        if each.get("ttl")
    }
    assert policies == dict.fromkeys(COLLECTIONS, ("delete_at", []))
