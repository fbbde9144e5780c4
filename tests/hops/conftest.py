"""Fixtures of the hop tests: orders in any state, and control of redelivery."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.addresses import Addresses
from tests.buyer import APPROVED, BoxOffice, new_order_id
from tests.hops.redelivery import Redelivery


@pytest.fixture
def order_in(box_office: BoxOffice, open_show: Callable[..., str]) -> Callable[..., str]:
    """Writes an order in any state with an administrator's rights, by default without context."""

    def write(state: str, **fields: Any) -> str:
        order_id = new_order_id()
        order = {
            "uid": "nobody",
            "show_id": fields.get("show_id") or open_show(seats=5),
            "seats": 1,
            "card_token": APPROVED,
            "state": state,
            "amount_cents": 1000,
            "currency": "EUR",
            "hold_until": datetime.now(UTC) + timedelta(minutes=10),
            **fields,
        }
        box_office.documents.create(
            f"orders/{order_id}",
            order,
            server_times=() if "placed_at" in fields else ("placed_at",),
        ).raise_for_status()
        return order_id

    return write


@pytest.fixture
def redelivery(addresses: Addresses) -> Iterator[Redelivery]:
    """A client of the redelivery process, without pending events; chaos is off after the test."""
    client = Redelivery(addresses.redelivery)
    client.chaos()
    client.wait_until_quiet()
    yield client
    client.chaos()
    client.wait_until_quiet()
    client.close()
