"""Hops 9 and 10: context goes to a third-party vendor, and comes back with its webhook.

On the way out it is in the W3C HTTP headers, which the vendor may use (the copy in
`x-throughline-context` is for our own functions only), and in the metadata that vendors let callers
attach. The vendor calls back later, over a connection of its own; the metadata that it echoes ties
the callback to the call.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from opentelemetry import trace
from opentelemetry.trace import Span, SpanKind, Status, StatusCode

from throughline import carrier, http_request
from throughline.invocation import Reception, Returned, traced


class Untrusted(Exception):
    """Raised by a webhook's reader of metadata if the request is not proven to be the vendor's."""


class Call:
    """One HTTP call to a vendor: send `context` with it, and report the response to `answered`."""

    def __init__(self, span: Span) -> None:
        self._span = span
        #: Send it as HTTP headers, and as metadata if the vendor stores any.
        self.context: dict[str, str] = carrier.write()

    def answered(self, status_code: int) -> None:
        """Set the response's status on the span; 400 and above make the span an error."""
        self._span.set_attribute("http.response.status_code", status_code)
        if status_code >= 400:
            self._span.set_attribute("error.type", str(status_code))
            self._span.set_status(Status(StatusCode.ERROR))


@contextmanager
def calling(method: str, url: str) -> Iterator[Call]:
    """Make one HTTP call to a vendor inside a CLIENT span, with any HTTP client.

    Yields the `Call`. `method` and `url` go on the span.
    """
    address = urlsplit(url)
    with trace.get_tracer("throughline").start_as_current_span(
        f"{method} {address.path or '/'}",
        kind=SpanKind.CLIENT,
        attributes={
            "http.request.method": method,
            "url.full": url,
            "server.address": address.hostname or "",
            "server.port": address.port or (443 if address.scheme == "https" else 80),
            "throughline.hop": "vendor",
            "throughline.carrier": "http-headers",
            "throughline.context": "carried",
        },
    ) as span:
        yield Call(span)


def on_webhook(
    metadata: Callable[[Any], object],
) -> Callable[[Callable[[Any], Returned]], Callable[[Any], Returned]]:
    """Trace an HTTPS function that a vendor calls back.

    Apply it directly above `def`. `metadata` takes the request and returns the metadata that the
    vendor echoes, unchecked, or raises `Untrusted`: then the span is a root, whatever context the
    request claims. The context of the HTTP request itself becomes a link.
    """

    def receive(request: Any) -> Reception:
        try:
            arrival = carrier.read(metadata(request))
        except Untrusted as error:
            arrival = carrier.invalid(str(error))
        except Exception as error:  # noqa: BLE001  (no request may fail for its metadata)
            arrival = carrier.invalid(f"metadata is not readable ({type(error).__name__})")
        return Reception(
            arrival=arrival,
            hop="webhook",
            carried_in="charge-metadata",
            kind=SpanKind.SERVER,
            attributes=http_request.attributes(request),
            answered=http_request.note_response,
            refused=http_request.note_refusal,
        )

    return lambda function: traced(function, receive)
