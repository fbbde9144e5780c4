"""Exports as the environment configures them, each in a process of its own."""

from __future__ import annotations

import json
import socket
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.unit.functions.test_telemetry import run
from tests.unit.local_server import LocalServer, ReceivedRequest, serving
from tests.unit.otlp import payload, records_in, spans_in

WORK = """
import logging, throughline
from opentelemetry import trace
{before}
throughline.start()
with trace.get_tracer("test").start_as_current_span("work"):
    logging.getLogger("app").warning("working")
throughline.flush()
"""
PROJECT = "night-shows"
TOKEN = "ya29.local"


def work(env: dict[str, str], before: str = "") -> list[str]:
    """Record a span and a log record in a process with this environment; return its output."""
    return run(WORK.format(before=before), FUNCTION_TARGET="settle", **env)


@pytest.fixture
def server() -> Iterator[LocalServer]:
    """An OTLP endpoint that accepts everything."""
    with serving() as local:
        yield local


def by_path(server: LocalServer) -> dict[str, ReceivedRequest]:
    """Return the only request of each path."""
    requests = {request.path: request for request in server.requests}
    assert len(requests) == len(server.requests)
    return requests


def test_spans_and_records_arrive_with_the_headers_of_the_environment(
    server: LocalServer,
) -> None:
    """They are protobuf with a backend's API key; the resource names function and project."""
    work(
        {
            "OTEL_EXPORTER_OTLP_ENDPOINT": server.url,
            "OTEL_EXPORTER_OTLP_HEADERS": "x-honeycomb-team=hcaik_1,x-dataset=box%20office",
            "GCLOUD_PROJECT": PROJECT,
            "K_REVISION": "settle-00007-abc",
            "OTEL_RESOURCE_ATTRIBUTES": "deployment.environment.name=production",
        }
    )
    request = by_path(server)
    assert set(request) == {"/v1/traces", "/v1/logs"}
    for each in request.values():
        assert each.headers["content-type"] == "application/x-protobuf"
        assert each.headers["x-honeycomb-team"] == "hcaik_1"
        assert each.headers["x-dataset"] == "box office"
        assert "authorization" not in each.headers
    ((span, of_span),) = spans_in(server)
    ((record, of_record),) = records_in(server)
    assert (span.name, record.body.string_value) == ("work", "working")
    assert (record.trace_id, record.span_id) == (span.trace_id, span.span_id)
    assert of_span == of_record
    assert of_span["service.name"] == of_span["faas.name"] == "settle"
    assert of_span["faas.version"] == "settle-00007-abc"
    assert of_span["cloud.provider"] == "gcp"
    assert of_span["gcp.project_id"] == PROJECT
    assert of_span["deployment.environment.name"] == "production"


def test_a_proxy_of_the_environment_is_used(server: LocalServer) -> None:
    work(
        {
            "OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector.example:4318",
            "http_proxy": server.url,
        }
    )
    assert {request.path for request in server.requests} == {
        "http://collector.example:4318/v1/traces",
        "http://collector.example:4318/v1/logs",
    }


def test_what_an_endpoint_behind_a_proxy_rejects_is_logged() -> None:
    """OpenTelemetry's exporters, which are used there, take any 200 for a success."""

    def answer(request: ReceivedRequest) -> int | tuple[int, bytes, dict[str, str]]:
        body = b'{"partialSuccess": {"rejectedSpans": "1", "errorMessage": "too old"}}'
        is_spans = request.path.endswith("/v1/traces")
        return (200, body, {"Content-Type": "application/json"}) if is_spans else 200

    with serving(answer) as server:
        lines = work(
            {
                "OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector.example:4318",
                "http_proxy": server.url,
            }
        )
    messages = [json.loads(line)["message"] for line in lines]
    assert [message for message in messages if "rejected 1 of its items: too old" in message]


def test_an_export_reuses_the_connection_of_the_one_before(
    server: LocalServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All exports use one connection for spans and one for log records."""
    vars(server.http)["RequestHandlerClass"].protocol_version = "HTTP/1.1"
    connections = []
    accept = server.http.get_request

    def get_request() -> tuple[socket.socket, Any]:
        connections.append(accept())
        return connections[-1]

    monkeypatch.setattr(server.http, "get_request", get_request)
    run(
        WORK.format(before="") + "for n in range(3):\n"
        "    logging.getLogger('app').warning('more')\n"
        "    trace.get_tracer('test').start_span('more').end()\n"
        "    throughline.flush()\n",
        FUNCTION_TARGET="settle",
        OTEL_EXPORTER_OTLP_ENDPOINT=server.url,
    )
    assert len(server.requests) == 8
    assert len(connections) == 2


@pytest.mark.parametrize("is_trusted", [True, False])
def test_the_servers_certificate_is_checked_against_the_configured_one(
    tmp_path: Path, is_trusted: bool
) -> None:
    """Without `OTEL_EXPORTER_OTLP_CERTIFICATE` a server of an unknown authority gets nothing."""
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"),
            *("-keyout", str(key), "-out", str(certificate), "-subj", "/CN=localhost"),
            *("-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"),
        ],
        check=True,
        capture_output=True,
    )
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate, key)
    with serving() as server:
        # The handshake runs in the connection's thread, because it may fail.
        server.http.socket = tls.wrap_socket(
            server.http.socket, server_side=True, do_handshake_on_connect=False
        )
        environment = {"OTEL_EXPORTER_OTLP_ENDPOINT": server.url.replace("http:", "https:")}
        if is_trusted:
            environment["OTEL_EXPORTER_OTLP_CERTIFICATE"] = str(certificate)
        work(environment)
        assert len(server.requests) == (2 if is_trusted else 0)


def test_gzip_can_be_turned_on(server: LocalServer) -> None:
    """The body is compressed too, not only labelled so."""
    work(
        {"OTEL_EXPORTER_OTLP_ENDPOINT": server.url, "OTEL_EXPORTER_OTLP_COMPRESSION": "gzip"},
    )
    assert {request.headers["content-encoding"] for request in server.requests} == {"gzip"}
    assert all(request.body[:2] == b"\x1f\x8b" for request in server.requests)
    assert [span.name for span, _ in spans_in(server)] == ["work"]
    assert [record.body.string_value for record, _ in records_in(server)] == ["working"]


def test_each_signal_can_have_its_own_endpoint_and_headers(server: LocalServer) -> None:
    """A signal's own variables take precedence and contain the full URL."""
    with serving() as other:
        work(
            {
                "OTEL_EXPORTER_OTLP_ENDPOINT": server.url,
                "OTEL_EXPORTER_OTLP_HEADERS": "authorization=Basic%20logs",
                "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": f"{other.url}/otlp/traces",
                "OTEL_EXPORTER_OTLP_TRACES_HEADERS": "authorization=Bearer%20traces",
            }
        )
        (traces,) = other.requests
    (logs,) = server.requests
    assert (traces.path, traces.headers["authorization"]) == ("/otlp/traces", "Bearer traces")
    assert (logs.path, logs.headers["authorization"]) == ("/v1/logs", "Basic logs")


@pytest.mark.parametrize(
    ("off", "left"),
    [("OTEL_LOGS_EXPORTER", "/v1/traces"), ("OTEL_TRACES_EXPORTER", "/v1/logs")],
)
def test_a_signal_can_be_turned_off(server: LocalServer, off: str, left: str) -> None:
    """The log lines on standard output still have their trace ids."""
    (line,) = work({"OTEL_EXPORTER_OTLP_ENDPOINT": server.url, off: "none"})
    assert set(by_path(server)) == {left}
    assert json.loads(line)["trace_id"]


def answer_as_google(request: ReceivedRequest) -> tuple[int, bytes, dict[str, str]]:
    """Answer as the metadata server, which issues tokens, and as the OTLP endpoint."""
    path = request.path.split("?")[0].rstrip("/")
    if not path.startswith("/v1/"):
        answer: object = {
            "token": {"access_token": TOKEN, "expires_in": 3600, "token_type": "Bearer"},
            "default": {"email": f"functions@{PROJECT}.iam.gserviceaccount.com"},
            # For another universe domain google-auth makes no further requests to Google.
            "universe-domain": "universe.test",
        }.get(path.rpartition("/")[2], "")
        is_text = isinstance(answer, str)
        kind = "application/text" if is_text else "application/json"
        body = str(answer) if is_text else json.dumps(answer)
        return 200, body.encode(), {"Content-Type": kind, "Metadata-Flavor": "Google"}
    is_signed = request.headers.get("authorization") == f"Bearer {TOKEN}"
    return 200 if is_signed else 401, b"", {}


def as_google(address: str) -> str:
    """Return code that makes the local endpoint count as Google's."""
    return f"from throughline import exporters; exporters.GOOGLE = {address!r}"


def test_googles_endpoint_gets_the_functions_token(tmp_path: Path) -> None:
    """google-auth finds the default credentials; no header needs to be configured."""
    with serving(answer_as_google) as google:
        lines = work(
            {
                "OTEL_EXPORTER_OTLP_ENDPOINT": google.url,
                **dict.fromkeys(
                    ("GCE_METADATA_HOST", "GCE_METADATA_IP"), google.url.removeprefix("http://")
                ),
                "CLOUDSDK_CONFIG": str(tmp_path),
                "GOOGLE_CLOUD_PROJECT": PROJECT,
            },
            as_google(google.url),
        )
        tokens = [request for request in google.requests if "/token" in request.path]
        exports = [request for request in google.requests if request.path.startswith("/v1/")]
        ((_, resource),) = spans_in(google)
    assert len(tokens) == 1, "one token does for both signals"
    assert {request.path for request in exports} == {"/v1/traces", "/v1/logs"}
    assert [request.headers["authorization"] for request in exports] == [f"Bearer {TOKEN}"] * 2
    assert resource["gcp.project_id"] == PROJECT
    assert [json.loads(line)["message"] for line in lines] == ["working"], "nothing went wrong"


POST = """
import os
{before}
from throughline import exporters
post = exporters.post(exporters.SPANS, os.environ)
print([post(b"")().status for _ in range(2)])
"""


def test_what_a_relay_posts_to_google_has_the_functions_token_too(tmp_path: Path) -> None:
    """As the process's own telemetry has, compressed as that is."""
    with serving(answer_as_google) as google:
        host = google.url.removeprefix("http://")
        lines = run(
            POST.format(before=as_google(google.url)),
            **{
                "OTEL_EXPORTER_OTLP_ENDPOINT": google.url,
                "OTEL_EXPORTER_OTLP_COMPRESSION": "gzip",
                **dict.fromkeys(("GCE_METADATA_HOST", "GCE_METADATA_IP"), host),
                "CLOUDSDK_CONFIG": str(tmp_path),
                "GOOGLE_CLOUD_PROJECT": PROJECT,
            },
        )
        exports = [request for request in google.requests if request.path == "/v1/traces"]
    assert lines == ["[200, 200]"]
    assert [request.headers["authorization"] for request in exports] == [f"Bearer {TOKEN}"] * 2
    assert [payload(request) for request in exports] == [b"", b""]


def test_a_relay_sends_its_key_to_no_other_host_by_a_redirect(server: LocalServer) -> None:
    """The session behind a proxy would follow it; the answer is passed on instead."""
    with serving(lambda _: (307, b"", {"Location": f"{server.url}/v1/traces"})) as proxy:
        lines = run(
            POST.format(before=""),
            OTEL_EXPORTER_OTLP_ENDPOINT="http://collector.example:4318",
            OTEL_EXPORTER_OTLP_HEADERS="x-key=secret",
            http_proxy=proxy.url,
        )
        assert {request.headers["x-key"] for request in proxy.requests} == {"secret"}
    assert (lines, server.requests) == (["[307, 307]"], [])


def test_googles_token_is_sent_to_no_other_address(tmp_path: Path, server: LocalServer) -> None:
    """An address with Google's as a prefix gets no token, and no credentials are loaded."""
    work(
        {
            "OTEL_EXPORTER_OTLP_ENDPOINT": server.url,
            "GOOGLE_APPLICATION_CREDENTIALS": str(tmp_path / "absent.json"),
        },
        as_google(server.url[:-1]),
    )
    assert [request.headers.get("authorization") for request in server.requests] == [None, None]


def test_missing_credentials_are_logged_once_and_the_function_still_works(
    tmp_path: Path, server: LocalServer
) -> None:
    """The message includes google-auth's."""
    lines = work(
        {
            "OTEL_EXPORTER_OTLP_ENDPOINT": server.url,
            "GOOGLE_APPLICATION_CREDENTIALS": str(tmp_path / "absent.json"),
        },
        as_google(server.url),
    )
    warning, working = (json.loads(line)["message"] for line in lines)
    assert warning.startswith(
        f"There are no Google credentials, so telemetry is sent to {server.url} without them"
    )
    assert "absent.json" in warning
    assert working == "working"


def test_a_log_line_names_its_trace_in_cloud_loggings_form(server: LocalServer) -> None:
    """The line has the trace's full resource name, so that Cloud Logging shows both together."""
    (line,) = work({"OTEL_EXPORTER_OTLP_ENDPOINT": server.url, "GCLOUD_PROJECT": PROJECT})
    ((span, _),) = spans_in(server)
    assert json.loads(line) == {
        "severity": "WARNING",
        "message": "working",
        "trace_id": span.trace_id.hex(),
        "span_id": span.span_id.hex(),
        "logging.googleapis.com/trace": f"projects/{PROJECT}/traces/{span.trace_id.hex()}",
        "logging.googleapis.com/spanId": span.span_id.hex(),
        "logging.googleapis.com/trace_sampled": True,
    }


def test_a_log_line_of_an_unsampled_trace_is_marked(server: LocalServer) -> None:
    """Cloud Logging then offers no link to a missing trace."""
    (line,) = work(
        {
            "OTEL_EXPORTER_OTLP_ENDPOINT": server.url,
            "GCLOUD_PROJECT": PROJECT,
            "OTEL_TRACES_SAMPLER": "always_off",
        }
    )
    assert json.loads(line)["logging.googleapis.com/trace_sampled"] is False
    assert [*spans_in(server)] == []
