"""Firestore's own calls as CLIENT spans; its Python client has no tracing of its own."""

from __future__ import annotations

from opentelemetry.context import Context
from opentelemetry.instrumentation.grpc import GrpcInstrumentorClient, filters
from opentelemetry.sdk.trace import Span, SpanProcessor

_SERVICE = "google.firestore.v1.Firestore"


def trace_calls() -> None:
    """Give every Firestore call a span, transactions included.

    Must run before a client is made: the instrumentation wraps the making of gRPC channels. Other
    Google clients are left alone; they send from threads of their own, where no span is current.
    """
    only_firestore = filters.service_name(_SERVICE)
    instrumentor = GrpcInstrumentorClient(filter_=only_firestore)  # type: ignore[no-untyped-call]
    instrumentor.instrument()


class DatabaseAttributes(SpanProcessor):
    """Adds the database's semantic conventions to spans that know only of RPC.

    The instrumentation's own request hook is not called for streamed calls, which reads are.
    """

    def on_start(
        self,
        span: Span,
        parent_context: Context | None = None,  # noqa: ARG002  (the SDK passes it by name)
    ) -> None:
        service, _, method = span.name.lstrip("/").rpartition("/")
        if service == _SERVICE:
            span.set_attribute("db.system.name", "gcp.firestore")
            span.set_attribute("db.operation.name", method)
