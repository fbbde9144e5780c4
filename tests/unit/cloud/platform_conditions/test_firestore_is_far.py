"""Tests of firestore-is-far: which transactions wait for each other before they commit."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from google.api_core.exceptions import ServiceUnavailable
from google.cloud.firestore import Client
from opentelemetry import trace
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from cloud.platform_conditions import firestore_is_far
from cloud.platform_conditions.catalogue import FIRESTORE_IS_FAR
from cloud.platform_conditions.firestore_is_far import (
    FIELD,
    FLAG,
    SPAN,
    is_complete,
    wait_for_others,
)
from cloud.platform_conditions.flags import Flags
from tests.unit.cloud.platform_conditions.conftest import FakeFlags
from tests.unit.local_server import free_port


class Document:
    """A fake of the flag's document."""

    def __init__(self) -> None:
        self.is_there = True
        self.waiting: list[str] = []

    def add_to_array(self, path: str, field: str, value: str) -> bool:
        assert (path, field) == (FLAG, FIELD)
        if self.is_there and value not in self.waiting:
            self.waiting.append(value)
        return self.is_there

    def document(self, path: str) -> dict[str, Any]:
        assert path == FLAG
        values = [{"stringValue": value} for value in self.waiting]
        return {FIELD: {"arrayValue": {"values": values}}}


@pytest.fixture
def document() -> Any:
    """The flag's document."""
    return Document()


@pytest.mark.parametrize(
    ("waiting", "released"),
    [
        ("a", ""),
        ("ab", ""),
        ("abc", "abc"),
        ("abcd", "abc"),
        ("abcdef", "abcdef"),
    ],
)
def test_transactions_are_released_in_groups_of_three(waiting: str, released: str) -> None:
    complete = [trace_id for trace_id in waiting if is_complete(list(waiting), trace_id)]
    assert complete == list(released)


def test_no_transaction_waits_once_the_flag_was_set_again() -> None:
    """Setting the flag clears the list of waiting traces."""
    assert is_complete([], "a")


def test_a_transaction_waits_for_two_others(document: Any, spans: InMemorySpanExporter) -> None:
    """A span in its trace records the wait."""
    threads = [threading.Thread(target=wait_for_others, args=(document,)) for _ in range(3)]
    for number, thread in enumerate(threads):
        assert not spans.get_finished_spans(), f"a transaction ended with {number} waiting"
        thread.start()
    for thread in threads:
        thread.join(20)
    assert [span.name for span in spans.get_finished_spans()] == [SPAN] * 3
    assert len(document.waiting) == 3


def test_a_transaction_that_is_retried_does_not_wait_again(
    document: Any, spans: InMemorySpanExporter
) -> None:
    """Its trace is listed already."""
    with trace.get_tracer("test").start_as_current_span("issue") as span:
        own = trace.format_trace_id(span.get_span_context().trace_id)
        document.waiting = ["a", own, "b"]
        wait_for_others(document)
    assert document.waiting == ["a", own, "b"]
    assert len(spans.get_finished_spans()) == 2


def test_deleting_the_flag_releases_the_transactions(
    document: Any, spans: InMemorySpanExporter
) -> None:
    document.is_there = False
    wait_for_others(document)
    assert document.waiting == []


@pytest.mark.parametrize(("on", "waiting"), [({FIRESTORE_IS_FAR.name}, 1), (set(), 0)])
def test_only_the_commit_of_a_transaction_waits(
    flags: Flags,
    fake_flags: FakeFlags,
    document: Any,
    monkeypatch: pytest.MonkeyPatch,
    spans: InMemorySpanExporter,
    channels_restored: None,
    on: set[str],
    waiting: int,
) -> None:
    """Uses Firestore's own client, with an address where no server listens."""
    fake_flags.on = on
    monkeypatch.setattr(firestore_is_far, "WAIT_SECONDS_MAX", 0)
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", f"127.0.0.1:{free_port()}")
    firestore_is_far.inject(flags, document)
    client = Client(project="demo-throughline")
    tally = client.collection("tally").document("all")
    with pytest.raises(ServiceUnavailable):
        tally.set({"orders": 1}, retry=None, timeout=5)
    assert document.waiting == []
    commit = {"database": client._database_string, "writes": [], "transaction": b"1"}
    with pytest.raises(ServiceUnavailable):
        client._firestore_api.commit(request=commit, retry=None, timeout=5)
    assert len(document.waiting) == waiting
