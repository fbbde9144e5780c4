"""Firestore's calls as CLIENT spans; its Python client has no tracing of its own."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any

import grpc
from opentelemetry.context import Context
from opentelemetry.sdk.trace import Span, SpanProcessor

from throughline import firestore_documents, firestore_queries

_SERVICE = "google.firestore.v1.Firestore"
#: What describes a call's request on its span, by the name of its method.
_DESCRIPTIONS: Mapping[str, Callable[[Any], None]] = {
    "RunQuery": firestore_queries.describe,
    "RunAggregationQuery": firestore_queries.describe,
    "BatchGetDocuments": firestore_documents.describe_reads,
    "Commit": firestore_documents.describe_writes,
    "BatchWrite": firestore_documents.describe_writes,
}


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

        class Descriptions(grpcext.UnaryClientInterceptor, grpcext.StreamClientInterceptor):
            """Describes a call on its span, which the channel's interceptor has already started.

            The instrumentation calls no request hook for streamed calls.
            """

            def intercept_unary(
                self, request: Any, metadata: Any, client_info: Any, invoker: Callable[..., Any]
            ) -> Any:
                _describe(client_info.full_method, request)
                return invoker(request, metadata)

            def intercept_stream(
                self, request: Any, metadata: Any, client_info: Any, invoker: Callable[..., Any]
            ) -> Any:
                _describe(client_info.full_method, request)
                return invoker(request, metadata)

        channel = make_channel(*arguments, **options)
        interceptor = client_interceptor(filter_=_is_firestores)  # type: ignore[no-untyped-call]
        return grpcext.intercept_channel(channel, Descriptions(), interceptor)  # type: ignore[no-untyped-call]

    return make_intercepted


def _describe(full_method: str, request: Any) -> None:
    """Describe a request on its call's span; nothing, if the call is not traced."""
    # Imported with the first call, as the instrumentation itself is with the first channel.
    from opentelemetry.instrumentation.utils import is_instrumentation_enabled  # noqa: PLC0415

    service, _, method = full_method.lstrip("/").rpartition("/")
    describe = _DESCRIPTIONS.get(method) if service == _SERVICE else None
    # Without a span of its own, the current span is the caller's.
    if describe and is_instrumentation_enabled():
        describe(request)


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
            span.set_attributes({"db.system.name": "gcp.firestore", "db.operation.name": method})
