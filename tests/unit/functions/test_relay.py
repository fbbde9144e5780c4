"""The relay of a page's telemetry: what it forwards, refuses, drops and counts."""

from __future__ import annotations

import gzip
import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from fnmatch import fnmatch
from typing import Any

import flask
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from werkzeug.test import TestResponse

from boxoffice import telemetry as app_telemetry
from tests.unit.framework import ROOT
from tests.unit.functions import page_telemetry as page
from tests.unit.functions.traceparents import SPAN_ID, TRACE_ID
from tests.unit.local_server import (
    LocalServer,
    ReceivedRequest,
    eventually,
    free_port,
    serving,
    silent,
)
from tests.unit.otlp import attributes, records_in, spans_in
from throughline.otlp_decoding import JSON_OBJECTS_MAX
from throughline.relay import BODY_MAX_BYTES, Relay

SECONDS = 20.0
TRACES, LOGS = "/telemetry/v1/traces", "/telemetry/v1/logs"
PROTOBUF = "application/x-protobuf"


class Site:
    """A relay behind a Flask app, as the framework serves it."""

    def __init__(self, relay: Relay) -> None:
        self.relay = relay
        self.app = flask.Flask("telemetry")
        self.app.add_url_rule(
            "/<path:path>",
            view_func=lambda path: relay.answer(flask.request),
            methods=["GET", "POST", "OPTIONS"],
        )

    def post(
        self, body: Any, path: str = TRACES, type_: str = "application/json", **headers: str
    ) -> TestResponse:
        """POST a body; one that is not bytes is encoded as JSON."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.app.test_client().post(path, data=data, content_type=type_, headers=named)


Open = Callable[..., Site]


@pytest.fixture
def endpoint() -> Iterator[LocalServer]:
    """The OTLP endpoint."""
    with serving() as local:
        yield local


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Open]:
    """Opens a site whose relay forwards to a URL, with further settings of the relay."""
    relays: list[Relay] = []

    def opened(url: str, **settings: Any) -> Site:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", url)
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "x-key=secret")
        relays.append(
            Relay("page", reserved=("boxoffice.",), allowed=page_attributes(), **settings)
        )
        return Site(relays[-1])

    yield opened
    for relay in relays:
        relay.close()


def page_attributes() -> frozenset[str]:
    """Return the reserved attributes that the page may set."""
    return frozenset({"boxoffice.order.id", "boxoffice.show.id"})


def test_spans_in_json_arrive_with_the_key_and_the_pages_ids(
    site: Open, endpoint: LocalServer
) -> None:
    """They are protobuf then, and the page gets OTLP's empty answer."""
    response = site(endpoint.url).post(page.spans(page.span()))
    assert (response.status_code, response.get_json()) == (200, {})
    ((span, resource),) = spans_in(endpoint)
    (request,) = endpoint.requests
    assert (request.headers["x-key"], request.headers["content-type"]) == ("secret", PROTOBUF)
    assert (span.trace_id.hex(), span.span_id.hex()) == (TRACE_ID, SPAN_ID)
    assert (span.name, span.kind, span.flags) == ("buy", 1, 257)
    assert span.end_time_unix_nano - span.start_time_unix_nano == 250_000_000
    assert span.links[0].trace_id.hex() == TRACE_ID
    assert attributes(span)["boxoffice.order.id"] == "order-1"
    assert resource["service.name"] == "page"


def test_spans_in_protobuf_arrive_and_are_answered_in_protobuf(
    site: Open, endpoint: LocalServer
) -> None:
    """Other pages may use another exporter."""
    body = page.as_protobuf(page.spans(page.span()))
    response = site(endpoint.url).post(body, type_=PROTOBUF)
    assert (response.status_code, response.mimetype) == (200, PROTOBUF)
    assert not ExportTraceServiceResponse.FromString(response.data).partial_success.rejected_spans
    ((span, _),) = spans_in(endpoint)
    assert (span.name, span.trace_id.hex()) == ("buy", TRACE_ID)


def test_log_records_arrive_and_those_with_malformed_ids_lose_only_these(
    site: Open, endpoint: LocalServer
) -> None:
    """logs.proto says so."""
    body = page.records(page.record(), page.record("no ids", traceId="xyz"))
    assert site(endpoint.url).post(body, LOGS).get_json() == {}
    placed, without = (record for record, _ in records_in(endpoint))
    assert (placed.body.string_value, placed.trace_id.hex()) == ("Order placed", TRACE_ID)
    assert (without.body.string_value, without.trace_id, without.span_id) == ("no ids", b"", b"")


def test_gzip_is_accepted(site: Open, endpoint: LocalServer) -> None:
    """Collectors and other exporters compress."""
    body = gzip.compress(json.dumps(page.spans(page.span())).encode())
    assert site(endpoint.url).post(body, Content_Encoding="gzip").status_code == 200
    assert len(list(spans_in(endpoint))) == 1


def test_a_client_cannot_claim_where_it_runs_nor_what_servers_decided(
    site: Open, endpoint: LocalServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The deployment's attributes replace the client's; the rest of them are dropped."""
    monkeypatch.setenv("GCLOUD_PROJECT", "night-shows")
    monkeypatch.setenv(
        "OTEL_RESOURCE_ATTRIBUTES",
        "deployment.environment.name=production,service.namespace=shows,host.name=h",
    )
    claims = {
        "service.namespace": "other",
        "deployment.environment.name": "staging",
        "gcp.project_id": "other",
        "host.name": "h",
        "cloud.provider": "gcp",
        "faas.name": "settle",
        "boxoffice.order.state": "paid",
        "throughline.relayed": "no",
    }
    kept = {**page.PAGE, "browser.language": "en", "service.version": "abc"}
    span = page.span(
        attributes=page.key_values(
            {
                "boxoffice.order.id": "order-1",
                "boxoffice.outcome": "moved",
                "enduser.pseudo.id": "x",
                "faas.name": "settle",
                "http.route": "/",
            }
        )
    )
    site(endpoint.url).post(page.spans(span, resource={**kept, **claims}))
    ((arrived, resource),) = spans_in(endpoint)
    assert resource == {
        **kept,
        "gcp.project_id": "night-shows",
        "service.namespace": "shows",
        "deployment.environment.name": "production",
        "throughline.relayed": "",
    }
    assert attributes(arrived) == {"boxoffice.order.id": "order-1", "http.route": "/"}
    assert arrived.dropped_attributes_count == 3


def test_a_foreign_resource_is_dropped_and_its_neighbour_arrives(
    site: Open, endpoint: LocalServer
) -> None:
    """The answer says how many spans were dropped; a repeated service.name does not help."""
    body = page.spans(page.span("ours"))
    body["resourceSpans"] += page.spans(
        page.span("a"), page.span("b"), resource={"service.name": "settle"}
    )["resourceSpans"]
    opened = site(endpoint.url)
    answer = opened.post(body).get_json()
    assert answer["partialSuccess"] == {
        "rejectedSpans": "2",
        "errorMessage": "The resource is not that of this site's page.",
    }
    assert [span.name for span, _ in spans_in(endpoint)] == ["ours"]
    twice = page.spans(page.span())
    names = [("service.name", "page"), ("service.name", "settle")]
    twice["resourceSpans"][0]["resource"]["attributes"] = [
        pair for key, value in names for pair in page.key_values({key: value})
    ]
    assert opened.post(twice).get_json() == {}
    assert [resource["service.name"] for _, resource in spans_in(endpoint)] == ["page", "page"]


@pytest.mark.parametrize("resource", [{"service.name": "settle"}, {}])
def test_a_request_of_a_foreign_resource_only_is_refused(
    site: Open, endpoint: LocalServer, resource: dict[str, str]
) -> None:
    """Nothing of it reaches the endpoint."""
    opened = site(endpoint.url)
    response = opened.post(page.spans(page.span(), page.span(), resource=resource))
    assert response.status_code == 403
    assert response.get_json()["code"] == 7
    assert endpoint.requests == []
    assert opened.relay.losses.by_reason == {"The resource is not that of this site's page.": 2}


def test_a_malformed_span_attribute_or_link_costs_no_other(
    site: Open, endpoint: LocalServer
) -> None:
    """Half of an emoji is repaired."""
    malformed = [
        page.span(traceId="00"),
        page.span(spanId="0" * 16),
        page.span(startTimeUnixNano="soon"),
        "no span",
        None,
    ]
    good = page.span(
        "\ud83d cut",
        attributes=[{"key": "ok", "value": {"stringValue": "x"}}, {"key": 1}, "none"],
        links=[{"traceId": "1", "spanId": "2"}, {"traceId": TRACE_ID, "spanId": SPAN_ID}],
    )
    opened = site(endpoint.url)
    answer = opened.post(page.spans(*malformed, good)).get_json()
    assert answer["partialSuccess"]["rejectedSpans"] == "5"
    ((span, _),) = spans_in(endpoint)
    assert (span.name, attributes(span)) == ("\ufffd cut", {"ok": "x"})
    assert (span.dropped_attributes_count, span.dropped_links_count) == (2, 1)
    assert opened.relay.losses.by_reason == {"Some items are malformed.": 5}


def gzip_bomb() -> bytes:
    """Return gzip of which the content is above the limit, and the bytes are far below."""
    return gzip.compress(b"{" + b" " * 50_000_000 + b"}")


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b" " * 10_000_000, {}, 413),
        (b" " * (BODY_MAX_BYTES + 1), {}, 413),
        (gzip_bomb(), {"Content_Encoding": "gzip"}, 413),
        (gzip.compress(b"{}", mtime=0) * 2, {"Content_Encoding": "gzip"}, 400),
        (gzip.compress(b"{}", mtime=0)[:-1], {"Content_Encoding": "gzip"}, 400),
        (b"{}", {"Content_Encoding": "gzip"}, 400),
        (b"{}", {"Content_Encoding": "br"}, 415),
        (b"{}", {"type_": "text/plain"}, 415),
        (b"{}", {"type_": ""}, 415),
        (b"\xff\xff", {"type_": PROTOBUF}, 400),
        (b"", {}, 400),
        (b"[]", {}, 400),
        (b'{"resourceSpans": {}}', {}, 400),
        (b'{"resourceSpans": [1]}', {}, 400),
        (b'{"resourceSpans": [{"resource": 1}]}', {}, 400),
        (b'{"resourceSpans": [{"scopeSpans": 1}]}', {}, 400),
        (b"[" * 100_000, {}, 400),
        (b'{"a":' + b"[" * 200 + b"]" * 200 + b"}", {}, 400),
        (b"[" + b"{}," * JSON_OBJECTS_MAX + b"{}]", {}, 400),
        (b"{}", {"path": "/telemetry/v1/metrics"}, 404),
        (b"{}", {"path": "/telemetry/traces"}, 404),
    ],
)
def test_a_bad_request_is_refused_soon_and_counted(
    site: Open, endpoint: LocalServer, body: bytes, headers: dict[str, str], status: int
) -> None:
    """Each is answered in the request's own encoding, and none reaches the endpoint."""
    opened = site(endpoint.url)
    began = time.monotonic()
    response = opened.post(body, **headers)
    assert time.monotonic() - began < 2
    assert response.status_code == status
    is_protobuf = headers.get("type_") == PROTOBUF
    assert response.mimetype == (PROTOBUF if is_protobuf else "application/json")
    assert endpoint.requests == []
    assert opened.relay.losses.by_reason.total() == 1


def test_only_post_is_answered(site: Open, endpoint: LocalServer) -> None:
    """The page is of the same origin, so there is no preflight either."""
    client = site(endpoint.url).app.test_client()
    for response in (client.get(TRACES), client.options(TRACES)):
        assert (response.status_code, response.headers["Allow"]) == (405, "POST")


def test_a_request_without_items_reaches_no_endpoint(site: Open, endpoint: LocalServer) -> None:
    """There is nothing to forward."""
    response = site(endpoint.url).post({})
    assert (response.status_code, endpoint.requests) == (200, [])


def test_the_switch_answers_204_to_everything(site: Open, endpoint: LocalServer) -> None:
    """After it, pages that are in caches stop sending."""
    opened = site(endpoint.url, is_on=False)
    for path in (TRACES, LOGS):
        response = opened.post(page.spans(page.span()), path)
        assert (response.status_code, response.data) == (204, b"")
        assert response.headers["Retry-After"] == "600"
    assert endpoint.requests == []


def test_a_signal_that_is_switched_off_is_answered_with_204(
    site: Open, endpoint: LocalServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the functions send no log records, the page's have no destination either."""
    monkeypatch.setenv("OTEL_LOGS_EXPORTER", "none")
    opened = site(endpoint.url)
    response = opened.post(page.records(page.record()), LOGS)
    assert (response.status_code, response.headers["Retry-After"]) == (204, "600")
    assert opened.post(page.spans(page.span())).status_code == 200


def test_requests_above_the_limit_are_told_to_wait(site: Open, endpoint: LocalServer) -> None:
    """The limit is of one second's requests, and is full again after that."""
    opened = site(endpoint.url, requests_per_second=2)
    responses = [opened.post(page.spans(page.span())) for _ in range(5)]
    assert [each.status_code for each in responses] == [200, 200, 429, 429, 429]
    assert responses[2].headers["Retry-After"] == "1"
    assert opened.relay.losses.by_reason == {"An instance gets too many requests.": 3}
    eventually(lambda: opened.post({}).status_code == 200, "the limit is refilled")


def verify(token: str) -> dict[str, str]:
    """Accept one token, as an App Check verifier does."""
    if token != "good":
        raise ValueError("Verifying App Check token failed.")
    return {"app_id": "page"}


@pytest.mark.parametrize(
    ("headers", "status"),
    [({"X_Firebase_AppCheck": "good"}, 200), ({"X_Firebase_AppCheck": "bad"}, 401), ({}, 401)],
)
def test_a_token_is_verified_where_one_is_demanded(
    site: Open, endpoint: LocalServer, headers: dict[str, str], status: int
) -> None:
    """A request without it is refused before its body is read."""
    opened = site(endpoint.url, verify_app=verify)
    assert opened.post(page.spans(page.span()), **headers).status_code == status
    assert len(endpoint.requests) == (status == 200)


@pytest.mark.parametrize(
    ("status", "retry_after", "expected", "seconds"),
    [
        (429, "7", 429, range(7, 8)),
        (503, "7", 503, range(7, 8)),
        (503, "Thu, 01 Jan 2099 00:00:00 GMT", 503, range(300, 301)),
        (502, "", 502, range(1, 2)),
        (503, "soon", 503, range(1, 2)),
    ],
)
def test_a_busy_endpoint_s_retry_after_is_passed_on(
    site: Open, status: int, retry_after: str, expected: int, seconds: range
) -> None:
    """At most five minutes; the next request does not reach the endpoint at all."""
    with serving(lambda _: (status, b"", {"Retry-After": retry_after})) as endpoint:
        opened = site(endpoint.url)
        first, second = (opened.post(page.spans(page.span(), page.span())) for _ in range(2))
        assert (first.status_code, second.status_code) == (expected, 503)
        assert int(first.headers["Retry-After"]) in seconds
        assert 1 <= int(second.headers["Retry-After"]) <= seconds.stop
        assert len(endpoint.requests) == 1
    assert opened.relay.losses.by_reason == {"The OTLP endpoint is not available.": 4}


def test_a_dead_endpoint_is_answered_with_503_counted_and_logged_once(
    site: Open, caplog: pytest.LogCaptureFixture
) -> None:
    """Once it is back, telemetry arrives again."""
    port = free_port()
    opened = site(f"http://127.0.0.1:{port}")
    responses = [opened.post(page.spans(page.span())) for _ in range(3)]
    assert [each.status_code for each in responses] == [503, 503, 503]
    assert all(int(each.headers["Retry-After"]) >= 1 for each in responses)
    assert opened.relay.losses.by_reason == {"The OTLP endpoint is not available.": 3}
    assert [message.partition(":")[0] for message in caplog.messages] == [
        "The OTLP endpoint does not answer",
        "The relay refused telemetry of a page",
    ]
    with serving(port=port) as endpoint:
        eventually(lambda: opened.post(page.spans(page.span())).status_code == 200, "it is back")
        assert list(spans_in(endpoint))
    caplog.clear()
    opened.relay.close()
    (closing,) = caplog.messages
    assert closing.startswith("The relay refused telemetry of pages: ")
    assert closing.endswith(" × The OTLP endpoint is not available.")


def test_an_endpoint_that_never_answers_holds_a_request_for_the_timeout(
    site: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And holds the next ones not at all."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "0.3")
    with silent() as url:
        opened = site(url)
        began = time.monotonic()
        assert [opened.post(page.spans(page.span())).status_code for _ in range(20)] == [503] * 20
        assert time.monotonic() - began < 2


@pytest.mark.parametrize(("status", "expected"), [(400, 400), (401, 500), (404, 500), (301, 500)])
def test_an_endpoint_that_refuses_is_not_tried_again_by_the_page(
    site: Open, status: int, expected: int
) -> None:
    """OTLP's clients do not repeat after these; a wrong key is counted."""
    with serving(lambda _: status) as endpoint:
        opened = site(endpoint.url)
        response = opened.post(page.spans(page.span()))
        assert response.status_code == expected
        assert "Retry-After" not in response.headers
    assert opened.relay.losses.by_reason == {f"The OTLP endpoint answered {status}.": 1}


def test_what_the_endpoint_rejects_in_a_200_is_logged_once(
    site: Open, caplog: pytest.LogCaptureFixture
) -> None:
    """It is not known whose spans these were."""
    body = ExportTraceServiceResponse()
    body.partial_success.rejected_spans = 3
    body.partial_success.error_message = "too old"
    answer = (200, body.SerializeToString(), {"Content-Type": PROTOBUF})
    with serving(lambda _: answer) as endpoint:
        opened = site(endpoint.url)
        assert [opened.post(page.spans(page.span())).status_code for _ in range(2)] == [200, 200]
    assert [message for message in caplog.messages if "rejected 3" in message] == [
        "The OTLP endpoint accepted an export and rejected 3 of its items: too old. "
        "Such items are lost, and counted from now on"
    ]


def spans_of(request: ReceivedRequest) -> list[str]:
    """Return the names of a request's spans."""
    message = ExportTraceServiceRequest.FromString(request.body)
    return [
        span.name
        for resource in message.resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    ]


class Gated:
    """An endpoint that answers when its gate is opened, and refuses spans named `bad`."""

    def __init__(self) -> None:
        self.gate = threading.Event()

    def answer(self, request: ReceivedRequest) -> int:
        """Wait for the gate."""
        assert self.gate.wait(SECONDS)
        return 400 if "bad" in spans_of(request) else 200


def posted_together(opened: Site, names: list[str], gated: Gated, endpoint: LocalServer) -> Any:
    """Post one span per name at the same time; return the statuses by name.

    One request is in flight while the others arrive, so that they may join each other.
    """
    with ThreadPoolExecutor(len(names) + 1) as pool:
        first = pool.submit(opened.post, page.spans(page.span("first")))
        endpoint.wait_for(1)
        futures = {name: pool.submit(opened.post, page.spans(page.span(name))) for name in names}
        endpoint.wait_for(2)
        gated.gate.set()
        assert first.result(SECONDS).status_code == 200
        return {name: each.result(SECONDS).status_code for name, each in futures.items()}


def test_requests_that_wait_together_are_one_post(
    site: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All are answered with the answer to it."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", str(SECONDS))
    monkeypatch.setattr("throughline.forwarding.GATHER_SECONDS", 0.5)
    gated, names = Gated(), [str(number) for number in range(6)]
    with serving(gated.answer) as endpoint:
        statuses = posted_together(site(endpoint.url), names, gated, endpoint)
        requests = [sorted(spans_of(request)) for request in endpoint.requests]
    assert statuses == dict.fromkeys(names, 200)
    assert requests == [["first"], names]


def test_what_the_endpoint_refuses_costs_no_neighbour(
    site: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each request of the refused group is posted alone."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", str(SECONDS))
    monkeypatch.setattr("throughline.forwarding.GATHER_SECONDS", 0.5)
    gated = Gated()
    with serving(gated.answer) as endpoint:
        statuses = posted_together(site(endpoint.url), ["good", "bad"], gated, endpoint)
        requests = [sorted(spans_of(request)) for request in endpoint.requests]
    assert statuses == {"good": 200, "bad": 400}
    assert requests[:2] == [["first"], ["bad", "good"]]
    assert sorted(requests[2:]) == [["bad"], ["good"]]


def test_a_group_has_a_limited_size(site: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    """An endpoint would refuse a body that is too large, with everything in it."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", str(SECONDS))
    monkeypatch.setattr("throughline.forwarding.GATHER_SECONDS", 0.5)
    monkeypatch.setattr("throughline.forwarding.GROUP_MAX_BYTES", 600)
    gated, names = Gated(), [str(number) for number in range(6)]
    with serving(gated.answer) as endpoint:
        statuses = posted_together(site(endpoint.url), names, gated, endpoint)
        assert set(statuses.values()) == {200}
        assert len(endpoint.requests) > 2
        assert all(len(request.body) <= 600 for request in endpoint.requests)
        assert sorted(span.name for span, _ in spans_in(endpoint)) == [*names, "first"]


@pytest.fixture
def fresh_app_relay() -> Iterator[None]:
    """Create the app's relay anew within the test, from the test's environment."""
    app_telemetry.relay.cache_clear()
    yield
    app_telemetry.relay().close()
    app_telemetry.relay.cache_clear()


@pytest.mark.usefixtures("fresh_app_relay")
@pytest.mark.parametrize(("setting", "status"), [("", 200), ("yes", 200), ("no", 204)])
def test_the_app_relays_its_page_unless_it_is_switched_off(
    endpoint: LocalServer, monkeypatch: pytest.MonkeyPatch, setting: str, status: int
) -> None:
    """What the page says about its orders arrives, and what only stages say does not."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.url)
    monkeypatch.setenv("RELAY_TELEMETRY", setting)
    names = ("boxoffice.order.id", "boxoffice.order.state", "faas.invoked_name", "boxoffice.seats")
    span = page.span(attributes=page.key_values(dict.fromkeys(names, "x")))
    with flask.Flask("telemetry").test_request_context(
        TRACES, method="POST", json=page.spans(span)
    ):
        response = app_telemetry.telemetry(flask.request)
    assert response.status_code == status
    assert [set(attributes(each)) for each, _ in spans_in(endpoint)] == (
        [set(names[:3])] if status == 200 else []
    )


@pytest.mark.parametrize("path", ["/v1/traces", "/v1/logs"])
def test_hosting_passes_what_a_deployed_page_posts_to_the_function(path: str) -> None:
    """Of the rewrites, the first that matches is used."""
    example = (ROOT / "frontend" / ".env.example").read_text()
    (endpoint,) = re.findall(r"^VITE_OTLP_ENDPOINT=(.+)$", example, re.MULTILINE)
    rewrites = json.loads((ROOT / "firebase.json").read_text())["hosting"]["rewrites"]
    matching = [each for each in rewrites if fnmatch(endpoint + path, each["source"])]
    assert matching[0]["function"]["functionId"] == "telemetry"


def test_every_attribute_that_the_page_sets_is_allowed() -> None:
    """One that is new in the page must be added to the relay's, or is lost in production only."""
    source = "".join(path.read_text() for path in (ROOT / "frontend" / "src").rglob("*.ts"))
    own = set(re.findall(r'"(boxoffice\.[\w.]+)"', source))
    invoked = set(re.findall(r'"(faas\.[\w.]+)"', source))
    assert own | invoked == app_telemetry.PAGE_ATTRIBUTES


def test_a_relay_creates_no_spans(
    site: Open, endpoint: LocalServer, spans: InMemorySpanExporter
) -> None:
    """A trace of how a trace was delivered would need another."""
    site(endpoint.url).post(page.spans(page.span()))
    assert spans.get_finished_spans() == ()


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)
BYTES_OF_A_REQUEST = page.as_protobuf(page.spans(page.span(), page.span()))


def positions(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path to each value in a JSON document."""
    yield path
    items: Any = ()
    if isinstance(value, dict):
        items = value.items()
    elif isinstance(value, list):
        items = enumerate(value)
    for key, inner in items:
        yield from positions(inner, (*path, key))


def replaced(document: Any, path: tuple[Any, ...], value: Any) -> Any:
    """Return a document with the value at `path` replaced."""
    if not path:
        return value
    copied = dict(document) if isinstance(document, dict) else list(document)
    copied[path[0]] = replaced(copied[path[0]], path[1:], value)
    return copied


@pytest.fixture(scope="module")
def fuzzed() -> Iterator[Site]:
    """A site before an endpoint that accepts everything."""
    with serving() as local, pytest.MonkeyPatch.context() as environment:
        environment.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", local.url)
        relay = Relay("page", requests_per_second=1e9)
        yield Site(relay)
        relay.close()


@settings(max_examples=40)
@given(data=st.data(), is_log=st.booleans(), value=JSON_VALUES)
def test_no_json_fails_the_relay(fuzzed: Site, data: Any, is_log: bool, value: Any) -> None:
    """Any value in place of any other is accepted, dropped or refused."""
    document = page.records(page.record()) if is_log else page.spans(page.span(), page.span())
    path = data.draw(st.sampled_from(list(positions(document))))
    response = fuzzed.post(replaced(document, path, value), LOGS if is_log else TRACES)
    assert response.status_code in (200, 400, 403)


@settings(max_examples=40)
@given(
    at=st.integers(0, len(BYTES_OF_A_REQUEST)), length=st.integers(0, 8), new=st.binary(max_size=8)
)
def test_no_protobuf_fails_the_relay(fuzzed: Site, at: int, length: int, new: bytes) -> None:
    """Nor do any bytes in place of others."""
    body = BYTES_OF_A_REQUEST[:at] + new + BYTES_OF_A_REQUEST[at + length :]
    response = fuzzed.post(body, type_=PROTOBUF)
    assert response.status_code in (200, 400, 403)
