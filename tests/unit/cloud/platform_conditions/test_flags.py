"""Tests of the conditions' flags: read from the emulator, cached, and recorded on spans."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from cloud.platform_conditions import flags
from cloud.platform_conditions.catalogue import CONDITIONS, FIRESTORE_IS_FAR, PUBSUB_REFUSES_ONCE
from cloud.platform_conditions.firestore_emulator import FirestoreEmulator, FirestoreError
from stack.scenario_runner.flags import COLLECTION, EFFECTIVE_SECONDS
from tests.unit.local_server import ReceivedRequest, free_port, serving

ON = {"on": {"booleanValue": True}}


class Documents:
    """A fake of the emulator that counts reads and fails on demand."""

    def __init__(self) -> None:
        self.fields: dict[str, dict[str, Any]] = {}
        self.reads = 0
        self.broken = False

    def collection(self, name: str) -> dict[str, dict[str, Any]]:
        assert name == flags.COLLECTION == COLLECTION
        self.reads += 1
        if self.broken:
            raise FirestoreError("503 b''")
        return dict(self.fields)


@pytest.mark.parametrize(
    ("fields", "is_on"),
    [
        (ON, True),
        ({"on": {"booleanValue": False}}, False),
        ({}, False),
        ({"on": {"stringValue": "yes"}}, False),
    ],
)
def test_only_on_true_turns_a_condition_on(fields: dict[str, Any], is_on: bool) -> None:
    documents = Documents()
    documents.fields["firestore-is-far"] = fields
    conditions = flags.Flags(documents)
    assert conditions.is_on(FIRESTORE_IS_FAR) is is_on
    assert conditions.is_on(PUBSUB_REFUSES_ONCE) is False


def test_flags_are_read_once_a_second_for_all_conditions() -> None:
    now, documents = [0.0], Documents()
    cached = flags.Flags(documents, lambda: now[0])
    assert [cached.is_on(condition) for condition in CONDITIONS] == [False] * len(CONDITIONS)
    now[0] = flags.CACHE_SECONDS - 0.01
    cached.is_on(FIRESTORE_IS_FAR)
    assert documents.reads == 1
    documents.fields[FIRESTORE_IS_FAR.name] = ON
    now[0] = flags.CACHE_SECONDS
    assert cached.is_on(FIRESTORE_IS_FAR)
    assert documents.reads == 2


def test_flags_are_read_again_if_the_read_took_longer_than_the_cache_lasts() -> None:
    """The result of a slow read may be older than a scenario allows for."""
    now = [0.0]

    class Slow(Documents):
        def collection(self, name: str) -> dict[str, dict[str, Any]]:
            if self.reads == 0:
                now[0] += flags.CACHE_SECONDS
            else:
                self.fields[FIRESTORE_IS_FAR.name] = ON
            return super().collection(name)

    documents = Slow()
    assert flags.Flags(documents, lambda: now[0]).is_on(FIRESTORE_IS_FAR)
    assert documents.reads == 2


def test_flags_that_can_not_be_read_are_off_and_logged_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """No request fails because of a flag, and flags are read at most once a second."""
    now, documents = [0.0], Documents()
    documents.fields[FIRESTORE_IS_FAR.name] = ON
    cached = flags.Flags(documents, lambda: now[0])
    assert cached.is_on(FIRESTORE_IS_FAR)
    documents.broken = True
    with caplog.at_level(logging.WARNING):
        for now[0] in (1.0, 1.5, 2.0, 3.0):
            assert not cached.is_on(FIRESTORE_IS_FAR)
    assert documents.reads == 4
    assert [record.message for record in caplog.records] == [
        "Platform conditions are off, because their flags can't be read: 503 b''"
    ]
    documents.broken = False
    now[0] = 4.0
    assert cached.is_on(FIRESTORE_IS_FAR)


def test_a_scenario_waits_longer_than_a_flag_is_cached() -> None:
    """Otherwise a worker could still use the previous value."""
    assert flags.CACHE_SECONDS < EFFECTIVE_SECONDS


def test_a_condition_that_is_on_is_recorded_as_a_span_event(spans: InMemorySpanExporter) -> None:
    """The event follows the semantic conventions for feature flags."""
    documents = Documents()
    documents.fields[FIRESTORE_IS_FAR.name] = ON
    conditions = flags.Flags(documents)
    with trace.get_tracer("test").start_as_current_span("issue"):
        assert conditions.is_met(FIRESTORE_IS_FAR)
        assert not conditions.is_met(PUBSUB_REFUSES_ONCE)
    (event,) = spans.get_finished_spans()[0].events
    assert event.name == "feature_flag.evaluation"
    assert dict(event.attributes or {}) == {
        "feature_flag.key": "firestore-is-far",
        "feature_flag.provider.name": "firestore",
        "feature_flag.result.variant": "on",
        "feature_flag.result.reason": "static",
    }


def emulator(url: str) -> FirestoreEmulator:
    """Return a client of the fake emulator at `url`."""
    return FirestoreEmulator(url.removeprefix("http://"), "demo-throughline")


def test_documents_are_read_with_administrator_rights() -> None:
    """The security rules don't allow anyone else to read the flags."""
    name = "projects/demo-throughline/databases/(default)/documents/flags/firestore-is-far"
    body = json.dumps({"documents": [{"name": name, "fields": ON}]}).encode()
    with serving(lambda _: (200, body, {})) as server:
        assert emulator(server.url).collection("flags") == {"firestore-is-far": ON}
    (request,) = server.requests
    assert request.headers["authorization"] == "Bearer owner"
    path = "/v1/projects/demo-throughline/databases/(default)/documents/flags"
    assert request.path == f"{path}?pageSize=300"


def test_missing_collections_and_documents_are_empty() -> None:
    with serving(lambda _: (200, b"{}", {})) as server:
        assert emulator(server.url).collection("flags") == {}
    with serving(lambda _: 404) as server:
        assert emulator(server.url).document("flags/firestore-is-far") == {}
        assert not emulator(server.url).add_to_array("flags/firestore-is-far", "under_way", "a")


def broken(request: ReceivedRequest) -> tuple[int, bytes, dict[str, str]]:
    """Respond with something that is not JSON."""
    return 200, b"<html>", {}


def test_a_failing_emulator_raises_an_error_with_the_cause() -> None:
    """An error status, an invalid body, and no server at all."""
    with serving(lambda _: 503) as server, pytest.raises(FirestoreError, match="503"):
        emulator(server.url).collection("flags")
    with serving(broken) as server, pytest.raises(FirestoreError, match="JSONDecodeError"):
        emulator(server.url).collection("flags")
    with pytest.raises(FirestoreError, match="ConnectionRefusedError"):
        emulator(f"http://127.0.0.1:{free_port()}").collection("flags")
