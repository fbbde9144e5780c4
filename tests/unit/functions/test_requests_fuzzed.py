"""No request to a public function is answered with a 5xx status."""

from __future__ import annotations

import json
import string
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.unit.functions.public_functions import (
    CHARGING,
    NAMES,
    SHOW,
    TICKETED,
    PublicFunctions,
    Request,
    Response,
    id_token,
    public_functions,
    signature,
)
from tests.unit.functions.traceparents import TRACEPARENT
from tests.unit.otlp import payload, spans_in

REQUESTS = 500
REQUESTS_LONG = 20_000
SENDERS = 8

# Includes surrogates, because JSON can escape half a pair.
texts = st.text(st.characters(exclude_categories=()), max_size=40)
ids = st.sampled_from(
    [SHOW, TICKETED, CHARGING, "NoSuchOrder", ".", "..", "__x__", "a/b", "", "\ud83d", "x" * 2_000]
)
numbers = st.one_of(
    st.integers(),
    st.floats(),
    st.sampled_from([0, 1, 2, 8, 5000, 2**53, 2**63, -(2**63), 10**400, 1e308]),
)
scalars = st.one_of(st.none(), st.booleans(), numbers, texts, ids)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=8,
)


def maps(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Return maps with some of these fields, sometimes of another type, or any other value."""
    mixed = {name: strategy | values for name, strategy in fields.items()}
    return st.fixed_dictionaries({}, optional=mixed) | st.fixed_dictionaries(mixed) | values


CALLS: dict[str, st.SearchStrategy[Any]] = {
    "quote": maps(data=maps(show_id=ids, seats=st.integers(0, 9))),
    "refund": maps(data=maps(order_id=ids)),
    "availability": values,
    "settle": maps(
        data=maps(
            charge=maps(
                id=st.just("ch_1"),
                status=st.sampled_from(["succeeded", "declined", "pending"]),
                amount_cents=st.sampled_from([5000, 1]),
                currency=st.sampled_from(["EUR", "USD"]),
                decline_code=st.sampled_from([None, "card_declined"]),
                metadata=maps(order_id=ids, traceparent=st.just(TRACEPARENT), baggage=texts),
            )
        )
    ),
}

broken_bodies = st.one_of(
    st.binary(max_size=200),
    st.integers(1, 60_000).map(lambda depth: b'{"data":' + b"[" * depth),
    st.integers(1, 60_000).map(lambda depth: b'{"data":' + b"[" * depth + b"]" * depth + b"}"),
    st.integers(1, 6_000).map(lambda digits: b'{"data":{"seats":' + b"9" * digits + b"}}"),
    values.map(lambda value: json.dumps(value).encode("utf-16")),
    values.map(lambda value: json.dumps(value)[:-1].encode()),
)

# Characters that do not end a header's value.
header_values = st.text(st.characters(codec="latin-1", exclude_categories=["Cc"]), max_size=60)
HEADERS: dict[str, st.SearchStrategy[str]] = {
    "Content-Type": st.sampled_from(
        [
            "application/json; charset=utf-8",
            "application/json; charset=utf-16",
            "Application/JSON;",
            "text/plain",
            "multipart/form-data; boundary=x",
            "application/x-www-form-urlencoded",
            "application/problem+json",
        ]
    ),
    "Authorization": st.builds(
        id_token, st.just("somebody"), st.sampled_from(["organiser", ""])
    ).map("Bearer {}".format)
    | header_values,
    "Acquirer-Signature": header_values
    | st.sampled_from(["t=1,v1=0", f"t={'9' * 5_000},v1=0", "t=²,v1=0", "=,=,t"]),
    "traceparent": st.just(TRACEPARENT) | header_values,
    "x-throughline-context": st.just(TRACEPARENT) | header_values,
    "tracestate": header_values,
    "baggage": st.sampled_from(["order.id=4242424242424242", "show.id=%0A", "order.id=%ff"])
    | header_values,
    "X-Cloud-Trace-Context": header_values,
    "Function-Execution-Id": header_values,
    "Firebase-Instance-ID-Token": header_values,
    "Origin": header_values,
    "Access-Control-Request-Headers": header_values,
    "X-Forwarded-Host": header_values,
    "Cookie": header_values,
    "Range": header_values,
    "If-Modified-Since": header_values,
    "Accept": header_values,
}
METHODS = ("GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND")
URL_CHARACTERS = string.ascii_letters + string.digits + "%&=;+/?.-_~[]@:!$'()*,"


@st.composite
def requests(draw: st.DrawFn) -> Request:
    """Draw a request to one of the functions; most are nearly valid, to pass the first checks."""
    function = draw(st.sampled_from(NAMES))
    is_broken = draw(st.integers(0, 3)) == 0
    body = draw(broken_bodies) if is_broken else json.dumps(draw(CALLS[function])).encode()
    usual = "GET" if function == "availability" else "POST"
    method = draw(st.sampled_from((usual,) * 12 + METHODS))
    query = draw(
        st.just("")
        | (ids | texts).map(
            lambda value: "?show_id=" + quote(value.encode("utf-8", "surrogatepass"))
        )
        | st.sampled_from([f"?show_id={SHOW}", "?show_id=%ed%a0%80", "?show_id=%"])
        | st.text(URL_CHARACTERS, max_size=80).map("?{}".format)
    )
    path = draw(st.just("/") | st.text(URL_CHARACTERS, max_size=40).map("/{}".format))
    headers = {"Content-Type": "application/json"}
    if function == "refund":
        headers["Authorization"] = f"Bearer {id_token()}"
    if function == "settle":
        headers["Acquirer-Signature"] = signature(body)
    for name in draw(st.lists(st.sampled_from(sorted(HEADERS)), max_size=3, unique=True)):
        headers[name] = draw(HEADERS[name])
    return Request(function, method, path + query, headers, body)


@pytest.fixture(scope="module")
def functions(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PublicFunctions]:
    """Serve the public functions for all tests of this module."""
    with public_functions(tmp_path_factory.mktemp("functions")) as served:
        yield served


def check(functions: PublicFunctions, request: Request) -> int:
    """Send a request and return its status, which must be below 500."""
    response = functions.send(request)
    # Discarded, because the exports of 20,000 requests would fill the memory.
    functions.local.requests.clear()
    assert response.status < 500, (response.status, response.body[:500])
    return response.status


def test_no_request_makes_a_server_error(functions: PublicFunctions) -> None:
    """500 requests are answered, with every usual status among the answers."""
    statuses: set[int] = set()

    # Drawn in most runs; which requests are drawn depends on the modules that are loaded.
    unsigned = Request("settle", headers={"Acquirer-Signature": "t=1,v1=0"}, body=b"{}")

    @settings(max_examples=REQUESTS)
    @given(requests())
    @example(unsigned)
    def fuzz(request: Request) -> None:
        statuses.add(check(functions, request))

    fuzz()
    assert {200, 400, 401, 404, 422} <= statuses


@pytest.mark.long
def test_none_of_20_000_requests_makes_a_server_error(functions: PublicFunctions) -> None:
    """The same for 20,000 requests, several of which are in progress at a time.

    One by one they would take twice as long. The price is that a request that fails is not
    simplified.
    """
    failures: list[tuple[Request, int, bytes]] = []
    waiting: deque[tuple[Request, Future[Response]]] = deque()

    def take_answer() -> None:
        request, answer = waiting.popleft()
        response = answer.result()
        # As in `check`.
        functions.local.requests.clear()
        if response.status >= 500:
            failures.append((request, response.status, response.body[:500]))

    with ThreadPoolExecutor(SENDERS) as pool:

        @settings(max_examples=REQUESTS_LONG)
        @given(requests())
        def fuzz(request: Request) -> None:
            while len(waiting) >= 2 * SENDERS:
                take_answer()
            waiting.append((request, pool.submit(functions.send, request)))

        fuzz()
        while waiting:
            take_answer()
    assert failures == []


#: A name, an e-mail address, a card's number and a telephone number.
PERSONAL = ("Anna Schmidt", "anna.schmidt@example.org", "4000056655665556", "+49301234567")


def forged_requests(personal: str) -> Iterator[Request]:
    """Yield requests to each function with personal data wherever a client can put any."""
    headers = {
        "Content-Type": "application/json",
        "traceparent": personal,
        "tracestate": f"vendor={personal}",
        "baggage": f"order.id={quote(personal)},show.id={quote(personal)},user={quote(personal)}",
        "User-Agent": personal,
        "Referer": f"https://example.org/{quote(personal)}",
        "X-Forwarded-For": personal,
        "X-Forwarded-Host": personal,
        "Function-Execution-Id": personal,
        "Cookie": f"name={personal}",
    }
    number = [int(personal)] if personal.isdecimal() else []
    charge = {
        **dict.fromkeys(("id", "status", "currency", "decline_code", "name"), personal),
        "amount_cents": (number or [5000])[0],
        "metadata": {"order_id": personal, "traceparent": personal, "baggage": personal},
    }
    bodies = {
        "quote": [
            {"data": {"show_id": personal, "seats": 1}},
            *({"data": {"show_id": SHOW, "seats": seats}} for seats in (personal, *number)),
            {"data": {"show_id": SHOW, "seats": 1, personal: personal}},
        ],
        "refund": [{"data": {"order_id": personal, "reason": personal}}],
        "settle": [{"data": {"charge": charge}, "name": personal}],
        "availability": [{}],
    }
    for function, documents in bodies.items():
        for document in documents:
            body = json.dumps(document).encode()
            target = f"/{quote(personal)}?show_id={quote(personal)}&q={quote(personal)}"
            for authorization in (f"Bearer {id_token()}", f"Bearer {personal}"):
                sent = {**headers, "Authorization": authorization}
                # A card's number as an order's id is an id, if the processor itself signs it.
                if function == "settle" and not number:
                    sent["Acquirer-Signature"] = signature(body)
                for method in ("POST", "GET"):
                    yield Request(function, method, target, sent, body)


@pytest.mark.parametrize("personal", PERSONAL)
def test_nothing_personal_that_a_client_forges_is_exported_or_logged(
    functions: PublicFunctions, personal: str
) -> None:
    """Whatever the status of the answer. The stack's own test searches everything it stores."""
    functions.local.requests.clear()
    for request in forged_requests(personal):
        functions.send(request)
    assert list(spans_in(functions.local))
    written = [payload(sent) for sent in functions.local.requests if sent.path.startswith("/v1/")]
    for server in functions.servers.values():
        written += [line.encode() for line in server.log_lines()]
    for secret in {personal, quote(personal), personal.split("@", maxsplit=1)[0]}:
        assert [text for text in written if secret.encode() in text] == []
