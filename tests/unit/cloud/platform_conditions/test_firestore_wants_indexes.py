"""firestore-wants-indexes, on Firestore's own client, under the tracing that the functions have."""

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
from tests.unit.cloud.platform_conditions.conftest import Switches
from tests.unit.local_server import free_port
from throughline import firestore_calls

INDEX_FILE = Path(__file__).parents[4] / "rules" / "firestore.indexes.json"


@pytest.fixture
def ask(
    flags: Flags, monkeypatch: pytest.MonkeyPatch, channels_restored: None
) -> Callable[[str], list[Any]]:
    """Ask for the orders of a show beside a range of this field, where no Firestore answers."""
    firestore_wants_indexes.inject(flags, INDEX_FILE)
    firestore_calls.trace_calls()
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", f"127.0.0.1:{free_port()}")
    client = Client(project="demo-throughline")

    def get(field: str) -> list[Any]:
        orders = client.collection("orders").where(filter=FieldFilter("show_id", "==", "s"))
        orders = orders.where(filter=FieldFilter(field, "not-in", ["a"]))
        with trace.get_tracer("test").start_as_current_span("availability"):
            found: list[Any] = orders.get(retry=None, timeout=5)
        return found

    return get


def test_a_query_that_lacks_its_index_is_refused_as_firestore_does(
    ask: Callable[[str], list[Any]], switches: Switches, spans: InMemorySpanExporter
) -> None:
    """The client raises what it raises in production, and the span of the call has the status."""
    switches.on = {FIRESTORE_WANTS_INDEXES.name}
    with pytest.raises(FailedPrecondition, match=r"requires an index: orders \(show_id, state asc"):
        ask("state")
    call, _ = spans.get_finished_spans()
    assert (call.attributes or {})["rpc.grpc.status_code"] == 9
    assert not call.status.is_ok
    assert [event.name for event in call.events][:1] == ["feature_flag.evaluation"]


@pytest.mark.parametrize(
    ("on", "field"), [(set(), "state"), ({FIRESTORE_WANTS_INDEXES.name}, "show_id")]
)
def test_every_other_query_is_sent(
    ask: Callable[[str], list[Any]], switches: Switches, on: set[str], field: str
) -> None:
    """Where the condition is off, or the query needs no composite index."""
    switches.on = on
    with pytest.raises(ServiceUnavailable):
        ask(field)
