"""The acquirer in a real process, called over HTTP as a merchant does."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import httpx
import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.unit.deployment import resolved
from tests.unit.framework import ROOT, Framework, framework
from tests.unit.local_server import LocalServer, ReceivedRequest, eventually, free_port, serving
from tests.unit.otlp import spans_in

ACQUIRER = ROOT / "acquirer"
APPROVED = "tok_0000000000000000_approved"
DECLINED = "tok_0000000000000000_card_declined"


def serve(folder: Path, **env: str) -> AbstractContextManager[Framework]:
    """Run the acquirer with its book in `folder`."""
    command = ACQUIRER / "venv" / "bin" / "functions-framework"
    environment = {
        "FUNCTION_TARGET": "acquirer",
        "ACQUIRER_BOOK": str(folder / "book.sqlite"),
        **env,
    }
    return framework(command, ACQUIRER, environment, folder / "log", "/health")


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """An HTTP client of an acquirer that the tests of this module share."""
    with (
        serve(tmp_path_factory.mktemp("acquirer")) as running,
        httpx.Client(base_url=running.url, trust_env=False, timeout=20) as http,
    ):
        yield http


def merchant(running: Framework) -> httpx.Client:
    """Return an HTTP client for a running acquirer."""
    return httpx.Client(base_url=running.url, trust_env=False, timeout=20)


def charge_body(webhook_url: str = "http://127.0.0.1:1", **changes: Any) -> dict[str, Any]:
    """Return the body of a charge request."""
    return {
        "amount_cents": 1000,
        "currency": "EUR",
        "token": APPROVED,
        "webhook_url": webhook_url,
        "metadata": {"order_id": "7"},
        **changes,
    }


def post_charge(http: httpx.Client, key: str, body: dict[str, Any]) -> httpx.Response:
    """POST a charge under an idempotency key."""
    return http.post("/charges", json=body, headers={"Idempotency-Key": key})


def webhook_charges(server: LocalServer, count: int) -> list[dict[str, Any]]:
    """Wait for `count` webhooks and return the charges of all received ones."""
    return [json.loads(request.body)["data"]["charge"] for request in server.wait_for(count)]


def test_a_page_of_any_origin_can_exchange_a_number_for_a_token(client: httpx.Client) -> None:
    answer = client.post("/tokens", json={"number": "4242 4242 4242 4242"})
    assert answer.status_code == 201
    assert answer.headers["access-control-allow-origin"] == "*"
    token = answer.json()
    assert token["token"].endswith("_approved")
    assert (token["brand"], token["last4"]) == ("visa", "4242")


def test_the_cors_preflight_allows_posting_json(client: httpx.Client) -> None:
    answer = client.options("/tokens")
    assert answer.status_code == 204
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "POST" in answer.headers["access-control-allow-methods"]
    assert "Content-Type" in answer.headers["access-control-allow-headers"]


@pytest.mark.parametrize("body", [b'{"number": "4242"}', b"{}", b"[]", b"not JSON", b"", b"\xff"])
def test_an_invalid_number_is_an_error_that_any_origin_can_read(
    client: httpx.Client, body: bytes
) -> None:
    answer = client.post("/tokens", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 422
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.json()["error"]["code"] == "invalid_number"
    assert "Check the digits" in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/"), ("GET", "/tokens"), ("PUT", "/charges"), ("POST", "/disputes")],
)
def test_an_unknown_route_is_404_with_its_name(
    client: httpx.Client, method: str, path: str
) -> None:
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
        ({"token": "tok_made_up"}, "token must be"),
        ({"token": None}, "token must be"),
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
def test_an_invalid_charge_is_refused_with_the_fields_name(
    client: httpx.Client, changes: dict[str, Any], message: str
) -> None:
    """No charge is stored."""
    before = client.get("/charges").json()
    answer = post_charge(client, "never", charge_body(**changes))
    assert answer.status_code == 422
    assert answer.json()["error"]["code"] == "invalid_charge"
    assert answer.json()["error"]["message"].startswith(message)
    assert client.get("/charges").json() == before


@pytest.mark.parametrize("key", [None, "", "k" * 256])
def test_a_charge_needs_an_idempotency_key(client: httpx.Client, key: str | None) -> None:
    """Without one, a repeated request would charge twice."""
    headers = {} if key is None else {"Idempotency-Key": key}
    answer = client.post("/charges", json=charge_body(), headers=headers)
    assert answer.status_code == 422
    assert "Idempotency-Key" in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    ("token", "status", "decline_code"),
    [(APPROVED, "succeeded", None), (DECLINED, "declined", "card_declined")],
)
def test_a_charge_is_accepted_at_once_and_its_webhook_has_the_result(
    client: httpx.Client, token: str, status: str, decline_code: str | None
) -> None:
    """The response is pending; the webhook has the final status and the merchant's metadata."""
    with serving() as server:
        body = charge_body(server.url, token=token)
        answer = post_charge(client, f"ends-{status}", body)
        assert answer.status_code == 202
        assert answer.json()["status"] == "pending"
        (charge,) = webhook_charges(server, 1)
    assert charge["id"] == answer.json()["id"]
    assert (charge["status"], charge["decline_code"]) == (status, decline_code)
    assert charge["metadata"] == {"order_id": "7"}
    (stored,) = (c for c in client.get("/charges").json()["charges"] if c["id"] == charge["id"])
    assert stored == charge


def test_a_repeated_key_is_one_charge_and_one_webhook(client: httpx.Client) -> None:
    """The response is the same charge, before and after its end."""
    with serving() as server:
        body = charge_body(server.url)
        first = post_charge(client, "repeated", body).json()
        assert post_charge(client, "repeated", body).json() == first
        (charge,) = webhook_charges(server, 1)
        for _ in range(5):
            assert post_charge(client, "repeated", body).json() == charge
        # If one of those were settled again, its webhook would arrive before or among these.
        for number in range(5):
            post_charge(client, f"after-repeated-{number}", body)
        others = webhook_charges(server, 6)[1:]
    assert charge["id"] == first["id"]
    assert charge["id"] not in {other["id"] for other in others}


def test_a_key_reused_for_another_charge_is_a_conflict(client: httpx.Client) -> None:
    post_charge(client, "reused", charge_body())
    answer = post_charge(client, "reused", charge_body(amount_cents=2000))
    assert answer.status_code == 409
    assert answer.json()["error"]["code"] == "idempotency_key_reused"
    assert "reused" in answer.json()["error"]["message"]


def test_charges_that_were_pending_when_it_was_killed_are_resumed(tmp_path: Path) -> None:
    """The next process settles each of them once, at its first request of any kind."""
    with serving() as server:
        with serve(tmp_path) as running, merchant(running) as http:
            charge_ids = [
                post_charge(http, f"order-{number}", charge_body(server.url)).json()["id"]
                for number in range(3)
            ]
            running.stop(signal.SIGKILL)
        before = [charge["id"] for charge in webhook_charges(server, 0)]
        assert charge_ids[-1] not in before, "its webhook was sent before the process was killed"
        with serve(tmp_path) as running, merchant(running) as http:
            eventually(
                lambda: {c["id"] for c in webhook_charges(server, 0)} == set(charge_ids),
                "all webhooks arrive",
            )
            again = post_charge(http, "order-0", charge_body(server.url)).json()
            charges = http.get("/charges").json()["charges"]
        after = [charge["id"] for charge in webhook_charges(server, 0)][len(before) :]
    assert len(after) == len(set(after)), "a charge was resumed twice"
    assert again["id"] == charge_ids[0]
    assert [charge["id"] for charge in charges] == charge_ids
    assert {charge["status"] for charge in charges} == {"succeeded"}


def test_a_webhook_that_was_being_retried_when_it_was_killed_is_resumed(tmp_path: Path) -> None:
    """The charge had ended but its webhook had failed; the result stays the same."""
    port = free_port()
    with serving(lambda _: 503, port) as server, serve(tmp_path) as running:
        with merchant(running) as http:
            post_charge(http, "order-1", charge_body(server.url))
            (refused,) = webhook_charges(server, 1)[:1]
        running.stop(signal.SIGKILL)
    with serving(port=port) as server, serve(tmp_path):
        (charge,) = webhook_charges(server, 1)
    assert charge == refused
    assert charge["status"] == "succeeded"


def test_a_finished_webhook_is_not_sent_again_after_a_restart(tmp_path: Path) -> None:
    """It was delivered, or the merchant refused it with 4xx."""
    statuses = {"/yes": 200, "/no": 400}
    with serving(lambda request: statuses[request.path]) as server:
        with serve(tmp_path) as running, merchant(running) as http:
            for path in statuses:
                post_charge(http, f"order{path}", charge_body(server.url + path))
            webhook_charges(server, 2)
            # The book is updated shortly after the webhook is answered.
            eventually(lambda: unfinished_in(tmp_path) == 0, "both webhooks are done")
            running.stop(signal.SIGKILL)
        with serve(tmp_path) as running, merchant(running) as http:
            post_charge(http, "order-later", charge_body(f"{server.url}/yes"))
            last = webhook_charges(server, 3)[-1]
            charges = http.get("/charges").json()["charges"]
        assert len(server.requests) == 3
    assert last["id"] == charges[-1]["id"]


def unfinished_in(folder: Path) -> int:
    """Return how many charges in the book a new process would resume."""
    db = sqlite3.connect(folder / "book.sqlite")
    try:
        count: int = db.execute(
            "SELECT count(*) FROM charges WHERE NOT is_webhook_done"
        ).fetchone()[0]
        return count
    finally:
        db.close()


def instrumented(endpoint: str) -> dict[str, str]:
    """Return the environment in which the acquirer sends its spans to an endpoint."""
    (instrumentation,) = ACQUIRER.glob("venv/lib/python3*/site-packages/opentelemetry/*tation")
    return {
        # As the command opentelemetry-instrument sets it.
        "PYTHONPATH": str(instrumentation / "auto_instrumentation"),
        "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint,
        "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
        "OTEL_METRICS_EXPORTER": "none",
        "OTEL_BSP_SCHEDULE_DELAY": "100",
        "OTEL_PYTHON_FLASK_EXCLUDED_URLS": "/health",
        "ACQUIRER_DELAY_SECONDS": "0",
    }


def test_a_charge_is_answered_while_an_export_hangs(tmp_path: Path) -> None:
    """Spans leave in the background, so a slow endpoint delays no merchant."""
    release, has_hung = threading.Event(), threading.Event()

    def answer(request: ReceivedRequest) -> int:
        if request.path == "/v1/traces":
            has_hung.set()
            release.wait(30)
        return 200

    with serving(answer) as server:
        try:
            env = instrumented(server.url)
            with serve(tmp_path, **env) as running, merchant(running) as http:
                post_charge(http, "first", charge_body(f"{server.url}/webhook"))
                assert has_hung.wait(20)
                for number in range(5):
                    body = charge_body(f"{server.url}/webhook")
                    assert post_charge(http, str(number), body).status_code == 202
                assert not release.is_set()
        finally:
            release.set()


def test_every_span_has_the_source_line_that_started_it(tmp_path: Path) -> None:
    """The spans of instrumentations have one too: the request's and the webhook's."""
    with serving() as server:
        with serve(tmp_path, **instrumented(server.url)) as running, merchant(running) as http:
            post_charge(http, "key", charge_body(f"{server.url}/webhook"))
            eventually(lambda: len([*spans_in(server)]) >= 3, "three spans arrive")
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
    """Return the file and the source line that a span's attributes name."""
    attributes = {each.key: each.value for each in span.attributes}
    file, line = attributes["code.file.path"].string_value, attributes["code.line.number"].int_value
    return file, (ROOT / file).read_text().splitlines()[line - 1].strip()


DEPLOYED = {
    "K_SERVICE": "acquirer",
    "GCLOUD_PROJECT": "box-office",
    "ACQUIRER_WEBHOOK_SECRET": "whsec_deployed",
    "ACQUIRER_DELAY_SECONDS": "0.1",
}


def test_deployed_it_has_settled_a_charge_when_it_answers(tmp_path: Path) -> None:
    """The platform takes the CPU away between requests, so nothing may be left to do."""
    with (
        serving() as shop,
        serve(tmp_path, **DEPLOYED, ACQUIRER_WEBHOOK_PATTERN=f"{shop.url}/.*") as running,
        merchant(running) as http,
    ):
        answer = post_charge(http, "order-1", charge_body(f"{shop.url}/settle"))
        assert answer.status_code == 202
        assert [json.loads(request.body)["type"] for request in shop.requests] == [
            "charge.succeeded"
        ]


def test_deployed_it_calls_its_own_project_alone_and_lists_nothing(tmp_path: Path) -> None:
    """Strangers could use it to send requests, or read about charges, otherwise."""
    with serve(tmp_path, **DEPLOYED) as running, merchant(running) as http:
        for url in (
            "https://us-central1-another.cloudfunctions.net/settle",
            "https://us-central1-box-office.cloudfunctions.net.example/settle",
            "http://us-central1-box-office.cloudfunctions.net/settle",
            "http://127.0.0.1:1/settle",
        ):
            assert post_charge(http, url[-20:], charge_body(url)).status_code == 422
        assert http.get("/charges").status_code == 404
        assert http.get("/usage").status_code == 404


def test_deployed_it_does_not_start_with_the_public_secret(tmp_path: Path) -> None:
    """Anyone could sign webhooks with that."""
    environment = {**DEPLOYED, "ACQUIRER_WEBHOOK_SECRET": "", "FUNCTION_TARGET": "acquirer"}
    done = subprocess.run(
        [ACQUIRER / "venv" / "bin" / "functions-framework", "--port", str(free_port())],
        cwd=ACQUIRER,
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert "ACQUIRER_WEBHOOK_SECRET is not set" in done.stderr


def test_only_its_own_configuration_deploys_it() -> None:
    """The Firebase CLI reads its manifest, and the default deployment has no part of it."""
    default = json.loads((ROOT / "firebase.json").read_text())
    assert [codebase["source"] for codebase in default["functions"]] == ["functions"]
    [codebase] = json.loads((ROOT / "firebase.acquirer.json").read_text())["functions"]
    assert (codebase["source"], codebase["codebase"]) == ("acquirer", "acquirer")
    manifest = (ACQUIRER / "functions.yaml").read_text()
    [endpoint] = resolved(manifest, REGION="europe-west1", SERVICE_ACCOUNT="shop")
    assert (endpoint["id"], endpoint["region"]) == ("acquirer", "europe-west1")
    assert endpoint["serviceAccount"] == "shop@box-office.iam.gserviceaccount.com"
    assert endpoint["maxInstances"] == 1
    assert [each["key"] for each in endpoint["secretEnvironmentVariables"]] == [
        "ACQUIRER_WEBHOOK_SECRET"
    ]
