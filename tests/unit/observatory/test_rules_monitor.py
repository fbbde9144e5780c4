"""The rules monitor: converting messages of the emulator to spans."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest
from google.protobuf import json_format
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from observatory.receive.spans import spans_of
from observatory.receive.wire import ExportTraceServiceRequest
from observatory.rules_monitor import carrier
from observatory.rules_monitor.__main__ import Monitor
from observatory.rules_monitor.decision import SAME_USER_SECONDS, Spans
from observatory.rules_monitor.evaluation import Unreadable, read
from observatory.rules_monitor.exporter import Exporter
from observatory.rules_monitor.merging import HOLD_SECONDS, Decision, Merging
from observatory.store.values import attributes_of
from tests.unit.observatory.rules_messages import (
    CREATE_LINE,
    PROJECT,
    READ_LINE,
    SEATS_LINE,
    SPAN_ID,
    TOKEN,
    TRACE_ID,
    TRACEPARENT,
    UID,
    UPDATE_LINE,
    allowed,
    denied,
    evaluation,
    first_try,
    message,
    order,
    typed,
)

HOSTILE = "<script>alert(1)</script>\r\nFAKE LOG LINE\x1b[31m" + "x" * 8192


def new_spans(**options: Any) -> Spans:
    return Spans("rules/firestore.rules", {"orders": "boxoffice.order.id"}, **options)


def span_of(raw: dict[str, Any], evaluations: int = 1) -> Span:
    span = new_spans().span_of(Decision(evaluation(raw), evaluations))
    assert span is not None
    return span


def attributes(span: Span) -> dict[str, Any]:
    """Return a span's attributes as the Observatory stores them."""
    request = ExportTraceServiceRequest()
    request.resource_spans.add().scope_spans.add().spans.append(span)
    rows = spans_of(request.SerializeToString()).rows
    (row,), (schema,) = rows.table.to_pylist(), rows.schemas
    return attributes_of(dict(zip(schema.keys, row["attribute_values"], strict=True)), schema.types)


def test_an_allowed_write_is_a_child_of_the_span_that_wrote() -> None:
    """The attempted document's context is the parent; the attributes name the allowing line."""
    span = span_of(allowed(), evaluations=2)
    assert span.name == "create orders allowed"
    assert (span.trace_id.hex(), span.parent_span_id.hex()) == (TRACE_ID, SPAN_ID)
    assert span.kind == Span.SPAN_KIND_INTERNAL
    assert span.status.code == 0
    assert span.start_time_unix_nano == span.end_time_unix_nano == 1795421103756743000
    assert attributes(span) == {
        "throughline.hop": "rules",
        "throughline.carrier": "document-field",
        "throughline.context": "carried",
        "db.system.name": "gcp.firestore",
        "db.namespace": "(default)",
        "db.collection.name": "orders",
        "db.operation.name": "create",
        "throughline.rules.path": "orders/whpLyvtl6eZ9a2jiJ9aA",
        "throughline.rules.outcome": "allow",
        "throughline.rules.evaluations": 2,
        "throughline.rules.decided_by": "statement",
        "throughline.rules.lines": [CREATE_LINE],
        "throughline.rules.source": "allow create: if signedIn()",
        "throughline.rules.excerpt": attributes(span)["throughline.rules.excerpt"],
        "code.file.path": "rules/firestore.rules",
        "code.line.number": CREATE_LINE,
        "enduser.pseudo.id": hashlib.sha256((PROJECT + UID).encode()).hexdigest()[:16],
        "boxoffice.order.id": "whpLyvtl6eZ9a2jiJ9aA",
    }


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        (f"roles/{UID}", "roles/{uid}"),
        ("roles/SomebodyElse", "roles/{id}"),
        ("roles/*", "roles/*"),
        (f"users/{UID}/cards/c1", "users/{uid}/cards/c1"),
        ("shows/night-ferry", "shows/night-ferry"),
    ],
)
def test_an_id_that_names_a_person_is_masked(path: str, shown: str) -> None:
    """The user's own id is masked everywhere, other ids in the collections of the option."""
    raw = with_token()
    raw["rulesContext"]["path"] = f"/databases/(default)/documents/{path}"
    spans = Spans("rules/firestore.rules", {"roles": "app.role"}, masked=["roles"])
    span = spans.span_of(Decision(evaluation(raw), 1))
    assert span is not None
    assert attributes(span)["throughline.rules.path"] == shown
    last = shown.rpartition("/")[2]
    is_role = path.startswith("roles/") and last != "*"
    assert attributes(span).get("app.role") == (last if is_role else None)
    assert UID.encode() not in span.SerializeToString()
    assert b"SomebodyElse" not in span.SerializeToString()


def with_token(**token: Any) -> dict[str, Any]:
    """Return a message about a user with this ID token."""
    raw = denied()
    request = raw["rulesContext"]["request"]["mapValue"]["fields"]
    request["auth"] = typed({"uid": UID, "token": {"sub": UID, **token}})
    return raw


def test_a_decision_records_the_age_of_the_token() -> None:
    """A token issued before a claim was granted lacks that claim."""
    span_attributes = attributes(span_of(with_token(iat=1795421000)))
    assert span_attributes["throughline.token.issued_at"] == 1795421000
    assert span_attributes["throughline.token.age_seconds"] == 103


@pytest.mark.parametrize("iat", ["yesterday", None, True, 2**70, -1])
def test_a_token_without_a_valid_issue_time_has_no_age(iat: Any) -> None:
    """The decision still becomes a span."""
    span_attributes = attributes(span_of(with_token(iat=iat)))
    assert not [name for name in span_attributes if "token" in name]


def test_a_denied_write_names_the_deciding_line() -> None:
    """The error names file and line; an excerpt shows the surrounding lines."""
    span = span_of(denied(seats=9))
    assert span.name == "create orders denied"
    assert span.status.code == 2
    assert span.status.message == "denied by firestore.rules line 11: `&& order.seats <= 8;`"
    span_attributes = attributes(span)
    assert span_attributes["code.line.number"] == SEATS_LINE
    assert span_attributes["throughline.rules.decided_by"] == "expression"
    assert span_attributes["throughline.rules.excerpt"].splitlines() == [
        "   8    return order.keys().hasAll(['uid', 'seats'])",
        "   9      && order.seats is int",
        "  10      && order.seats >= 1",
        "> 11      && order.seats <= 8;",
        "  12  }",
        "  13  match /shows/{show} {",
        "  14    allow read: if true;",
    ]


def test_an_access_that_no_allow_covers_is_reported_as_such() -> None:
    """No statement was evaluated, so no line is reported."""
    span = span_of(message("deny", "delete", attempted=None, allows=[]))
    assert span.status.message == "denied by firestore.rules: no `allow` covers delete in orders"
    assert "code.line.number" not in attributes(span)


def test_a_condition_that_fails_denies_the_access() -> None:
    """The message distinguishes a failed condition from a false one."""
    query = message("error", "list", "orders/*", stored={}, allows=[(READ_LINE, False)])
    span = span_of(query)
    assert span.name == "list orders denied"
    assert span.status.message == (
        "denied by firestore.rules line 17: `allow read: if signedIn() && resource.data.uid == "
        "request.auth.uid;`, which could not be evaluated"
    )
    assert attributes(span)["throughline.rules.outcome"] == "error"
    assert "boxoffice.order.id" not in attributes(span)


def test_no_document_data_reaches_the_span() -> None:
    """Neither document data nor the user id occurs anywhere in the span."""
    secrets = {"note": "a@example.org", "card_token": TOKEN, "show_id": "a-secret-show"}
    raw = message(
        "deny", "update", attempted=order(**secrets), stored=order(note="old secret"), allows=[]
    )
    everything = json_format.MessageToJson(span_of(raw)) + json.dumps(attributes(span_of(raw)))
    for secret in (*secrets.values(), "old secret", UID, "night-ferry"):
        assert secret not in everything


@pytest.mark.parametrize(
    ("trace", "context", "reason"),
    [
        (..., "absent", None),
        (None, "absent", None),
        ({}, "absent", None),
        ("00-abc", "invalid", "carrier is a string, not a map"),
        ([TRACEPARENT], "invalid", "carrier is a list, not a map"),
        ({"traceparent": 7}, "invalid", "traceparent is a int, not a string"),
        ({"traceparent": True}, "invalid", "traceparent is a bool, not a string"),
        (
            {"traceparent": {"bytesValue": "AAAA"}},
            "invalid",
            "traceparent is a value of another type, not a string",
        ),
        ({"traceparent": ""}, "invalid", "traceparent is malformed"),
        ({"traceparent": HOSTILE}, "invalid", "traceparent is malformed"),
        ({"traceparent": TRACEPARENT.upper()}, "invalid", "traceparent is malformed"),
        ({"traceparent": TRACEPARENT + "\n"}, "invalid", "traceparent is malformed"),
        (
            {"traceparent": TRACEPARENT + "-more"},
            "invalid",
            "traceparent of version 00 is too long",
        ),
        (
            {"traceparent": "ff" + TRACEPARENT[2:]},
            "invalid",
            "traceparent has the forbidden version ff",
        ),
        (
            {"traceparent": f"00-{'0' * 32}-{SPAN_ID}-01"},
            "invalid",
            "traceparent has a trace id of zeros",
        ),
        (
            {"traceparent": f"00-{TRACE_ID}-{'0' * 16}-01"},
            "invalid",
            "traceparent has a span id of zeros",
        ),
        (
            {"traceparent": TRACEPARENT, "tracestate": "x" * 513},
            "carried",
            "tracestate is longer than 512 characters",
        ),
        (
            {"traceparent": TRACEPARENT, "baggage": HOSTILE},
            "carried",
            "baggage is longer than 8192 characters",
        ),
        ({"traceparent": TRACEPARENT, "baggage": "order.id=1"}, "carried", None),
        ({"traceparent": f"cc-{TRACE_ID}-{SPAN_ID}-01-what-comes-later"}, "carried", None),
    ],
    ids=lambda value: str(value)[:60],
)
def test_an_invalid_carrier_makes_a_declared_root(
    trace: Any, context: str, reason: str | None
) -> None:
    """An unusable carrier makes a declared root, and the reason quotes nothing from it."""
    span = span_of(denied(_trace=trace))
    span_attributes = attributes(span)
    assert span_attributes["throughline.context"] == context
    assert span_attributes.get("throughline.context.reason") == reason
    assert (span_attributes.get("throughline.root") == "rules") == (context != "carried")
    assert bool(span.parent_span_id) == (context == "carried")


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists))
def test_any_carrier_is_read_without_an_error(value: Any) -> None:
    """Any JSON value may be in `_trace`."""
    assert carrier.read(value).state in {"absent", "invalid"}
    assert carrier.read({"traceparent": value}).state in {"absent", "invalid"}


def test_an_update_that_keeps_the_trace_field_carries_no_context() -> None:
    """Its document still has the `_trace` of the previous write, which becomes a link, not the
    parent.
    """
    raw = message(
        "allow",
        "update",
        attempted=order(seats=3),
        stored=order(),
        allows=[(UPDATE_LINE, True)],
    )
    span = span_of(raw)
    assert not span.parent_span_id
    assert attributes(span)["throughline.context.reason"] == (
        "_trace is unchanged since the previous write"
    )
    (link,) = span.links
    assert (link.trace_id.hex(), link.span_id.hex()) == (TRACE_ID, SPAN_ID)


def test_accesses_without_a_context_are_linked_by_path_else_by_user_and_time() -> None:
    """A later denial at the same path, or of the same user soon after, links to the write."""
    spans = new_spans()

    def links(raw: dict[str, Any]) -> list[str]:
        span = spans.span_of(Decision(evaluation(raw), 1))
        assert span is not None
        return [link.attributes[0].value.string_value for link in span.links]

    read_of: dict[str, Any] = {"attempted": None, "allows": [(READ_LINE, False)]}
    assert links(message("deny", "get", "orders/other", **read_of)) == []
    assert links(allowed()) == []
    assert links(message("deny", "get", **read_of, uid=None)) == ["path"]
    assert links(message("deny", "get", "orders/other", **read_of)) == ["uid and time"]
    assert links(message("deny", "get", "orders/other", **read_of, uid="another user")) == []
    late = f"2026-11-23T08:05:{4 + SAME_USER_SECONDS}.756743Z"
    assert links(message("deny", "get", "orders/other", **read_of, time=late)) == []


def test_span_ids_derive_from_the_emulators_request_id() -> None:
    """Another monitor creates the same span for the same evaluation."""
    for raw in (denied(seats=9), message("deny", "delete", attempted=None, allows=[])):
        assert span_of(raw) == span_of(raw)
        other = span_of(raw | {"requestId": "another"})
        assert other.span_id != span_of(raw).span_id


def test_allowed_reads_become_spans_only_on_request() -> None:
    """Listeners make many reads; denied reads and all writes are always recorded."""
    listen = message("allow", "list", "shows/*", allows=[(14, True)])
    assert new_spans().span_of(Decision(evaluation(listen), 1)) is None
    span = new_spans(allowed_reads=True).span_of(Decision(evaluation(listen), 1))
    assert span is not None
    assert span.name == "list shows allowed"


def decisions_of(*messages: dict[str, Any]) -> list[tuple[str, str, int]]:
    """Return the method, outcome and evaluation count of each decision made from these messages."""
    merging = Merging()
    decisions = [merging.take(evaluation(raw), 0) for raw in messages]
    assert merging.due(HOLD_SECONDS - 0.1) == []
    return [
        (decision.evaluation.method, decision.evaluation.outcome, decision.evaluations)
        for decision in (*decisions, *merging.due(HOLD_SECONDS))
        if decision is not None
    ]


def test_evaluations_of_one_access_are_one_decision() -> None:
    """The first fails because the document is not looked up yet; the second decides."""
    assert decisions_of(first_try(), allowed()) == [("create", "allow", 2)]


def test_a_write_that_may_create_or_update_is_one_decision() -> None:
    """The emulator evaluates the SDK's `setDoc` as both, and then again as the actual one."""
    as_update = message("deny", "update", allows=[(CREATE_LINE, False)])
    assert decisions_of(first_try(), as_update, allowed()) == [("create", "allow", 3)]
    for outcome in ("allow", "deny"):
        both = [message(outcome, method, allows=[]) for method in ("create", "update")]
        assert decisions_of(*both) == [("set", outcome, 2)]


def test_a_write_whose_rules_read_no_document_is_decided_by_one_evaluation() -> None:
    """No other evaluation follows, which is known only after a delay."""
    assert decisions_of(message("deny", "update", allows=[])) == [("update", "deny", 1)]
    assert decisions_of(message("deny", "delete", allows=[])) == [("delete", "deny", 1)]


def test_an_error_without_a_further_evaluation_is_the_decision() -> None:
    """An error after the document was looked up is final."""
    read: dict[str, Any] = {"allows": [(READ_LINE, False)]}
    assert decisions_of(message("error", "list", "orders/*", looked_up=True, **read)) == [
        ("list", "error", 1)
    ]
    gone = message("error", "get", looked_up=True, **read)
    assert decisions_of(message("error", "get", **read), gone) == [("get", "error", 2)]


def test_an_access_that_the_emulator_never_decided_makes_no_decision() -> None:
    """The emulator stops at the first denied write of a batch, without deciding the others."""
    other = first_try(path="orders/other")
    as_update = message("deny", "update", "orders/other", allows=[(CREATE_LINE, False)])
    assert decisions_of(other, as_update, denied(seats=9)) == [("create", "deny", 1)]


def test_accesses_of_one_request_are_distinguished_by_path_and_user() -> None:
    """A batch writes several documents at the same time."""
    others = [first_try(path="orders/a"), first_try(uid="another user")]
    assert decisions_of(*others, allowed()) == [("create", "allow", 1)]


def test_repeated_messages_are_ignored() -> None:
    """The emulator repeats the last 50 evaluations on each connection."""
    merging = Merging()
    raw = denied()
    assert merging.take(evaluation(raw), 0) is not None
    assert merging.take(evaluation(raw), 1) is None


def test_control_characters_are_replaced() -> None:
    """Ids, methods and collections become printable, single-line and limited in length."""
    raw = message("deny", f"create{HOSTILE}", f"{HOSTILE}/{HOSTILE}".replace("/s", "s"), allows=[])
    span = span_of(raw)
    text = [span.name, span.status.message, *map(str, attributes(span).values())]
    assert all(part.isprintable() and len(part) <= 600 for part in text)


@pytest.mark.parametrize(
    "raw",
    [
        None,
        7,
        "text",
        [],
        {},
        denied() | {"rulesContext": []},
        denied() | {"outcome": "maybe"},
        denied() | {"outcome": ["deny"]},
        denied() | {"requestId": None},
        denied() | {"time": "yesterday"},
        denied() | {"time": "2026-99-23T08:05:03Z"},
        denied() | {"rulesContext": {"path": "elsewhere", "method": "get"}},
    ],
    ids=lambda raw: str(raw)[:40],
)
def test_an_unreadable_message_is_counted_and_the_next_one_is_processed(raw: Any) -> None:
    with pytest.raises(Unreadable):
        read(raw)
    exporter = Exporter("http://127.0.0.1:1")
    monitor = Monitor(new_spans(), exporter)
    monitor.process(raw)
    monitor.process(denied(seats=9))
    assert monitor.unread == 1
    assert exporter.pending == 1


@pytest.mark.parametrize(
    "change",
    [
        {"granularAllowOutcomes": None},
        {"granularAllowOutcomes": [None, {}, {"line": "7"}, {"line": 10**9}, {"line": -3}]},
        {"rules": None},
        {"rules": ""},
        {"rules": "no rules at all"},
        {"rules": "(" * 100_000},
        {"rulesReleaseKey": 7},
    ],
    ids=lambda change: str(change)[:60],
)
def test_an_invalid_field_of_a_message_does_not_lose_the_decision(change: dict[str, Any]) -> None:
    """The decision still becomes a span in its trace."""
    span = span_of(denied(seats=9) | change)
    assert span.trace_id.hex() == TRACE_ID
    assert span.status.message.startswith("denied by firestore.rules")


def test_lone_surrogates_do_not_stop_the_monitor() -> None:
    """JSON can represent text that is not valid Unicode, which a span cannot."""
    exporter = Exporter("http://127.0.0.1:1")
    monitor = Monitor(new_spans(), exporter)
    monitor.process(message("deny", path="orders/\ud800", allows=[], looked_up=True))
    monitor.process(denied(uid="\ud800"))
    assert monitor.unread + exporter.pending == 2
