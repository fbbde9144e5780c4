"""Which conditions are on: read from the emulator, kept for a second, and recorded on spans."""

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
from stack.scenario_runner.flags import COLLECTION, OBEYED_SECONDS
from tests.unit.local_server import Asked, free_port, serving

ON = {"on": {"booleanValue": True}}


class Documents:
    """Stands in for the emulator, whose answers have to fail on demand and be counted."""

    def __init__(self) -> None:
        self.found: dict[str, dict[str, Any]] = {}
        self.reads = 0
        self.broken = False

    def collection(self, name: str) -> dict[str, dict[str, Any]]:
        assert name == flags.COLLECTION == COLLECTION
        self.reads += 1
        if self.broken:
            raise FirestoreError("503 b''")
        return dict(self.found)


@pytest.mark.parametrize(
    ("fields", "is_on"),
    [
        (ON, True),
        ({"on": {"booleanValue": False}}, False),
        ({}, False),
        ({"on": {"stringValue": "yes"}}, False),
    ],
)
def test_a_document_turns_its_condition_on(fields: dict[str, Any], is_on: bool) -> None:
    """With `on: true`, and nothing else will do."""
    documents = Documents()
    documents.found["firestore-is-far"] = fields
    found = flags.Flags(documents)
    assert found.is_on(FIRESTORE_IS_FAR) is is_on
    assert found.is_on(PUBSUB_REFUSES_ONCE) is False


def test_flags_are_read_once_a_second_for_all_conditions() -> None:
    """A second later the next one that asks reads again."""
    now, documents = [0.0], Documents()
    found = flags.Flags(documents, lambda: now[0])
    assert [found.is_on(condition) for condition in CONDITIONS] == [False] * len(CONDITIONS)
    now[0] = flags.CACHE_SECONDS - 0.01
    found.is_on(FIRESTORE_IS_FAR)
    assert documents.reads == 1
    documents.found[FIRESTORE_IS_FAR.name] = ON
    now[0] = flags.CACHE_SECONDS
    assert found.is_on(FIRESTORE_IS_FAR)
    assert documents.reads == 2


def test_flags_whose_reading_took_too_long_are_read_again() -> None:
    """On a busy machine, what a slow read found may be older than any scenario waits for."""
    now = [0.0]

    class Slow(Documents):
        def collection(self, name: str) -> dict[str, dict[str, Any]]:
            if self.reads == 0:
                now[0] += flags.CACHE_SECONDS
            else:
                self.found[FIRESTORE_IS_FAR.name] = ON
            return super().collection(name)

    documents = Slow()
    assert flags.Flags(documents, lambda: now[0]).is_on(FIRESTORE_IS_FAR)
    assert documents.reads == 2


def test_flags_that_can_not_be_read_are_off_and_logged_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """No request fails for a flag, and none waits for it more than once a second."""
    now, documents = [0.0], Documents()
    documents.found[FIRESTORE_IS_FAR.name] = ON
    found = flags.Flags(documents, lambda: now[0])
    assert found.is_on(FIRESTORE_IS_FAR)
    documents.broken = True
    with caplog.at_level(logging.WARNING):
        for now[0] in (1.0, 1.5, 2.0, 3.0):
            assert not found.is_on(FIRESTORE_IS_FAR)
    assert documents.reads == 4
    assert [record.message for record in caplog.records] == [
        "The platform conditions' flags can't be read: all are off: 503 b''"
    ]
    documents.broken = False
    now[0] = 4.0
    assert found.is_on(FIRESTORE_IS_FAR)


def test_a_scenario_waits_longer_than_a_flag_is_kept() -> None:
    """Or a worker could still go by what it read before."""
    assert flags.CACHE_SECONDS < OBEYED_SECONDS


def test_a_condition_that_is_met_is_an_event_on_the_span(spans: InMemorySpanExporter) -> None:
    """In the words of the semantic conventions for feature flags; one that is off says nothing."""
    documents = Documents()
    documents.found[FIRESTORE_IS_FAR.name] = ON
    found = flags.Flags(documents)
    with trace.get_tracer("test").start_as_current_span("issue"):
        assert found.is_met(FIRESTORE_IS_FAR)
        assert not found.is_met(PUBSUB_REFUSES_ONCE)
    (event,) = spans.get_finished_spans()[0].events
    assert event.name == "feature_flag.evaluation"
    assert dict(event.attributes or {}) == {
        "feature_flag.key": "firestore-is-far",
        "feature_flag.provider.name": "firestore",
        "feature_flag.result.variant": "on",
        "feature_flag.result.reason": "static",
    }


def emulator(url: str) -> FirestoreEmulator:
    """The client of a stand-in at that address."""
    return FirestoreEmulator(url.removeprefix("http://"), "demo-throughline")


def test_the_emulators_documents_are_read_as_its_administrator() -> None:
    """The rules let no page near the flags."""
    name = "projects/demo-throughline/databases/(default)/documents/flags/firestore-is-far"
    body = json.dumps({"documents": [{"name": name, "fields": ON}]}).encode()
    with serving(lambda _: (200, body, {})) as server:
        assert emulator(server.url).collection("flags") == {"firestore-is-far": ON}
    (asked,) = server.asked
    assert asked.headers["authorization"] == "Bearer owner"
    path = "/v1/projects/demo-throughline/databases/(default)/documents/flags"
    assert asked.path == f"{path}?pageSize=300"


def test_what_is_not_there_is_empty() -> None:
    """A collection without documents, a document, and one that is to be added to."""
    with serving(lambda _: (200, b"{}", {})) as server:
        assert emulator(server.url).collection("flags") == {}
    with serving(lambda _: 404) as server:
        assert emulator(server.url).document("flags/firestore-is-far") == {}
        assert not emulator(server.url).add_to_array("flags/firestore-is-far", "under_way", "a")


def broken(asked: Asked) -> tuple[int, bytes, dict[str, str]]:
    """An answer that is not JSON."""
    return 200, b"<html>", {}


def test_an_emulator_that_fails_is_an_error_that_says_how() -> None:
    """Refused, unreadable or not there at all."""
    with serving(lambda _: 503) as server, pytest.raises(FirestoreError, match="503"):
        emulator(server.url).collection("flags")
    with serving(broken) as server, pytest.raises(FirestoreError, match="JSONDecodeError"):
        emulator(server.url).collection("flags")
    with pytest.raises(FirestoreError, match="ConnectionRefusedError"):
        emulator(f"http://127.0.0.1:{free_port()}").collection("flags")
