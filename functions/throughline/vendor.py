"""Hops 9 and 10: context crosses a vendor we don't own, and comes back by its webhook.

On the way out it travels as W3C's HTTP headers, for what they are worth to the vendor (the copy in
`x-throughline-context` is for our own functions, and not sent to others), and in the metadata that
vendors let their callers attach. The vendor calls back later, from a connection of
its own; the metadata it echoes is what ties the answer to the question.
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
    """Raised by a webhook's reader of metadata: the request is not proven to be the vendor's."""


class Call:
    """One HTTP call to a vendor: `context` goes out with it, `answered` notes what came back."""

    def __init__(self, span: Span) -> None:
        self._span = span
        #: What to send as HTTP headers, and again as metadata where the vendor takes any.
        self.context: dict[str, str] = carrier.write()

    def answered(self, status_code: int) -> None:
        """Note the response's status on the span; 400 and above make the span an error."""
        self._span.set_attribute("http.response.status_code", status_code)
        if status_code >= 400:
            self._span.set_attribute("error.type", str(status_code))
            self._span.set_status(Status(StatusCode.ERROR))


@contextmanager
def calling(method: str, url: str) -> Iterator[Call]:
    """Make one HTTP call to a vendor inside a CLIENT span, with the HTTP client of your choice."""
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

    Goes directly above `def`. `metadata` takes the request and returns the metadata that the vendor
    echoes, whatever its shape, or raises `Untrusted`: then nobody's word is taken for whose trace
    this is, and the span is a root. The context of the HTTP request itself becomes a link.
    """

    def receive(request: Any) -> Reception:
        try:
            arrival = carrier.read(metadata(request))
        except Untrusted as why:
            arrival = carrier.invalid(str(why))
        except Exception as why:  # noqa: BLE001  (whatever a stranger sends, the request goes on)
            arrival = carrier.invalid(f"metadata is not readable ({type(why).__name__})")
        return Reception(
            arrival=arrival,
            hop="webhook",
            carried_in="charge-metadata",
            kind=SpanKind.SERVER,
            attributes=http_request.attributes(request),
            answered=http_request.note_response,
        )

    return lambda function: traced(function, receive)
