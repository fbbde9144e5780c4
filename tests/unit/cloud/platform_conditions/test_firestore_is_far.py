"""firestore-is-far: which transactions wait for each other before they commit."""

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
from cloud.platform_conditions.firestore_is_far import FIELD, FLAG, SPAN, have_met, wait_for_others
from cloud.platform_conditions.flags import Flags
from tests.unit.cloud.platform_conditions.conftest import Switches
from tests.unit.local_server import free_port


class Document:
    """Stands in for the flag's document."""

    def __init__(self) -> None:
        self.is_there = True
        self.under_way: list[str] = []

    def add_to_array(self, path: str, field: str, value: str) -> bool:
        assert (path, field) == (FLAG, FIELD)
        if self.is_there and value not in self.under_way:
            self.under_way.append(value)
        return self.is_there

    def document(self, path: str) -> dict[str, Any]:
        assert path == FLAG
        values = [{"stringValue": value} for value in self.under_way]
        return {FIELD: {"arrayValue": {"values": values}}}


@pytest.fixture
def document() -> Any:
    """The flag's document."""
    return Document()


@pytest.mark.parametrize(
    ("under_way", "who_go_on"),
    [
        ("a", ""),
        ("ab", ""),
        ("abc", "abc"),
        ("abcd", "abc"),
        ("abcdef", "abcdef"),
    ],
)
def test_transactions_meet_three_at_a_time(under_way: str, who_go_on: str) -> None:
    """Each waits for those that came with it, and goes on however many come after."""
    met = [one for one in under_way if have_met(list(under_way), one)]
    assert met == list(who_go_on)


def test_none_waits_once_the_flag_was_set_again() -> None:
    """A flag that was set again knows nothing of those that came before."""
    assert have_met([], "a")


def test_the_first_waits_for_two_others(document: Any, spans: InMemorySpanExporter) -> None:
    """And says so with a span, inside the trace that it is in."""
    threads = [threading.Thread(target=wait_for_others, args=(document,)) for _ in range(3)]
    for number, thread in enumerate(threads):
        assert not spans.get_finished_spans(), f"one did not wait for {number} others"
        thread.start()
    for thread in threads:
        thread.join(20)
    assert [span.name for span in spans.get_finished_spans()] == [SPAN] * 3
    assert len(document.under_way) == 3


def test_a_transaction_that_begins_again_does_not_wait_again(
    document: Any, spans: InMemorySpanExporter
) -> None:
    """It is in the trace that came before."""
    with trace.get_tracer("test").start_as_current_span("issue") as span:
        own = trace.format_trace_id(span.get_span_context().trace_id)
        document.under_way = ["a", own, "b"]
        wait_for_others(document)
    assert document.under_way == ["a", own, "b"]
    assert len(spans.get_finished_spans()) == 2


def test_a_flag_that_was_turned_off_meanwhile_lets_all_go_on(
    document: Any, spans: InMemorySpanExporter
) -> None:
    """Its document is gone."""
    document.is_there = False
    wait_for_others(document)
    assert document.under_way == []


@pytest.mark.parametrize(("on", "came"), [({FIRESTORE_IS_FAR.name}, 1), (set(), 0)])
def test_the_commit_of_a_transaction_waits_and_no_other_write(
    flags: Flags,
    switches: Switches,
    document: Any,
    monkeypatch: pytest.MonkeyPatch,
    spans: InMemorySpanExporter,
    channels_restored: None,
    on: set[str],
    came: int,
) -> None:
    """On Firestore's own client, at an address where no Firestore answers."""
    switches.on = on
    monkeypatch.setattr(firestore_is_far, "ALONE_SECONDS_MAX", 0)
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", f"127.0.0.1:{free_port()}")
    firestore_is_far.inject(flags, document)
    client = Client(project="demo-throughline")
    tally = client.collection("tally").document("all")
    with pytest.raises(ServiceUnavailable):
        tally.set({"orders": 1}, retry=None, timeout=5)
    assert document.under_way == []
    commit = {"database": client._database_string, "writes": [], "transaction": b"1"}
    with pytest.raises(ServiceUnavailable):
        client._firestore_api.commit(request=commit, retry=None, timeout=5)
    assert len(document.under_way) == came
