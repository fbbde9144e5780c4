"""Tests of what a stage answers when other clients keep its documents locked."""

from __future__ import annotations

import inspect
import json
from types import SimpleNamespace
from typing import Any

import flask
import pytest
from firebase_functions.https_fn import FunctionsErrorCode, HttpsError

from boxoffice import acquirer, ledger, refund, settle, settlement, transactions
from tests.unit.functions.public_functions import signature

CHARGE = {"id": "ch_1", "metadata": {"order_id": "order"}}


def raise_contended(*_: object, **_by: object) -> Any:
    """Stand in for a function that runs a transaction."""
    raise transactions.Contended("other transactions locked the documents for 20 s")


def test_the_processor_is_told_to_repeat_a_webhook(monkeypatch: pytest.MonkeyPatch) -> None:
    """It repeats a webhook that is answered with 503, and would not repeat one with 4xx."""
    monkeypatch.setattr(settlement, "settle_order", raise_contended)
    body = json.dumps({"data": {"charge": CHARGE}}).encode()
    headers = {"Acquirer-Signature": signature(body)}
    with flask.Flask("test").test_request_context(method="POST", data=body, headers=headers):
        response = settle.settle(flask.request)
    assert response.status_code == 503
    assert "locked the documents" in response.get_json()["error"]


def test_the_organiser_is_told_to_try_a_refund_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """The processor has refunded the charge; under the same key it does so once."""
    monkeypatch.setattr(ledger, "check_form", lambda *_: None)
    order = {"state": "ticketed", "charge_id": "ch_1", "show_id": "show", "seats": 1}
    monkeypatch.setattr(ledger, "read", lambda _id: order)
    monkeypatch.setattr(acquirer, "refund", lambda *_: None)
    monkeypatch.setattr(ledger, "move_order", raise_contended)
    call = SimpleNamespace(
        auth=SimpleNamespace(uid="olga", token={"role": "organiser"}),
        data={"order_id": "Order0000000000000001"},
    )
    with pytest.raises(HttpsError) as raised:
        inspect.unwrap(refund.refund)(call)
    assert raised.value.code is FunctionsErrorCode.UNAVAILABLE
    assert "Try again" in raised.value.message
