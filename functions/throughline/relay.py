"""Relays a page's telemetry: the page posts OTLP to its own origin, and this posts it further.

A page cannot keep the key of an OTLP endpoint secret, and an endpoint need not accept requests from
browsers. The endpoint is the one that this process sends its own telemetry to. The relay creates no
spans, and answers only after the endpoint has, because Cloud Run takes the CPU away after that.

Import it in the function that relays only: it takes longer to import than the rest of throughline.
"""

from __future__ import annotations

import atexit
import json
import logging
import threading
import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import flask

from throughline import admission, exporters, otlp_decoding, telemetry
from throughline.admission import Admission
from throughline.delivery import Outage
from throughline.forwarding import Forwarding
from throughline.otlp_decoding import Kind, Undecodable

#: Limit of a request's body, before and after decompression. A page sends 64 spans at a time.
BODY_MAX_BYTES = 524_288
REQUESTS_PER_SECOND = 200.0
# How long pages stop sending to a relay that is switched off, before they try again.
OFF_SECONDS = 600
APP_CHECK_HEADER = "X-Firebase-AppCheck"

_JSON, _PROTOBUF = "application/json", "application/x-protobuf"
# The codes of google.rpc.Code in the bodies of errors.
_CODES = {400: 3, 401: 16, 403: 7, 404: 5, 429: 8, 503: 14}
_CODE_UNKNOWN = 2

_log = logging.getLogger(__name__)


class Refused(Exception):
    """Raised for a request that the relay does not forward.

    Args:
        status: of the response.
        reason: one of a small set, by which refusals are counted.
        detail: what the client is told, if that is more than the reason.
        items: how many spans or log records the request had; 0 if that is unknown.
        headers: of the response.
    """

    def __init__(
        self,
        status: int,
        reason: str,
        *,
        detail: str = "",
        items: int = 0,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason
        self.detail = detail or reason
        self.items = items
        self.headers = headers or {}


class Relay:
    """Forwards OTLP over HTTP that is posted to `…/v1/traces` and `…/v1/logs`.

    Args:
        service_name: the `service.name` whose telemetry is forwarded; other resources are dropped.
        is_on: if false, each request is answered with 204 and `Retry-After`, and pages stop sending
            for that time.
        verify_app: raises an exception for an App Check token that is not valid; None if requests
            need no token.
        requests_per_second: the limit of one instance, above which requests are answered with 429.
        reserved: namespaces of attributes that pages may not set, besides those of
            `admission.SERVER_NAMESPACES`.
        allowed: attributes in these namespaces that pages may set nevertheless.

    What is refused or dropped is counted, logged the first time for each reason, and logged in all
    when the process ends. Thread-safe. Create it in the process that serves, not before a fork.
    """

    def __init__(  # noqa: PLR0913  (settings, each given by name)
        self,
        service_name: str,
        *,
        is_on: bool = True,
        verify_app: Callable[[str], object] | None = None,
        requests_per_second: float = REQUESTS_PER_SECOND,
        reserved: tuple[str, ...] = (),
        allowed: frozenset[str] = frozenset(),
    ) -> None:
        self._is_on = is_on
        self._verify_app = verify_app
        self._admission = Admission(
            service_name,
            telemetry.deployment(),
            (*admission.SERVER_NAMESPACES, *reserved),
            allowed,
        )
        self._rate = _Rate(requests_per_second)
        self._outage = Outage("what the page sends is refused, and it sends that again for a while")
        self._signals = {
            "traces": _Signal(otlp_decoding.SPANS, exporters.SPANS, self._outage),
            "logs": _Signal(otlp_decoding.RECORDS, exporters.RECORDS, self._outage),
        }
        # Decoding holds Python's lock anyway. One body at a time bounds the memory.
        self._decoding = threading.Lock()
        self._open = _Open()
        self.losses = _Losses()
        atexit.register(self.close)

    def answer(self, request: flask.Request) -> flask.Response:
        """Return the response to a page's request, after the endpoint has answered."""
        if not self._is_on:
            return _switched_off()
        is_json = request.mimetype != _PROTOBUF
        with self._open.request():
            try:
                return self._relay(request, is_json=is_json)
            except Refused as refused:
                self.losses.add(refused.reason, refused.items or 1)
                return _error(refused, is_json=is_json)

    def _relay(self, request: flask.Request, *, is_json: bool) -> flask.Response:
        signal = self._signal(request)
        if signal.forwarding is None:
            return _switched_off()
        if not self._rate.allows():
            raise Refused(429, "An instance gets too many requests.", headers={"Retry-After": "1"})
        self._check_app(request)
        body = _body(request)
        with self._decoding:
            try:
                decoded = otlp_decoding.decode(signal.kind, body, is_json=is_json)
            except Undecodable as error:
                reason = "The body cannot be decoded."
                raise Refused(400, reason, detail=str(error)) from error
            admitted = self._admission.admit(signal.kind, decoded.request)
            part: bytes = decoded.request.SerializeToString()
        if admitted.foreign and not admitted.items:
            raise Refused(403, _FOREIGN, items=admitted.foreign)
        self.losses.add(_FOREIGN, admitted.foreign)
        self.losses.add(_MALFORMED, decoded.malformed)
        if admitted.items:
            self._forward(signal, part, admitted.items)
        return signal.accepted(
            Counter({_FOREIGN: admitted.foreign, _MALFORMED: decoded.malformed}), is_json=is_json
        )

    def _signal(self, request: flask.Request) -> _Signal:
        version, _, name = request.path.rstrip("/").rpartition("/")
        signal = self._signals.get(name)
        if signal is None or not version.endswith("/v1"):
            raise Refused(404, "The path must end with /v1/traces or /v1/logs.")
        if request.method != "POST":
            raise Refused(405, "The method must be POST.", headers={"Allow": "POST"})
        if request.mimetype not in (_JSON, _PROTOBUF):
            raise Refused(415, f"The Content-Type must be {_JSON} or {_PROTOBUF}.")
        return signal

    def _check_app(self, request: flask.Request) -> None:
        if self._verify_app is None:
            return
        token = request.headers.get(APP_CHECK_HEADER, "")
        if not token:
            raise Refused(401, f"The header {APP_CHECK_HEADER} is missing.")
        try:
            self._verify_app(token)
        except Exception as error:  # (the verifier's own types; any means that it is not valid)
            raise Refused(401, "The App Check token is not valid.") from error

    def _forward(self, signal: _Signal, part: bytes, items: int) -> None:
        assert signal.forwarding is not None  # noqa: S101  (`_relay` checked it)
        answer = signal.forwarding.forward(part, is_alone=self._open.count == 1)
        if 200 <= answer.status < 300:
            if answer.body:
                exporters.note_rejected(
                    signal.exporter, self._outage, answer.body, answer.content_type
                )
            return
        if answer.retry_after:
            raise Refused(
                answer.status,
                "The OTLP endpoint is not available.",
                items=items,
                headers={"Retry-After": answer.retry_after},
            )
        # The key or the address may be wrong, which the page cannot help and should not repeat.
        status = answer.status if answer.status in (400, 413) else 500
        raise Refused(status, f"The OTLP endpoint answered {answer.status}.", items=items)

    def close(self) -> None:
        """Log what was lost, when the process ends."""
        atexit.unregister(self.close)
        self.losses.close()
        self._outage.close()


_FOREIGN = "The resource is not that of this site's page."
_MALFORMED = "Some items are malformed."


class _Signal:
    """Spans or log records: their fields, and where they are forwarded to."""

    def __init__(self, kind: Kind, exporter: exporters.Signal, outage: Outage) -> None:
        self.kind = kind
        self.exporter = exporter
        post = telemetry.post(exporter)
        #: None if the environment switches the signal off.
        self.forwarding = Forwarding(post, outage) if post else None

    def accepted(self, dropped: Counter[str], *, is_json: bool) -> flask.Response:
        """Return the response to a request of which items were dropped, for these reasons."""
        response = self.exporter.response()
        if rejected := dropped.total():
            setattr(response.partial_success, self.exporter.rejected_field, rejected)
            response.partial_success.error_message = " ".join(+dropped)
        if is_json:
            return flask.Response(otlp_decoding.to_json(response), mimetype=_JSON)
        return flask.Response(response.SerializeToString(), mimetype=_PROTOBUF)


def _switched_off() -> flask.Response:
    """Return the response that stops pages.

    204 alone would not do: OTLP's clients take any 2xx for a success, and some endpoints send it.
    """
    return flask.Response(status=204, headers={"Retry-After": str(OFF_SECONDS)})


def _error(refused: Refused, *, is_json: bool) -> flask.Response:
    """Return the response of an error, with google.rpc.Status as OTLP demands."""
    code, message = _CODES.get(refused.status, _CODE_UNKNOWN), refused.detail
    if is_json:
        body = json.dumps({"code": code, "message": message}).encode()
    else:
        # Field 1 is the code, field 2 the message, which has fewer than 128 bytes.
        body = bytes((1 << 3, code, 2 << 3 | 2, len(message))) + message.encode("ascii")
    mimetype = _JSON if is_json else _PROTOBUF
    return flask.Response(body, refused.status, refused.headers, mimetype=mimetype)


def _body(request: flask.Request) -> bytes:
    """Return the request's body, decompressed."""
    too_large = Refused(413, f"The body has more than {BODY_MAX_BYTES} bytes.")
    body = request.stream.read(BODY_MAX_BYTES + 1)
    if len(body) > BODY_MAX_BYTES:
        raise too_large
    encoding = request.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding == "identity":
        return body
    if encoding != "gzip":
        raise Refused(415, "The Content-Encoding must be gzip, or none.")
    # 16 is for the format of gzip. One member only: many empty ones would take long.
    decompressor = zlib.decompressobj(16 + zlib.MAX_WBITS)
    try:
        decompressed = decompressor.decompress(body, BODY_MAX_BYTES + 1)
    except zlib.error as error:
        raise Refused(400, "The body is not gzip.") from error
    if len(decompressed) > BODY_MAX_BYTES:
        raise too_large
    if not decompressor.eof or decompressor.unused_data:
        raise Refused(400, "The body is not gzip of one member.")
    return decompressed


class _Rate:
    """A token bucket that holds the requests of one second."""

    def __init__(self, per_second: float) -> None:
        self._per_second = per_second
        self._lock = threading.Lock()
        self._left, self._at = per_second, time.monotonic()

    def allows(self) -> bool:
        """Return whether one more request is within the limit, and count it if so."""
        with self._lock:
            now = time.monotonic()
            refilled = self._left + (now - self._at) * self._per_second
            self._left, self._at = min(refilled, self._per_second), now
            if self._left < 1:
                return False
            self._left -= 1
            return True


class _Open:
    """How many requests are being served."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.count = 0

    @contextmanager
    def request(self) -> Iterator[None]:
        with self._lock:
            self.count += 1
        try:
            yield
        finally:
            with self._lock:
                self.count -= 1


class _Losses:
    """Counts what was refused or dropped, by reason, and logs each reason once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.by_reason: Counter[str] = Counter()

    def add(self, reason: str, items: int) -> None:
        """Count spans and log records, or the requests that had an unknown number of them."""
        if not items:
            return
        with self._lock:
            is_first = reason not in self.by_reason
            self.by_reason[reason] += items
        if is_first:
            _log.warning("The relay refused telemetry of a page: %s It counts more of it", reason)

    def close(self) -> None:
        """Log the counts."""
        with self._lock:
            counts: dict[str, Any] = dict(self.by_reason)
            self.by_reason.clear()
        if counts:
            _log.warning(
                "The relay refused telemetry of pages: %s",
                ", ".join(f"{count} × {reason}" for reason, count in counts.items()),
            )
