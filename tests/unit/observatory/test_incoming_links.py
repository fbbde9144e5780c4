"""Links can be followed in both directions."""

from tests.unit.observatory.conftest import Running
from tests.unit.observatory.telemetry import CONSUMER, INTERNAL, SERVER, Trace


def test_a_trace_knows_the_spans_that_link_to_it(running: Running) -> None:
    """A link within the trace is not among them, and a deleted trace's link disappears."""
    linked, sweep = Trace(), Trace()
    buy = linked.span("page", "buy", INTERNAL, 0, 10)
    linked.span("reserve", "reserve", CONSUMER, 2, 5, buy, links=[buy])
    source = sweep.span("sweep", "resume order", SERVER, 100, 105, links=[buy])
    running.send(linked)
    assert running.client.trace(linked.trace_id.hex())["linked_from"] == []
    running.send(sweep)
    running.client.traces()  # which waits for the digests
    assert running.client.trace(linked.trace_id.hex())["linked_from"] == [
        {
            "trace_id": sweep.trace_id.hex(),
            "span_id": source.span_id.hex(),
            "service": "sweep",
            "name": "resume order",
            "to_span_id": buy.span_id.hex(),
        }
    ]
    assert running.client.trace(sweep.trace_id.hex())["linked_from"] == []


def test_the_singular_address_of_a_trace_redirects(running: Running) -> None:
    """It keeps the query. Anything but a trace id is an unknown page."""
    trace_id = "0Af7651916cd43dd8448eb211c80319c"
    response = running.http.get(f"/trace/{trace_id}?span=ab")
    assert response.status_code == 307
    assert response.headers["location"] == f"/traces/{trace_id}?span=ab"
    assert running.http.get("/trace/somewhere").status_code == 404
