"""The acquirer as its merchant meets it: a real process, asked over HTTP."""

from __future__ import annotations

import json
import signal
import sqlite3
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import httpx
import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.unit.framework import ROOT, Framework, framework
from tests.unit.local_server import LocalServer, eventually, free_port, serving
from tests.unit.otlp import spans_in

ACQUIRER = ROOT / "acquirer"
APPROVED = "tok_0000000000000000_approved"
DECLINED = "tok_0000000000000000_card_declined"


def serve(folder: Path, **env: str) -> AbstractContextManager[Framework]:
    """Run the acquirer, its book in `folder`."""
    command = ACQUIRER / "venv" / "bin" / "functions-framework"
    environment = {
        "FUNCTION_TARGET": "acquirer",
        "ACQUIRER_BOOK": str(folder / "book.sqlite"),
        **env,
    }
    return framework(command, ACQUIRER, environment, folder / "log", "/health")


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """Asks an acquirer that all of this file's harmless questions share."""
    with (
        serve(tmp_path_factory.mktemp("acquirer")) as running,
        httpx.Client(base_url=running.url, trust_env=False, timeout=20) as http,
    ):
        yield http


def merchant(running: Framework) -> httpx.Client:
    """Somebody who asks the acquirer for charges."""
    return httpx.Client(base_url=running.url, trust_env=False, timeout=20)


def charge_body(webhook_url: str = "http://127.0.0.1:1", **changes: Any) -> dict[str, Any]:
    """What a merchant posts."""
    return {
        "amount_cents": 1000,
        "currency": "EUR",
        "token": APPROVED,
        "webhook_url": webhook_url,
        "metadata": {"order_id": "7"},
        **changes,
    }


def ask_for_charge(http: httpx.Client, key: str, body: dict[str, Any]) -> httpx.Response:
    """Post a charge under an idempotency key."""
    return http.post("/charges", json=body, headers={"Idempotency-Key": key})


def told(server: LocalServer, count: int) -> list[dict[str, Any]]:
    """The charges that `count` webhooks were about."""
    return [json.loads(asked.body)["data"]["charge"] for asked in server.wait_for(count)]


def test_a_number_becomes_a_token_for_any_page(client: httpx.Client) -> None:
    """A browser asks from another origin, and is answered what it may keep."""
    answer = client.post("/tokens", json={"number": "4242 4242 4242 4242"})
    assert answer.status_code == 201
    assert answer.headers["access-control-allow-origin"] == "*"
    token = answer.json()
    assert token["token"].endswith("_approved")
    assert (token["brand"], token["last4"]) == ("visa", "4242")


def test_a_browser_may_ask_beforehand(client: httpx.Client) -> None:
    """The preflight says that a page may post JSON."""
    answer = client.options("/tokens")
    assert answer.status_code == 204
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "POST" in answer.headers["access-control-allow-methods"]
    assert "Content-Type" in answer.headers["access-control-allow-headers"]


@pytest.mark.parametrize("body", [b'{"number": "4242"}', b"{}", b"[]", b"not JSON", b"", b"\xff"])
def test_what_is_no_number_is_an_error_that_a_page_can_read(
    client: httpx.Client, body: bytes
) -> None:
    """From any origin as well."""
    answer = client.post("/tokens", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 422
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.json()["error"]["code"] == "invalid_number"
    assert "Check the digits" in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/"), ("GET", "/tokens"), ("PUT", "/charges"), ("POST", "/disputes")],
)
def test_what_is_not_there_is_404(client: httpx.Client, method: str, path: str) -> None:
    """And the message names it."""
    answer = client.request(method, path)
    assert answer.status_code == 404
    assert answer.json()["error"] == {
        "code": "not_found",
        "message": f"There is no {method} {path}.",
    }


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"amount_cents": 0}, "amount_cents must be"),
        ({"amount_cents": -5}, "amount_cents must be"),
        ({"amount_cents": 10.5}, "amount_cents must be"),
        ({"amount_cents": "1000"}, "amount_cents must be"),
        ({"amount_cents": True}, "amount_cents must be"),
        ({"amount_cents": None}, "amount_cents must be"),
        ({"amount_cents": 10**30}, "amount_cents must be"),
        ({"currency": "XXX"}, "currency must be"),
        ({"currency": ["EUR"]}, "currency must be"),
        ({"token": "tok_made_up"}, "token is not one of ours"),
        ({"token": None}, "token is not one of ours"),
        ({"webhook_url": "ftp://somewhere"}, "webhook_url must be"),
        ({"webhook_url": None}, "webhook_url must be"),
        ({"webhook_url": ["http://somewhere"]}, "webhook_url must be"),
        ({"metadata": ["a"]}, "metadata must be"),
        ({"metadata": {str(n): "" for n in range(21)}}, "metadata must be"),
        ({"metadata": {"a": 7}}, "metadata's values must be"),
        ({"metadata": {"a": {"b": "c"}}}, "metadata's values must be"),
        ({"metadata": {"a": "x" * 8193}}, "metadata's values must be"),
    ],
    ids=lambda value: str(value)[:45],
)
def test_a_charge_that_makes_no_sense_is_refused(
    client: httpx.Client, changes: dict[str, Any], message: str
) -> None:
    """The message names the field, and nothing is entered."""
    before = client.get("/charges").json()
    answer = ask_for_charge(client, "never", charge_body(**changes))
    assert answer.status_code == 422
    assert answer.json()["error"]["code"] == "invalid_charge"
    assert answer.json()["error"]["message"].startswith(message)
    assert client.get("/charges").json() == before


@pytest.mark.parametrize("key", [None, "", "k" * 256])
def test_a_charge_needs_an_idempotency_key(client: httpx.Client, key: str | None) -> None:
    """Without one, a repeated request would be a second charge."""
    headers = {} if key is None else {"Idempotency-Key": key}
    answer = client.post("/charges", json=charge_body(), headers=headers)
    assert answer.status_code == 422
    assert "Idempotency-Key" in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    ("token", "status", "decline_code"),
    [(APPROVED, "succeeded", None), (DECLINED, "declined", "card_declined")],
)
def test_a_charge_is_taken_at_once_and_ends_by_webhook(
    client: httpx.Client, token: str, status: str, decline_code: str | None
) -> None:
    """The answer is pending; the webhook brings the outcome, and the metadata back."""
    with serving() as server:
        body = charge_body(server.url, token=token)
        answer = ask_for_charge(client, f"ends-{status}", body)
        assert answer.status_code == 202
        assert answer.json()["status"] == "pending"
        (charge,) = told(server, 1)
    assert charge["id"] == answer.json()["id"]
    assert (charge["status"], charge["decline_code"]) == (status, decline_code)
    assert charge["metadata"] == {"order_id": "7"}
    (entered,) = (c for c in client.get("/charges").json()["charges"] if c["id"] == charge["id"])
    assert entered == charge


def test_a_repeated_key_is_one_charge_and_one_webhook(client: httpx.Client) -> None:
    """Asked before the charge ended and after, the answer is the same charge."""
    with serving() as server:
        body = charge_body(server.url)
        first = ask_for_charge(client, "repeated", body).json()
        assert ask_for_charge(client, "repeated", body).json() == first
        (charge,) = told(server, 1)
        for _ in range(5):
            assert ask_for_charge(client, "repeated", body).json() == charge
        # Were any of those settled once more, it would be told among, or before, these.
        for number in range(5):
            ask_for_charge(client, f"after-repeated-{number}", body)
        others = told(server, 6)[1:]
    assert charge["id"] == first["id"]
    assert charge["id"] not in {other["id"] for other in others}


def test_a_key_reused_for_another_charge_is_a_conflict(client: httpx.Client) -> None:
    """The message names the key."""
    ask_for_charge(client, "reused", charge_body())
    answer = ask_for_charge(client, "reused", charge_body(amount_cents=2000))
    assert answer.status_code == 409
    assert answer.json()["error"]["code"] == "idempotency_key_reused"
    assert "reused" in answer.json()["error"]["message"]


def test_charges_that_were_pending_when_it_was_killed_are_resumed(tmp_path: Path) -> None:
    """The next process settles each of them once, at its first request of whatever kind."""
    with serving() as server:
        with serve(tmp_path) as running, merchant(running) as http:
            asked_for = [
                ask_for_charge(http, f"order-{number}", charge_body(server.url)).json()["id"]
                for number in range(3)
            ]
            running.end(signal.SIGKILL)
        before = [charge["id"] for charge in told(server, 0)]
        assert asked_for[-1] not in before, "it was told before the process was killed"
        with serve(tmp_path) as running, merchant(running) as http:
            eventually(lambda: {c["id"] for c in told(server, 0)} == set(asked_for), "all are told")
            again = ask_for_charge(http, "order-0", charge_body(server.url)).json()
            charges = http.get("/charges").json()["charges"]
        after = [charge["id"] for charge in told(server, 0)][len(before) :]
    assert len(after) == len(set(after)), "a charge was resumed twice"
    assert again["id"] == asked_for[0]
    assert [charge["id"] for charge in charges] == asked_for
    assert {charge["status"] for charge in charges} == {"succeeded"}


def test_a_webhook_that_was_being_retried_when_it_was_killed_is_resumed(tmp_path: Path) -> None:
    """The charge had ended, but its merchant didn't know; the outcome stays what it was."""
    port = free_port()
    with serving(lambda _: 503, port) as server, serve(tmp_path) as running:
        with merchant(running) as http:
            ask_for_charge(http, "order-1", charge_body(server.url))
            (refused,) = told(server, 1)[:1]
        running.end(signal.SIGKILL)
    with serving(port=port) as server, serve(tmp_path):
        (charge,) = told(server, 1)
    assert charge == refused
    assert charge["status"] == "succeeded"


def test_what_was_finished_is_not_told_again_after_a_restart(tmp_path: Path) -> None:
    """Neither what was delivered nor what the merchant refused."""
    statuses = {"/yes": 200, "/no": 400}
    with serving(lambda asked: statuses[asked.path]) as server:
        with serve(tmp_path) as running, merchant(running) as http:
            for path in statuses:
                ask_for_charge(http, f"order{path}", charge_body(server.url + path))
            told(server, 2)
            # Being told is noted right after the answer, which is a moment before we know of it.
            eventually(lambda: unfinished_in(tmp_path) == 0, "both are noted")
            running.end(signal.SIGKILL)
        with serve(tmp_path) as running, merchant(running) as http:
            ask_for_charge(http, "order-later", charge_body(f"{server.url}/yes"))
            last = told(server, 3)[-1]
            charges = http.get("/charges").json()["charges"]
        assert len(server.asked) == 3
    assert last["id"] == charges[-1]["id"]


def unfinished_in(folder: Path) -> int:
    """How many charges of the book in `folder` would be resumed."""
    db = sqlite3.connect(folder / "book.sqlite")
    try:
        count: int = db.execute("SELECT count(*) FROM charges WHERE NOT is_told").fetchone()[0]
        return count
    finally:
        db.close()


def test_each_of_its_spans_names_the_line_that_it_comes_from(tmp_path: Path) -> None:
    """Those that an instrumentation begins as well: the request's, and the webhook's."""
    (instrumentation,) = ACQUIRER.glob("venv/lib/python3*/site-packages/opentelemetry/*tation")
    with serving() as server:
        env = {
            # What the command opentelemetry-instrument sets.
            "PYTHONPATH": str(instrumentation / "auto_instrumentation"),
            "OTEL_EXPORTER_OTLP_ENDPOINT": server.url,
            "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
            "OTEL_METRICS_EXPORTER": "none",
            "OTEL_BSP_SCHEDULE_DELAY": "100",
            "OTEL_PYTHON_FLASK_EXCLUDED_URLS": "/health",
            "ACQUIRER_DELAY_SECONDS": "0",
        }
        with serve(tmp_path, **env) as running, merchant(running) as http:
            ask_for_charge(http, "key", charge_body(f"{server.url}/webhook"))
            eventually(lambda: len([*spans_in(server)]) >= 3, "its spans arrive")
        lines = {span.name: line_named_by(span) for span, _ in spans_in(server)}
    assert lines == {
        "POST /charges": ("acquirer/main.py", "span.set_attributes(source_lines.nearest())"),
        "card network": (
            "acquirer/main.py",
            'with trace.get_tracer("acquirer").start_as_current_span("card network"):',
        ),
        "POST": ("acquirer/webhook.py", "response = requests.post("),
    }


def line_named_by(span: Span) -> tuple[str, str]:
    """The file and the line of source that a span names."""
    said = {each.key: each.value for each in span.attributes}
    file, line = said["code.file.path"].string_value, said["code.line.number"].int_value
    return file, (ROOT / file).read_text().splitlines()[line - 1].strip()
