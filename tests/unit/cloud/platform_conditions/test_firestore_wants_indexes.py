"""Tests of firestore-wants-indexes, with Firestore's own client and the functions' tracing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from google.api_core.exceptions import FailedPrecondition, ServiceUnavailable
from google.cloud.firestore import Client, FieldFilter
from opentelemetry import trace
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from cloud.platform_conditions import firestore_wants_indexes
from cloud.platform_conditions.catalogue import FIRESTORE_WANTS_INDEXES
from cloud.platform_conditions.flags import Flags
from tests.unit.cloud.platform_conditions.conftest import FakeFlags
from tests.unit.local_server import free_port
from throughline import firestore_calls

INDEX_FILE = Path(__file__).parents[4] / "rules" / "firestore.indexes.json"


@pytest.fixture
def run_query(
    flags: Flags, monkeypatch: pytest.MonkeyPatch, channels_restored: None
) -> Callable[[str], list[Any]]:
    """Query the orders of a show with a range of a field, at an address where no server listens."""
    firestore_wants_indexes.inject(flags, INDEX_FILE)
    firestore_calls.trace_calls()
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", f"127.0.0.1:{free_port()}")
    client = Client(project="demo-throughline")

    def get(field: str) -> list[Any]:
        orders = client.collection("orders").where(filter=FieldFilter("show_id", "==", "s"))
        orders = orders.where(filter=FieldFilter(field, "not-in", ["a"]))
        with trace.get_tracer("test").start_as_current_span("availability"):
            documents: list[Any] = orders.get(retry=None, timeout=5)
        return documents

    return get


def test_a_query_without_its_index_fails_as_in_production(
    run_query: Callable[[str], list[Any]], fake_flags: FakeFlags, spans: InMemorySpanExporter
) -> None:
    """The client raises the same exception, and the call's span has the gRPC status."""
    fake_flags.on = {FIRESTORE_WANTS_INDEXES.name}
    with pytest.raises(FailedPrecondition, match=r"requires an index: orders \(show_id, state asc"):
        run_query("state")
    call, _ = spans.get_finished_spans()
    assert (call.attributes or {})["rpc.grpc.status_code"] == 9
    assert not call.status.is_ok
    assert [event.name for event in call.events][:1] == ["feature_flag.evaluation"]


@pytest.mark.parametrize(
    ("on", "field"), [(set(), "state"), ({FIRESTORE_WANTS_INDEXES.name}, "show_id")]
)
def test_every_other_query_is_sent(
    run_query: Callable[[str], list[Any]], fake_flags: FakeFlags, on: set[str], field: str
) -> None:
    """The condition is off, or the query needs no composite index."""
    fake_flags.on = on
    with pytest.raises(ServiceUnavailable):
        run_query(field)
