"""Firestore's calls as CLIENT spans; its Python client has no tracing of its own."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import grpc
from opentelemetry.context import Context
from opentelemetry.sdk.trace import Span, SpanProcessor

from throughline import firestore_queries

_SERVICE = "google.firestore.v1.Firestore"
_QUERIES = frozenset({f"{_SERVICE}/RunQuery", f"{_SERVICE}/RunAggregationQuery"})


def trace_calls() -> None:
    """Trace every Firestore call, those in transactions included.

    Must run before a client is made, because it wraps the functions that make gRPC channels. Other
    Google clients are not traced: they send from threads of their own, where no span is current.
    """
    for name in ("insecure_channel", "secure_channel"):
        setattr(grpc, name, _intercepted(getattr(grpc, name)))


def _intercepted(make_channel: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(make_channel)
    def make_intercepted(*arguments: Any, **options: Any) -> Any:
        # Imported with the first channel: the import lengthens a cold start, and a function that
        # never calls Google over gRPC does not need it.
        from opentelemetry.instrumentation.grpc import (  # noqa: PLC0415
            client_interceptor,
            grpcext,
        )

        class Queries(grpcext.StreamClientInterceptor):
            """Describes a query on its span, which the channel's interceptor has already started.

            The instrumentation calls no request hook for streamed calls.
            """

            def intercept_stream(
                self, request: Any, metadata: Any, client_info: Any, invoker: Callable[..., Any]
            ) -> Any:
                if client_info.full_method.lstrip("/") in _QUERIES:
                    firestore_queries.describe(request)
                return invoker(request, metadata)

        channel = make_channel(*arguments, **options)
        interceptor = client_interceptor(filter_=_is_firestores)  # type: ignore[no-untyped-call]
        return grpcext.intercept_channel(channel, Queries(), interceptor)  # type: ignore[no-untyped-call]

    return make_intercepted


def _is_firestores(client_info: Any) -> bool:
    """Return whether a call is one of Firestore's.

    The instrumentation's own filters check the type of `client_info` against a protocol each time,
    which takes a tenth of a millisecond.
    """
    method: str = client_info.full_method
    return method.lstrip("/").startswith(f"{_SERVICE}/")


class DatabaseAttributes(SpanProcessor):
    """Adds the database attributes of the semantic conventions to spans of Firestore's RPCs.

    The instrumentation calls no request hook for streamed calls, such as reads.
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
