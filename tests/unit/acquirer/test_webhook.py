"""The processor's callbacks, to a real HTTP server."""

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
from boxoffice import settle
from charges import Charge
from tests.unit.local_server import Asked, free_port, serving

SECRET = "whsec_for_the_local_stack_only"
CHARGE = Charge(
    id="ch_1",
    idempotency_key="order-1",
    amount_cents=1000,
    currency="EUR",
    token="tok_0000000000000000_approved",
    webhook_url="",
    metadata={"order_id": "7"},
    asked_in={},
    status="succeeded",
)


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Retries without the half minute that they take in all."""
    monkeypatch.setattr(webhook, "FIRST_BACKOFF_SECONDS", 0.001)
    monkeypatch.setattr(webhook, "TIMEOUT_SECONDS", 5)
    monkeypatch.delenv("ACQUIRER_WEBHOOK_SECRET", raising=False)


def to(url: str, **changes: Any) -> Charge:
    """The charge, called back at `url`."""
    return dataclasses.replace(CHARGE, webhook_url=url, **changes)


def as_flask(asked: Asked) -> flask.Request:
    """What arrived, as the settle function is handed it."""
    return request(asked.body, asked.headers)


def request(body: bytes, headers: dict[str, str]) -> flask.Request:
    """A POST as Flask hands it to a function."""
    return flask.Request(
        EnvironBuilder(method="POST", data=body, headers=list(headers.items())).get_environ()
    )


def test_a_webhook_says_how_the_charge_ended() -> None:
    """With an id of its own, and what the merchant may see of the charge."""
    with serving() as server:
        assert webhook.deliver(to(server.url), SECRET)
        (asked,) = server.asked
    body = json.loads(asked.body)
    assert body["id"].startswith("evt_")
    assert body["type"] == "charge.succeeded"
    assert abs(body["created"] - time.time()) < 60
    assert body["data"] == {"charge": CHARGE.public()}
    assert asked.headers["content-type"] == "application/json"


def test_the_box_office_accepts_the_signature() -> None:
    """Both sides mean the same by it, and the charge is read back."""
    with serving() as server:
        webhook.deliver(to(server.url), SECRET)
        received = as_flask(server.asked[0])
    settle.verify(received)
    assert settle.read_charge(received) == CHARGE.public()


@pytest.mark.parametrize(
    ("secret", "at", "body", "why"),
    [
        ("another secret", 0, b"body", "the signature is wrong"),
        (SECRET, 0, b"tampered", "the signature is wrong"),
        (SECRET, -3600, b"body", "the signature is too old"),
        (SECRET, 3600, b"body", "the signature is too old"),
    ],
)
def test_the_box_office_refuses_any_other_signature(
    secret: str, at: int, body: bytes, why: str
) -> None:
    """Another secret, another body, another time."""
    header = webhook.sign(b"body", secret, int(time.time()) + at)
    with pytest.raises(throughline.Untrusted, match=why):
        settle.verify(request(body, {settle.SIGNATURE_HEADER: header}))


@pytest.mark.parametrize("status", [500, 502, 503, 429])
def test_a_failing_receiver_is_asked_again_until_it_is_well(
    status: int, caplog: pytest.LogCaptureFixture
) -> None:
    """The same event each time, so that it can be recognised."""
    answers = iter([status, status, 200])
    with serving(lambda _: next(answers)) as server:
        assert webhook.deliver(to(server.url), SECRET)
    assert len({asked.body for asked in server.asked}) == 1
    assert len(server.asked) == 3
    assert [r.getMessage() for r in caplog.records if r.name == "webhook"] == [
        f"Webhook of ch_1 was answered with {status}"
    ] * 2


def test_every_attempt_is_signed_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """A retry that comes late must not be refused for its age."""
    times = itertools.count(1_000_000_000)
    monkeypatch.setattr(time, "time", lambda: next(times))
    answers = iter([500, 200])
    with serving(lambda _: next(answers)) as server:
        webhook.deliver(to(server.url), SECRET)
    first, second = (asked.headers["acquirer-signature"] for asked in server.asked)
    assert first.split(",")[0] != second.split(",")[0]


def test_a_receiver_that_stays_ill_is_given_up_in_the_end() -> None:
    """After as many attempts as are promised."""
    with serving(lambda _: 500) as server:
        assert not webhook.deliver(to(server.url), SECRET)
    assert len(server.asked) == webhook.DELIVERY_ATTEMPTS


@pytest.mark.parametrize("status", [400, 401, 404, 410, 422])
def test_a_receiver_that_refuses_is_not_asked_again(status: int) -> None:
    """It would only refuse again."""
    with serving(lambda _: status) as server:
        assert not webhook.deliver(to(server.url), SECRET)
    assert len(server.asked) == 1


def test_a_receiver_that_is_away_is_tried_until_it_is_back(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Nobody listens at first; once somebody does, the webhook arrives."""
    monkeypatch.setattr(webhook, "FIRST_BACKOFF_SECONDS", 0.1)
    port, refused = free_port(), threading.Event()

    def notice(_record: logging.LogRecord) -> bool:
        refused.set()
        return True

    logging.getLogger("webhook").addFilter(notice)
    delivered: list[bool] = []
    charge = to(f"http://127.0.0.1:{port}")
    thread = threading.Thread(target=lambda: delivered.append(webhook.deliver(charge, SECRET)))
    thread.start()
    try:
        assert refused.wait(20)
        with serving(port=port) as server:
            thread.join(20)
            assert delivered == [True]
            assert len(server.asked) == 1
    finally:
        logging.getLogger("webhook").removeFilter(notice)
        thread.join()
    assert "Webhook of ch_1 not delivered: ConnectionError" in caplog.messages


def test_waits_grow_between_attempts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Half a second, then twice as long each time: a quarter of a minute in all."""
    monkeypatch.setattr(webhook, "FIRST_BACKOFF_SECONDS", 0.5)
    waits: list[float] = []
    monkeypatch.setattr(time, "sleep", waits.append)
    webhook.deliver(to(f"http://127.0.0.1:{free_port()}"), SECRET)
    assert waits == [0.5, 1, 2, 4, 8]
