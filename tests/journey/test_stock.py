"""Buyers compete for fewer seats: stock, money and tickets stay consistent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.buyer import BoxOffice, Buyer

SECONDS = 240


@pytest.mark.parametrize(
    ("number", "seats"), [(15, 6), pytest.param(50, 20, marks=pytest.mark.long)]
)
def test_competing_buyers_get_exactly_the_seats_there_are(
    new_buyer: Callable[[], Buyer],
    box_office: BoxOffice,
    open_show: Callable[..., str],
    number: int,
    seats: int,
) -> None:
    """No oversell, no double charge, no lost order: as many tickets and charges as seats."""
    show_id = open_show(seats=seats)
    with ThreadPoolExecutor(number) as pool:
        buyers = list(pool.map(lambda _: new_buyer(), range(number)))
        order_ids = list(pool.map(lambda buyer: buyer.place(show_id=show_id), buyers))
    orders = [box_office.wait_for(order_id, seconds=SECONDS) for order_id in order_ids]

    assert Counter(order["state"] for order in orders) == {
        "ticketed": seats,
        "rejected": number - seats,
    }
    assert {order["reason"] for order in orders if order["state"] == "rejected"} == {"sold_out"}
    assert box_office.documents.read(f"shows/{show_id}")["seats_left"] == 0

    charges_per_order = Counter(
        charge["metadata"]["order_id"]
        for charge in box_office.charges()
        if charge["metadata"].get("order_id") in order_ids
    )
    ticketed_ids = {
        order_id
        for order_id, order in zip(order_ids, orders, strict=True)
        if order["state"] == "ticketed"
    }
    assert charges_per_order == dict.fromkeys(ticketed_ids, 1)
    tickets = [
        ticket for buyer in buyers for ticket in box_office.documents.find("tickets", buyer.uid)
    ]
    assert Counter(ticket["order_id"] for ticket in tickets) == dict.fromkeys(ticketed_ids, 1)
