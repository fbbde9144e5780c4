"""Facts on the spans of a real run: complete on every consumer, and nothing personal among them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from benchmarks import facts
from observatory.client import Observatory
from observatory.schemas.journey import Journey, Row
from tests.addresses import Addresses
from tests.buyer import APPROVED, DECLINED, BoxOffice, Buyer, new_order_id, new_traceparent
from tests.hops.pubsub import publish
from tests.hops.test_https import call_quote, function_url, get_availability
from tests.hops.test_vendor import signature, webhook_body
from tests.spans import ORDER_SECONDS, has_spans, one_row, rows_of

NAME, EMAIL = "Anna Schmidt", "anna.schmidt@example.org"
CARD, PHONE = "4000056655665556", "+49301234567"
FORGED = (NAME, EMAIL, CARD, PHONE)
#: What must not occur anywhere, whoever sent it: an e-mail address, an ID token, a card's token.
PATTERNS = {
    "an e-mail address": r"[a-z0-9._-]+(@|%40)[a-z0-9-]+[.](org|com|net|example)",
    "an ID token": r"eyJ[A-Za-z0-9_-]{10,}",
    "a card's token": r"tok_[a-z0-9]{8,}",
}
VIEWS = ("spans", "logs", "metrics")


def bought(buyer: Buyer, observatory: Observatory, **order: Any) -> Journey:
    """Place an order, and return its trace once its last stage is stored."""
    traceparent = new_traceparent()
    buyer.place(_trace={"traceparent": traceparent}, **order)
    is_complete = has_spans(("issue", "issue"), ("audit", "audit"), ("expire", "expire"))
    return observatory.wait_for_trace(traceparent.split("-")[1], is_complete, ORDER_SECONDS)


def numbers(row: Row, *names: str) -> list[Any]:
    """Return `boxoffice.` attributes of a span."""
    return [row["attributes"].get(f"boxoffice.{name}") for name in names]


def test_a_purchase_shows_its_numbers_at_every_stage(
    buyer: Buyer, observatory: Observatory, open_show: Callable[..., str]
) -> None:
    """So the stage at which a number changed is the first that shows another."""
    show_id = open_show(seats=10, price_cents=1250)
    journey = bought(buyer, observatory, show_id=show_id, seats=2)
    for stage in ("reserve", "charge", "settle", "issue"):
        row = one_row(journey, stage, stage)
        names = ("order.seats", "order.price_cents", "order.amount_cents", "order.currency")
        assert numbers(row, *names) == [2, 1250, 2500, "EUR"], stage
        assert numbers(row, "outcome") == ["moved"], stage
    reserve, issue = one_row(journey, "reserve", "reserve"), one_row(journey, "issue", "issue")
    assert numbers(reserve, "stock.before", "stock.after", "order.admission") == [10, 8, "held"]
    assert numbers(issue, "tickets.written") == [2]
    settle = one_row(journey, "settle", "settle")
    assert numbers(settle, "charge.amount_cents", "charge.currency") == [2500, "EUR"]
    expire, audit = one_row(journey, "expire", "expire"), one_row(journey, "audit", "audit")
    assert numbers(expire, "outcome", "skipped") in (["skipped", "early"], ["skipped", "never"])
    assert numbers(audit, "outcome", "moved.by") == ["written", "issue"]


def test_facts_cost_at_most_400_bytes_a_span(
    buyer: Buyer, observatory: Observatory, open_show: Callable[..., str]
) -> None:
    """At the 95th percentile of a purchase, as `./scripts/bench facts` computes it."""
    journey = bought(buyer, observatory, show_id=open_show(seats=1))
    # A slow machine's duplicates would change the percentile.
    first = [row for row in journey["rows"] if numbers(row, "skipped") != ["done"]]
    costs = facts.figures([{**journey, "rows": first}])
    assert 50 < costs["bytes_per_span_p95"] <= 400, costs


def test_a_released_stock_is_known_without_reading_it(
    buyer: Buyer, observatory: Observatory, open_show: Callable[..., str]
) -> None:
    """The answer to the commit has the increment's result."""
    traceparent = new_traceparent()
    buyer.place(
        show_id=open_show(seats=10),
        seats=3,
        card_token=DECLINED,
        _trace={"traceparent": traceparent},
    )
    is_settled = has_spans(("settle", "settle"))
    journey = observatory.wait_for_trace(traceparent.split("-")[1], is_settled, ORDER_SECONDS)
    settle = one_row(journey, "settle", "settle")
    assert numbers(settle, "order.state", "stock.before", "stock.after") == ["declined", 7, 10]
    reads = [
        row["attributes"].get("db.query.summary")
        for row in rows_of(journey, "settle", "/google.firestore.v1.Firestore/BatchGetDocuments")
    ]
    assert reads == ["get orders/{id}"]


def test_a_commit_names_what_it_wrote(
    buyer: Buyer, observatory: Observatory, open_show: Callable[..., str]
) -> None:
    """With ids replaced, so that two orders' commits have the same summary."""
    journey = bought(buyer, observatory, show_id=open_show(seats=10), seats=2)

    def written(stage: str) -> str:
        (commit,) = rows_of(journey, stage, "/google.firestore.v1.Firestore/Commit")
        return str(commit["attributes"]["db.query.summary"])

    assert written("issue") == "set tally/{id} create tickets/{id} update orders/{id}"
    assert written("charge") == "update orders/{id}"
    assert "update shows/{id}" in written("reserve")


def test_no_consumer_is_without_an_outcome(
    buyer: Buyer, observatory: Observatory, open_show: Callable[..., str]
) -> None:
    """Over everything that is stored, the runs of other tests included."""
    bought(buyer, observatory, show_id=open_show(seats=1))
    result = observatory.ask(
        "select service, name, attributes['boxoffice.outcome'] as outcome, any_value(trace_id), "
        "count(*) from spans where kind = 'CONSUMER' and attributes['faas.name'] is not null "
        "and coalesce(attributes['boxoffice.outcome'], 'unreported') = 'unreported' group by all"
    )
    assert result["rows"] == []


def test_a_process_has_its_version_and_instance(
    buyer: Buyer, observatory: Observatory, open_show: Callable[..., str]
) -> None:
    """The commit, also of the card processor and of the page that a test stands in for."""
    bought(buyer, observatory, show_id=open_show(seats=1))
    result = observatory.ask(
        "select distinct service, resource['service.version'], resource['faas.instance'] "
        "from spans where service in ('reserve', 'issue', 'acquirer')"
    )
    assert {row[0] for row in result["rows"]} == {"reserve", "issue", "acquirer"}
    for service, version, instance in result["rows"]:
        assert re.search("[0-9a-f]{7}", version or ""), service
        assert service == "acquirer" or len(instance) == 36


def forge(addresses: Addresses, buyer: Buyer, show_id: str) -> None:
    """Send personal data wherever a client, the processor or a publisher could put any."""
    headers = {
        "traceparent": new_traceparent(),
        "tracestate": f"a={NAME}",
        "baggage": f"order.id={CARD},show.id={EMAIL},user={NAME}",
        "Authorization": f"Bearer {EMAIL}",
        "User-Agent": NAME,
        "Referer": f"https://example.org/{EMAIL}",
        "Function-Execution-Id": CARD,
    }
    for seats in (CARD, int(CARD), EMAIL, 9):
        call_quote(addresses, {"show_id": show_id, "seats": seats, "name": NAME}, headers)
    for forged in FORGED:
        call_quote(addresses, {"show_id": forged, "seats": 1, EMAIL: NAME})
        get_availability(addresses, forged, {**headers, "X-Forwarded-For": PHONE})
        refund = {"data": {"order_id": forged, "reason": NAME}}
        httpx.post(function_url(addresses, "refund"), json=refund, headers=headers, timeout=30)
        buyer.attempt(new_order_id(), show_id=forged, note=NAME)
        buyer.attempt(new_order_id(), _trace={"traceparent": forged, "baggage": f"a={EMAIL}"})
        url = function_url(addresses, "quote")
        httpx.request("POST", f"{url}/{forged}", json={"data": {}}, headers=headers, timeout=30)
        body = webhook_body(forged, id=forged, status=forged, currency=forged, name=NAME)
        for signed in (signature(body, secret="a stranger's"), "t=1,v1=1", EMAIL):
            sign = {"Acquirer-Signature": signed}
            httpx.post(function_url(addresses, "settle"), content=body, headers=sign, timeout=30)
    # The processor and our own publishers are trusted with ids, but not with anything else.
    for forged in (NAME, EMAIL, PHONE):
        body = webhook_body(forged, id=forged, status=forged, currency=forged, name=NAME)
        sign = {"Acquirer-Signature": signature(body)}
        httpx.post(function_url(addresses, "settle"), content=body, headers=sign, timeout=30)
        publish(addresses, "order-paid", json.dumps({"order_id": forged}).encode(), {"x": EMAIL})


@pytest.fixture
def forged_run(
    addresses: Addresses,
    buyer: Buyer,
    box_office: BoxOffice,
    observatory: Observatory,
    open_show: Callable[..., str],
) -> list[str]:
    """A purchase, a refusal and forged input of every kind; returns what must not be stored."""
    show_id = open_show(seats=2)
    forge(addresses, buyer, show_id)
    bought(buyer, observatory, show_id=show_id, seats=2)
    refused = buyer.place(show_id=show_id, seats=2)
    box_office.wait_for(refused)
    return [*FORGED, buyer.uid, APPROVED]


def test_nothing_personal_is_stored_whatever_is_sent(
    forged_run: list[str], observatory: Observatory
) -> None:
    """No name, e-mail address, card number, token or user id is in a span, a log or a metric."""
    leaks = []
    for view in VIEWS:
        text = "lower(cast(v as varchar))"
        for secret in forged_run:
            condition = f"contains({text}, '{secret.lower()}')"
            leaks += [(view, secret, *row) for row in leaking(observatory, view, condition)]
        for meaning, pattern in PATTERNS.items():
            condition = f"regexp_matches({text}, '{pattern.lower()}')"
            leaks += [(view, meaning, *row) for row in leaking(observatory, view, condition)]
    assert leaks == []


def leaking(observatory: Observatory, view: str, condition: str) -> list[Any]:
    """Return the first rows of a view that meet a condition."""
    sql = f"select v from {view} as v where {condition} limit 3"  # noqa: S608
    return [json.dumps(row, default=str)[:1500] for row in observatory.ask(sql)["rows"]]
