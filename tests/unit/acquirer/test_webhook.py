"""The processor's webhooks, sent to a real HTTP server."""

from __future__ import annotations

import dataclasses
import itertools
import json
import logging
import threading
import time
from typing import Any

import flask
import pytest
from werkzeug.test import EnvironBuilder

import throughline
import webhook
from boxoffice import acquirer
from charges import Charge
from tests.unit.local_server import ReceivedRequest, free_port, serving

SECRET = "whsec_for_the_local_stack_only"
CHARGE = Charge(
    id="ch_1",
    idempotency_key="order-1",
    amount_cents=1000,
    currency="EUR",
    token="tok_0000000000000000_approved",
    webhook_url="",
    metadata={"order_id": "7"},
    request_context={},
    status="succeeded",
)


@pytest.fixture(autouse=True)
def _short_backoff(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten the waits, which add up to a quarter of a minute."""
    monkeypatch.setattr(webhook, "FIRST_BACKOFF_SECONDS", 0.001)
    monkeypatch.setattr(webhook, "TIMEOUT_SECONDS", 5)
    monkeypatch.delenv("ACQUIRER_WEBHOOK_SECRET", raising=False)


def charge_to(url: str, **changes: Any) -> Charge:
    """Return the charge with another webhook URL."""
    return dataclasses.replace(CHARGE, webhook_url=url, **changes)


def as_flask(request: ReceivedRequest) -> flask.Request:
    """Return a received request as Flask passes it to the settle function."""
    return flask_request(request.body, request.headers)


def flask_request(body: bytes, headers: dict[str, str]) -> flask.Request:
    """Return a POST request as Flask passes it to a function."""
    return flask.Request(
        EnvironBuilder(method="POST", data=body, headers=list(headers.items())).get_environ()
    )


def test_a_webhook_reports_the_charges_result() -> None:
    """The event has an id and the merchant's view of the charge."""
    with serving() as server:
        assert webhook.deliver(charge_to(server.url), SECRET)
        (request,) = server.requests
    body = json.loads(request.body)
    assert body["id"].startswith("evt_")
    assert body["type"] == "charge.succeeded"
    assert abs(body["created"] - time.time()) < 60
    assert body["data"] == {"charge": CHARGE.public()}
    assert request.headers["content-type"] == "application/json"


def test_the_box_office_accepts_the_signature() -> None:
    """The settle function verifies what the processor signed, and reads the same charge."""
    with serving() as server:
        webhook.deliver(charge_to(server.url), SECRET)
        received = as_flask(server.requests[0])
    acquirer.verify(received)
    assert acquirer.read_charge(received) == CHARGE.public()


@pytest.mark.parametrize(
    ("secret", "at", "body", "message"),
    [
        ("another secret", 0, b"body", "the signature is wrong"),
        (SECRET, 0, b"tampered", "the signature is wrong"),
        (SECRET, -3600, b"body", "the signature is too old"),
        (SECRET, 3600, b"body", "the signature is too old"),
    ],
)
def test_the_box_office_refuses_a_wrong_or_old_signature(
    secret: str, at: int, body: bytes, message: str
) -> None:
    header = webhook.sign(b"body", secret, int(time.time()) + at)
    with pytest.raises(throughline.Untrusted, match=message):
        acquirer.verify(flask_request(body, {acquirer.SIGNATURE_HEADER: header}))


@pytest.mark.parametrize("status", [500, 502, 503, 429])
def test_a_webhook_is_retried_until_the_receiver_answers_200(
    status: int, caplog: pytest.LogCaptureFixture
) -> None:
    """Each attempt has the same body, so the receiver can recognise the event."""
    answers = iter([status, status, 200])
    with serving(lambda _: next(answers)) as server:
        assert webhook.deliver(charge_to(server.url), SECRET)
    assert len({request.body for request in server.requests}) == 1
    assert len(server.requests) == 3
    assert [r.getMessage() for r in caplog.records if r.name == "webhook"] == [
        f"Webhook of ch_1 was answered with {status}"
    ] * 2


def test_every_attempt_has_a_fresh_signature(monkeypatch: pytest.MonkeyPatch) -> None:
    """A late retry must not be refused because its signature is old."""
    times = itertools.count(1_000_000_000)
    monkeypatch.setattr(time, "time", lambda: next(times))
    answers = iter([500, 200])
    with serving(lambda _: next(answers)) as server:
        webhook.deliver(charge_to(server.url), SECRET)
    first, second = (request.headers["acquirer-signature"] for request in server.requests)
    assert first.split(",")[0] != second.split(",")[0]


def test_delivery_stops_after_the_last_attempt() -> None:
    with serving(lambda _: 500) as server:
        assert not webhook.deliver(charge_to(server.url), SECRET)
    assert len(server.requests) == webhook.DELIVERY_ATTEMPTS


@pytest.mark.parametrize("status", [400, 401, 404, 410, 422])
def test_a_webhook_refused_with_4xx_is_not_retried(status: int) -> None:
    with serving(lambda _: status) as server:
        assert not webhook.deliver(charge_to(server.url), SECRET)
    assert len(server.requests) == 1


def test_a_webhook_is_retried_until_the_receiver_is_reachable(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The first connection is refused; the webhook arrives once a server listens."""
    monkeypatch.setattr(webhook, "FIRST_BACKOFF_SECONDS", 0.1)
    port, refused = free_port(), threading.Event()

    def notice(_record: logging.LogRecord) -> bool:
        refused.set()
        return True

    logging.getLogger("webhook").addFilter(notice)
    delivered: list[bool] = []
    charge = charge_to(f"http://127.0.0.1:{port}")
    thread = threading.Thread(target=lambda: delivered.append(webhook.deliver(charge, SECRET)))
    thread.start()
    try:
        assert refused.wait(20)
        with serving(port=port) as server:
            thread.join(20)
            assert delivered == [True]
            assert len(server.requests) == 1
    finally:
        logging.getLogger("webhook").removeFilter(notice)
        thread.join()
    assert "Webhook of ch_1 not delivered: ConnectionError" in caplog.messages


def test_the_backoff_doubles_between_attempts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhook, "FIRST_BACKOFF_SECONDS", 0.5)
    waits: list[float] = []
    monkeypatch.setattr(time, "sleep", waits.append)
    webhook.deliver(charge_to(f"http://127.0.0.1:{free_port()}"), SECRET)
    assert waits == [0.5, 1, 2, 4, 8]
