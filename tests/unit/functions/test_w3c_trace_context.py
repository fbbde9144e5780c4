"""W3C Trace Context, sections 3.2 to 3.5: each MUST and SHOULD as a row that names its section.

Level 1 is the recommendation of 2021 (https://www.w3.org/TR/trace-context-1/), level 2 is its
successor (https://www.w3.org/TR/trace-context-2/). Where a row names no level, both say the same.
The sentences are shortened, not changed in meaning.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import flask
import pytest
from firebase_functions import firestore_fn, pubsub_fn
from opentelemetry import context, trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import throughline
from tests.unit.functions.cloud_events import document_event, message_event, text_map
from tests.unit.functions.traceparents import (
    SPAN_ID,
    TRACE_ID,
    TRACEPARENT,
    attributes_of,
    ids,
    kinship,
    the_span,
)
from throughline import carrier, http_request

TRACER = TracerProvider(shutdown_on_exit=False).get_tracer("test")
PARENT = (TRACE_ID, SPAN_ID)
Headers = list[tuple[str, str]]


def parent_in(headers: Headers) -> tuple[str, str] | None:
    """Return the ids of the parent in these headers, or None for a new root."""
    remote = http_request.read(http_request.combined(headers)).span_context
    return remote and (trace.format_trace_id(remote.trace_id), trace.format_span_id(remote.span_id))


def sent_after(headers: Headers) -> dict[str, str]:
    """Return the headers that a function sends after it received these."""
    arrival = http_request.read(http_request.combined(headers))
    token = context.attach(arrival.context)
    try:
        with TRACER.start_as_current_span("work"):
            return http_request.write()
    finally:
        context.detach(token)


def members(count: int) -> str:
    """Return a tracestate with `count` members."""
    return ",".join(f"k{n}=1" for n in range(count))


def with_state(*values: str, name: str = "tracestate") -> Headers:
    """Return a valid traceparent and these tracestate header fields."""
    return [("traceparent", TRACEPARENT), *((name, value) for value in values)]


@pytest.mark.parametrize(
    ("section", "requirement", "headers", "parent"),
    [
        (
            "3.2.1",
            "MUST expect the header name in any case",
            [("TraceParent", TRACEPARENT)],
            PARENT,
        ),
        ("3.2.1", "MUST expect it in upper case", [("TRACEPARENT", TRACEPARENT)], PARENT),
        ("3.2.1", "the name is one word", [("trace-parent", TRACEPARENT)], None),
        ("3.2.2.1", "version ff is invalid", [("traceparent", "ff" + TRACEPARENT[2:])], None),
        ("3.2.2.1", "a version is two digits", [("traceparent", TRACEPARENT[1:])], None),
        ("3.2.2.2", "version 00 has four fields", [("traceparent", TRACEPARENT + "-00")], None),
        ("3.2.2.2", "a field is lowercase hex", [("traceparent", TRACEPARENT.upper())], None),
        (
            "3.2.2.3",
            "MUST ignore a traceparent with an all-zero trace-id",
            [("traceparent", f"00-{'0' * 32}-{SPAN_ID}-01")],
            None,
        ),
        (
            "3.2.2.3",
            "MUST ignore one whose trace-id has characters that are not allowed",
            [("traceparent", f"00-{TRACE_ID[:-1]}.-{SPAN_ID}-01")],
            None,
        ),
        (
            "3.2.2.4",
            "MUST ignore a traceparent with an all-zero parent-id",
            [("traceparent", f"00-{TRACE_ID}-{'0' * 16}-01")],
            None,
        ),
        (
            "3.2.2.4",
            "MUST ignore one whose parent-id is not lowercase hex",
            [("traceparent", f"00-{TRACE_ID}-{SPAN_ID.upper()}-01")],
            None,
        ),
        (
            "3.2.4",
            "SHOULD try to parse a higher version",
            [("traceparent", f"01-{TRACE_ID}-{SPAN_ID}-01")],
            PARENT,
        ),
        (
            "3.2.4",
            "MUST NOT assume anything about a higher version's unknown fields",
            [("traceparent", f"cc-{TRACE_ID}-{SPAN_ID}-01-what.ever/it=is")],
            PARENT,
        ),
        (
            "3.2.4",
            "MUST check that the flags end the string or are followed by a dash",
            [("traceparent", f"cc-{TRACE_ID}-{SPAN_ID}-01.more")],
            None,
        ),
        (
            "3.2.4",
            "SHOULD NOT parse a header of fewer than 55 characters",
            [("traceparent", f"cc-{TRACE_ID}-{SPAN_ID}-1")],
            None,
        ),
        (
            "3.2.4",
            "MUST check that trace-id is 32 hex characters and a dash",
            [("traceparent", f"cc-{TRACE_ID}0{SPAN_ID}-01-")],
            None,
        ),
        (
            "3.2.4",
            "MUST check that parent-id is 16 hex characters and a dash",
            [("traceparent", f"cc-{TRACE_ID}-{SPAN_ID}0-01")],
            None,
        ),
        (
            "3.3",
            "MUST NOT let a tracestate that fails affect traceparent",
            with_state("=,"),
            PARENT,
        ),
        ("3.3.1.1", "MUST accept empty tracestate headers", with_state("", ""), PARENT),
        ("3.3", "MUST NOT parse tracestate without traceparent", [("tracestate", "a=1")], None),
        (
            "3.3",
            "MUST NOT parse tracestate where traceparent fails",
            [("traceparent", "x"), ("tracestate", "a=1")],
            None,
        ),
        ("3.3.1.5", "a list of 8 KB costs no traceparent", with_state("a=" + "x" * 8190), PARENT),
    ],
    ids=lambda value: value[:60] if isinstance(value, str) else "",
)
def test_only_a_valid_traceparent_names_a_parent(
    section: str, requirement: str, headers: Headers, parent: tuple[str, str] | None
) -> None:
    """Sections 3.2 and 3.3: which headers name a parent; all others start a new trace."""
    assert parent_in(headers) == parent, f"{section}: {requirement}"
    if parent is None:
        assert "tracestate" not in sent_after(headers), f"{section}: {requirement}"


@pytest.mark.parametrize(
    ("section", "requirement", "headers", "kept"),
    [
        ("3.3", "MUST expect the name in any case", with_state("a=1", name="TraceState"), "a=1"),
        (
            "3.3.1",
            "MUST combine several fields in their order (RFC 9110, 5.3)",
            with_state("a=1,b=2", "c=3"),
            "a=1,b=2,c=3",
        ),
        (
            "3.3.1.1",
            "white space around members is optional",
            with_state("a=1 \t,\t b=2 "),
            "a=1,b=2",
        ),
        ("3.3.1.1", "empty members are allowed", with_state(",a=1,,b=2,"), "a=1,b=2"),
        ("3.3.1.1", "SHOULD avoid sending an empty tracestate", with_state("", ","), None),
        ("3.3.1.1", "a list has at most 32 members", with_state(members(32)), members(32)),
        ("3.3.1.1", "a list of 33 may be dropped", with_state(members(33)), None),
        (
            "3.3.1.3",
            "a key has up to 256 characters",
            with_state(f"{'k' * 256}=1"),
            f"{'k' * 256}=1",
        ),
        ("3.3.1.3", "and no more", with_state(f"{'k' * 257}=1"), None),
        ("3.3.1.3", "a key has _ - * /", with_state("a_-*/9=1"), "a_-*/9=1"),
        ("3.3.1.3", "level 1: tenant@system", with_state("9t@sys=1"), "9t@sys=1"),
        ("3.3.1.3", "level 2: a digit may come first", with_state("9a=1"), "9a=1"),
        ("3.3.1.3", "MUST begin with a lowercase letter or digit", with_state("_a=1"), None),
        ("3.3.1.3", "only lowercase letters", with_state("aB=1"), None),
        ("3.3.1.3", "one entry per key: the first", with_state("a=1,b=2,a=3"), "a=1,b=2"),
        ("3.3.1.3", "also across fields", with_state("a=1,b=2", "a=3,c=4"), "a=1,b=2,c=4"),
        ("3.3.1.4", "a value has printable ASCII", with_state('a= !"#~'), 'a= !"#~'),
        ("3.3.1.4", "except = ", with_state("a=1=2"), None),
        (
            "3.3.1.4",
            "a value has up to 256 characters",
            with_state("a=" + "v" * 256),
            "a=" + "v" * 256,
        ),
        ("3.3.1.4", "and no more", with_state("a=" + "v" * 257), None),
        ("3.3.1.4", "a value is not empty", with_state("a="), None),
        (
            "3.3.1.5",
            "SHOULD propagate at least 512 characters",
            with_state(f"a={'v' * 250},b={'w' * 250},c=xyzu"),
            f"a={'v' * 250},b={'w' * 250},c=xyzu",
        ),
        (
            "3.3.1.5",
            "MUST remove whole entries; SHOULD remove those over 128 characters first",
            with_state(f"a={'v' * 100},b={'w' * 200},c={'x' * 100},d={'y' * 150}"),
            f"a={'v' * 100},b={'w' * 200},c={'x' * 100}",
        ),
        (
            "3.3.1.5",
            "SHOULD then remove entries from the end",
            with_state(",".join(f"k{n}={'v' * 97}" for n in range(6))),
            ",".join(f"k{n}={'v' * 97}" for n in range(5)),
        ),
        (
            "3.5",
            "MUST preserve the order of unmodified entries",
            with_state("z=1,a=2,m=3"),
            "z=1,a=2,m=3",
        ),
        ("3.5", "SHOULD NOT delete what others wrote", with_state(members(32)), members(32)),
    ],
    ids=lambda value: value[:60] if isinstance(value, str) else "",
)
def test_the_forwarded_tracestate_follows_the_specification(
    section: str, requirement: str, headers: Headers, kept: str | None
) -> None:
    """Sections 3.3 and 3.5: the list that a function forwards; traceparent is always used."""
    assert parent_in(headers) == PARENT, f"{section}: {requirement}"
    assert sent_after(headers).get("tracestate") == kept, f"{section}: {requirement}"


@pytest.mark.parametrize(
    ("section", "requirement", "sent", "expected"),
    [
        ("3.2.2.5.1", "the sampled flag is passed on", "01", "01"),
        ("3.2.2.5.2", "level 2: the random flag MUST be passed on as it is", "03", "03"),
        ("3.2.2.5.3", "MUST set the other flags to zero", "ff", "03"),
        ("3.2.2.5.3", "MUST set the other flags to zero", "fd", "01"),
    ],
)
def test_only_the_defined_flags_are_sent(
    section: str, requirement: str, sent: str, expected: str
) -> None:
    """Section 3.2.2.5: the flags of an outgoing traceparent."""
    written = sent_after([("traceparent", f"00-{TRACE_ID}-{SPAN_ID}-{sent}")])["traceparent"]
    assert written[-2:] == expected, f"{section}: {requirement}"


def test_the_context_is_forwarded_with_changes_that_section_3_4_allows() -> None:
    """3.4: trace-id stays, parent-id is new; 3.2.4: as version 00; 3.2.1: names in lower case."""
    sent = sent_after([("Traceparent", f"cc-{TRACE_ID}-{SPAN_ID}-01-more"), ("Tracestate", "a=1")])
    version, trace_id, parent_id, flags = sent["traceparent"].split("-")
    assert (version, trace_id, flags) == ("00", TRACE_ID, "01")
    assert parent_id != SPAN_ID
    assert len(parent_id) == 16
    assert int(parent_id, 16)
    assert set(sent) == {"traceparent", "tracestate", carrier.COPY}


def test_a_restarted_trace_has_ids_of_its_own() -> None:
    """3.4: if the header is ignored, trace-id and parent-id are generated, not all zero."""
    _, trace_id, parent_id, _ = sent_after([("traceparent", "rubbish")])["traceparent"].split("-")
    assert trace_id != TRACE_ID
    assert int(trace_id, 16)
    assert int(parent_id, 16)


def test_a_trace_that_is_not_sampled_still_forwards_its_context() -> None:
    """3.4: a received traceparent MUST be sent on; unchanged, so MUST be its tracestate."""
    arrival = http_request.read({"traceparent": TRACEPARENT, "tracestate": "z=1,a=2"})
    token = context.attach(arrival.context)
    try:
        sent = http_request.write()
    finally:
        context.detach(token)
    assert (sent["traceparent"], sent["tracestate"]) == (TRACEPARENT, "z=1,a=2")


# Every carrier that a function reads, by how it holds the three entries.
@pytest.fixture(autouse=True)
def _emulated(monkeypatch: pytest.MonkeyPatch) -> None:
    """The SDK creates a Firestore client per document event; the emulator needs no credentials."""
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", "127.0.0.1:1")
    monkeypatch.setenv("GCLOUD_PROJECT", "demo-throughline")


APP = flask.Flask(__name__)
TIME = datetime.datetime(2026, 3, 1, tzinfo=datetime.UTC)


def work(_argument: object) -> str:
    """Do nothing."""
    return ""


def through_request(entries: dict[str, str]) -> None:
    """HTTP headers."""
    with APP.test_request_context("/", headers=entries):
        throughline.on_request(work)(flask.request)


def through_copy(entries: dict[str, str]) -> None:
    """The copy of traceparent, beside one that the platform rewrote."""
    through_request({**entries, "traceparent": "rubbish", carrier.COPY: entries["traceparent"]})


def through_callable(entries: dict[str, str]) -> None:
    """A callable's HTTP headers."""
    with APP.test_request_context("/", headers=entries):
        throughline.on_call(work)(SimpleNamespace(raw_request=flask.request, auth=None))


def through_document(entries: dict[str, str]) -> None:
    """A document's field."""
    on_created: Any = firestore_fn.on_document_created(document="orders/{id}")
    on_created(throughline.on_document(work))(
        document_event("created", {"_trace": text_map(**entries)})
    )


def through_message(entries: dict[str, str]) -> None:
    """A message's attributes."""
    on_published: Any = pubsub_fn.on_message_published(topic="t")
    on_published(throughline.on_message(work))(message_event(attributes=entries))


def through_google_attributes(entries: dict[str, str]) -> None:
    """Attributes that Google's publisher wrote."""
    through_message({f"googclient_{key}": value for key, value in entries.items()})


def through_task(entries: dict[str, str]) -> None:
    """A task's headers."""
    with APP.test_request_context("/", headers=entries):
        throughline.on_task(work)(None)


def event() -> Any:
    """Return a custom event as the SDK passes it."""
    return SimpleNamespace(id="1", source="s", type="t", specversion="1.0", time=TIME)


def through_binary_event(entries: dict[str, str]) -> None:
    """Headers of a CloudEvent in binary mode."""
    headers = {f"ce-{key}": value.replace("%", "%25") for key, value in entries.items()}
    with APP.test_request_context("/", headers=headers):
        throughline.on_event(work)(event())


def through_structured_event(entries: dict[str, str]) -> None:
    """The body of a CloudEvent in structured mode."""
    with APP.test_request_context("/", method="POST", json={"specversion": "1.0", **entries}):
        throughline.on_event(work)(event())


def through_webhook(entries: dict[str, str]) -> None:
    """A charge's metadata."""

    @throughline.on_webhook(lambda request: json.loads(request.get_data())["metadata"])
    def settle(_request: object) -> str:
        return ""

    with APP.test_request_context("/", method="POST", json={"metadata": entries}):
        settle(flask.request)


CARRIERS: list[Callable[[dict[str, str]], None]] = [
    through_request,
    through_copy,
    through_callable,
    through_document,
    through_message,
    through_google_attributes,
    through_task,
    through_binary_event,
    through_structured_event,
    through_webhook,
]


@pytest.mark.parametrize(
    ("more", "state", "reason"),
    [
        ({"tracestate": "foo=1,bar=2,foo=1"}, "foo=1,bar=2", "tracestate repeats a key"),
        ({"tracestate": "a=" + "x" * 4998}, "", "tracestate is longer than 512 characters"),
        (
            {"tracestate": "v=1", "baggage": "order=" + "x" * 8994},
            "v=1",
            "baggage is longer than 8192 characters",
        ),
        ({"tracestate": "v=1", "baggage": "order=a%20b"}, "v=1", None),
    ],
    ids=["repeated key", "5,000 characters of tracestate", "9,000 of baggage", "nothing wrong"],
)
@pytest.mark.parametrize("through", CARRIERS, ids=lambda through: through.__name__)
def test_a_valid_traceparent_survives_invalid_neighbours_in_every_carrier(
    spans: InMemorySpanExporter,
    through: Callable[[dict[str, str]], None],
    more: dict[str, str],
    state: str,
    reason: str | None,
) -> None:
    """Only the oversized or repeated part is dropped, and the span has the reason."""
    through({"traceparent": TRACEPARENT, **more})
    span = the_span(spans)
    attributes = attributes_of(span)
    assert kinship(span).parent == ids(TRACEPARENT)
    assert span.parent is not None
    assert span.parent.trace_state.to_header() == state
    assert attributes["throughline.context"] == "carried"
    assert attributes.get("throughline.context.reason") == reason


@pytest.mark.parametrize(
    ("header", "state"),
    [
        ("a=1%2Cb%3D2", "a=1,b=2"),
        ("a=1%20x", "a=1 x"),
        ('"a=1,b=2"', "a=1,b=2"),
        ('"a=\\"1\\""', 'a="1"'),
        ("a=%2541", "a=%41"),
        ("%61=1", "a=1"),
        ("a=%C0%A0", ""),
        ("a=1,b=%E2%82%AC", ""),
        ("a=100%", "a=100%"),
    ],
)
def test_ce_headers_are_percent_decoded_once(
    spans: InMemorySpanExporter, header: str, state: str
) -> None:
    """CloudEvents HTTP binding, 3.1.3.2: double quotes first, then one round; UTF-8 or nothing."""
    headers = {"ce-traceparent": TRACEPARENT.replace("-", "%2D"), "ce-tracestate": header}
    with APP.test_request_context("/", headers=headers):
        throughline.on_event(work)(event())
    span = the_span(spans)
    assert kinship(span).parent == ids(TRACEPARENT)
    assert span.parent is not None
    assert span.parent.trace_state.to_header() == state


def test_a_ce_traceparent_that_is_not_utf_8_is_invalid(spans: InMemorySpanExporter) -> None:
    """The binding: encoded byte sequences that are invalid in UTF-8 MUST be rejected."""
    with APP.test_request_context("/", headers={"ce-traceparent": TRACEPARENT + "%C0%A0"}):
        throughline.on_event(work)(event())
    assert the_span(spans).parent is None
    assert (
        attributes_of(the_span(spans))["throughline.context.reason"] == "traceparent is malformed"
    )
