"""Installs interceptors in the gRPC channels that Google's client libraries create."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import grpc

#: Called with the method's full name, the request and a function that sends the request; returns
#: the response.
Interceptor = Callable[[str, Any, Callable[[], Any]], Any]


def intercept_unary(interceptor: Interceptor) -> None:
    """Call `interceptor` for each call with a single response, on all channels created from now on.

    If installed before the app instruments its channels, the interceptor runs inside the call's
    span; if installed afterwards, it runs before the span starts. The same holds for
    `intercept_streams`.
    """
    _replace_channels(lambda grpcext: _unary(grpcext, interceptor))


def intercept_streams(interceptor: Interceptor) -> None:
    """Call `interceptor` for each call with a stream of responses; see `intercept_unary`."""
    _replace_channels(lambda grpcext: _streams(grpcext, interceptor))


def _unary(grpcext: Any, interceptor: Interceptor) -> Any:
    class Unary(grpcext.UnaryClientInterceptor):  # type: ignore[misc]
        def intercept_unary(self, request: Any, metadata: Any, call: Any, invoker: Any) -> Any:
            return interceptor(
                call.full_method.lstrip("/"), request, lambda: invoker(request, metadata)
            )

    return Unary()


def _streams(grpcext: Any, interceptor: Interceptor) -> Any:
    class Streams(grpcext.StreamClientInterceptor):  # type: ignore[misc]
        def intercept_stream(self, request: Any, metadata: Any, call: Any, invoker: Any) -> Any:
            return interceptor(
                call.full_method.lstrip("/"), request, lambda: invoker(request, metadata)
            )

    return Streams()


def _replace_channels(make_interceptor: Callable[[Any], Any]) -> None:
    for name in ("insecure_channel", "secure_channel"):
        setattr(grpc, name, _intercepted(getattr(grpc, name), make_interceptor))


def _intercepted(
    make_channel: Callable[..., Any], make_interceptor: Callable[[Any], Any]
) -> Callable[..., Any]:
    @functools.wraps(make_channel)
    def make_intercepted(*arguments: Any, **options: Any) -> Any:
        # Imported with the first channel: a function that creates none does not pay for the import.
        from opentelemetry.instrumentation.grpc import grpcext  # noqa: PLC0415

        intercept: Any = grpcext.intercept_channel
        return intercept(make_channel(*arguments, **options), make_interceptor(grpcext))

    return make_intercepted
