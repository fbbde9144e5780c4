"""Decode OTLP requests and encode the responses, in protobuf and in JSON.

The rules are those of https://opentelemetry.io/docs/specs/otlp/#otlphttp; this is the one module
that knows them.
"""

import base64
import json
import re
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar

from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory
from google.protobuf.message import DecodeError, Message
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsServiceRequest,
    ExportLogsServiceResponse,
)
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from observatory.receive import utf8
from observatory.receive.surrogates import repair, repairs

__all__ = [
    "ExportLogsServiceRequest",
    "ExportLogsServiceResponse",
    "ExportMetricsServiceRequest",
    "ExportMetricsServiceResponse",
    "ExportTraceServiceRequest",
    "ExportTraceServiceResponse",
]

Result = TypeVar("Result")

GZIP_WINDOW_BITS = 31
# How much output zlib produces at once, and from how much input. The input is limited because zlib
# copies what remains of it for each gzip member, and a member may be only 20 bytes long.
OUTPUT_BYTES, INPUT_BYTES = 2**20, 2**12
# Where the items of each kind of request are in OTLP/JSON.
PATHS = (
    ("resourceSpans", "scopeSpans", "spans"),
    ("resourceLogs", "scopeLogs", "logRecords"),
    ("resourceMetrics", "scopeMetrics", "metrics"),
)
_UNREADABLE = (
    DecodeError,
    json_format.ParseError,
    ValueError,  # not JSON, not UTF-8, a number out of range
    TypeError,  # JSON of another structure
    AttributeError,
    RecursionError,
)
_HEX = re.compile(r"(?:[0-9a-fA-F]{2})*")
# Replaces an id that is not hexadecimal. Its length is not that of an id, so it is rejected later.
_NOT_AN_ID = base64.b64encode(b"\xff").decode()


class Encoding(StrEnum):
    """How a body is encoded; the value is its content type."""

    PROTOBUF = "application/x-protobuf"
    JSON = "application/json"


class Code:
    """The ``google.rpc.Code`` values that a response can carry."""

    INVALID_ARGUMENT = 3
    PERMISSION_DENIED = 7
    RESOURCE_EXHAUSTED = 8
    UNAVAILABLE = 14


class Refusal(Exception):
    """A request that is answered with an error.

    ``http_status`` and ``code`` (``google.rpc.Code``) classify the error; the message says what was
    wrong and what to send instead. ``retry_after_seconds`` is set if the same request may succeed
    later.
    """

    def __init__(
        self, http_status: int, code: int, message: str, retry_after_seconds: int | None = None
    ) -> None:
        super().__init__(message)
        self.http_status = http_status
        self.code = code
        self.retry_after_seconds = retry_after_seconds


def _status_type() -> type[Message]:
    # opentelemetry-proto doesn't carry google/rpc/status.proto; these are its two scalar fields.
    field = descriptor_pb2.FieldDescriptorProto
    status = descriptor_pb2.DescriptorProto(
        name="Status",
        field=[
            field(name="code", number=1, type=field.TYPE_INT32, label=field.LABEL_OPTIONAL),
            field(name="message", number=2, type=field.TYPE_STRING, label=field.LABEL_OPTIONAL),
        ],
    )
    pool = descriptor_pool.DescriptorPool()
    pool.Add(
        descriptor_pb2.FileDescriptorProto(
            name="google/rpc/status.proto",
            package="google.rpc",
            syntax="proto3",
            message_type=[status],
        )
    )
    status_type: type[Message] = message_factory.GetMessageClass(
        pool.FindMessageTypeByName("google.rpc.Status")
    )
    return status_type


Status = _status_type()


def encoding_of(content_type: str) -> Encoding:
    """Return the encoding that a ``Content-Type`` header names.

    Raises:
        Refusal: 415, for any other type.
    """
    media_type = content_type.partition(";")[0].strip().lower()
    try:
        return Encoding(media_type)
    except ValueError:
        raise Refusal(
            415,
            Code.INVALID_ARGUMENT,
            f"Content-Type {media_type or '(none)'!r} is not OTLP: send {Encoding.PROTOBUF} "
            f"or {Encoding.JSON}.",
        ) from None


def inflate(
    body: bytes, content_encoding: str, limit_bytes: int, take: Callable[[int], object]
) -> bytes:
    """Return the body without its ``Content-Encoding``, at most ``limit_bytes`` long.

    Decompression stops at the limit, so a decompression bomb costs no more than a large body.

    Args:
        body: as it was sent.
        content_encoding: the header's value; empty for none.
        limit_bytes: the limit.
        take: called with the size of each decompressed chunk, before the next one is produced. An
            exception that it raises ends the decompression.

    Raises:
        Refusal: 413 beyond the limit, 415 for an encoding other than gzip, 400 for broken gzip.
    """
    named = content_encoding.strip().lower()
    if named in ("", "identity"):
        plain = body
        take(len(plain))
    elif named == "gzip":
        plain = _gunzip(body, limit_bytes, take)
    else:
        raise Refusal(
            415, Code.INVALID_ARGUMENT, f"Content-Encoding {named!r} is not supported: send gzip."
        )
    if len(plain) > limit_bytes:
        raise too_large(limit_bytes)
    return plain


def _gunzip(body: bytes, limit_bytes: int, take: Callable[[int], object]) -> bytes:
    plain = bytearray()
    compressed = memoryview(body)
    try:
        while compressed:  # a gzip body may hold several members, one after the other
            member = zlib.decompressobj(GZIP_WINDOW_BITS)
            while not member.eof:
                chunk = compressed[:INPUT_BYTES]
                room = min(OUTPUT_BYTES, limit_bytes + 1 - len(plain))
                output = member.decompress(chunk, room)
                left = len(member.unconsumed_tail) + len(member.unused_data)
                compressed = compressed[len(chunk) - left :]
                if not (output or chunk or member.eof):
                    raise Refusal(400, Code.INVALID_ARGUMENT, "The gzip body is cut short.")
                take(len(output))
                plain += output
                if len(plain) > limit_bytes:
                    raise too_large(limit_bytes)
    except zlib.error as error:
        raise Refusal(400, Code.INVALID_ARGUMENT, f"The body is not gzip: {error}.") from error
    return bytes(plain)


def too_large(limit_bytes: int) -> Refusal:
    """Return the 413 for a body of more than ``limit_bytes``, compressed or not."""
    return Refusal(
        413,
        Code.RESOURCE_EXHAUSTED,
        f"The body is larger than {limit_bytes // 2**20} MiB: send smaller batches.",
    )


def read(
    message_type: type[Message],
    document: Mapping[str, Any],
    rows_of: Callable[[bytes], Result],
) -> Result:
    """Convert an OTLP/JSON document to protobuf and return what ``rows_of`` makes of it.

    Members that the message type does not have are ignored. The ids in ``document`` are rewritten
    in place.

    Raises:
        Refusal: 400, if the document holds no such message.
    """
    fields = message_type.DESCRIPTOR.fields
    own = {name for field in fields for name in (field.name, field.json_name)}
    with refusing(message_type, Encoding.JSON):
        return rows_of(
            _protobuf_of({name: document[name] for name in document if name in own}, message_type)
        )


@dataclass(frozen=True)
class Decoded:
    """A request in protobuf, and what was dropped or repaired to decode it.

    ``rejected`` counts the items that were dropped; ``reason`` describes them and any repairs.
    """

    body: bytes
    rejected: int = 0
    reason: str = ""


def decode(message_type: type[Message], body: bytes, encoding: Encoding) -> Decoded:
    """Convert a body to protobuf; call it within ``refusing``.

    If an item of a JSON body (a span, log record or metric) cannot be read, only that item is
    dropped. Strings that are not valid Unicode are repaired.
    """
    if encoding is Encoding.PROTOBUF:
        return Decoded(body)
    document = json.loads(body)
    if not isinstance(document, dict):
        raise TypeError("it is not an object")
    document, repaired = repair(document, body)
    try:
        return Decoded(_protobuf_of(document, message_type), 0, repairs(repaired))
    except _UNREADABLE as error:
        rejected, why = _drop_unreadable_items(document, message_type)
        if not rejected or not any(_items(document)):
            raise error from None
    reasons = (f"{rejected} rejected: {why}.", repairs(repaired))
    return Decoded(_parsed(document, message_type), rejected, " ".join(filter(None, reasons)))


def repaired(message_type: type[Message], body: bytes) -> Decoded:
    """Repair the strings of a protobuf body that are not UTF-8; call it within ``refusing``."""
    body, count = utf8.repair(message_type, body)
    strings = "1 string" if count == 1 else f"{count} strings"
    return Decoded(body, 0, f"{strings} repaired: bytes that are not UTF-8 are now U+FFFD.")


def _protobuf_of(document: dict[str, Any], message_type: type[Message]) -> bytes:
    _ids_to_base64(document)
    return _parsed(document, message_type)


def _parsed(document: dict[str, Any], message_type: type[Message]) -> bytes:
    message = json_format.ParseDict(document, message_type(), ignore_unknown_fields=True)
    return bytes(message.SerializeToString())


def _drop_unreadable_items(
    document: dict[str, Any], message_type: type[Message]
) -> tuple[int, str]:
    """Remove the items that cannot be parsed; return how many, and the error of the first.

    For a metric, its data points are counted. The ids must be in base64 already.
    """
    rejected, why = 0, ""
    for groups, scopes, items_name, items in _items(document):
        readable = []
        for item in items:
            try:
                _parsed({groups: [{scopes: [{items_name: [item]}]}]}, message_type)
            except _UNREADABLE as error:
                why = why or _reason(error)
                rejected += _data_points(item)
            else:
                readable.append(item)
        items[:] = readable
    return rejected, why


def _items(document: dict[str, Any]) -> Iterator[tuple[str, str, str, list[Any]]]:
    """Yield the non-empty lists of items in a document, each with the names that lead to it."""
    for camel_path in PATHS:
        for path in (camel_path, tuple(map(_snake, camel_path))):
            groups, scopes, items_name = path
            for group in _each(document, groups, groups):
                for scope in _each(group, scopes, scopes):
                    items = scope.get(items_name)
                    if isinstance(items, list) and items:
                        yield groups, scopes, items_name, items


def _snake(name: str) -> str:
    return re.sub("[A-Z]", lambda capital: "_" + capital[0].lower(), name)


def _data_points(item: Any) -> int:
    """Return how many data points a metric has that cannot be read; 1 for any other item."""
    data = item.values() if isinstance(item, dict) else ()
    points = [
        each.get("dataPoints", each.get("data_points")) for each in data if isinstance(each, dict)
    ]
    return sum(len(each) for each in points if isinstance(each, list)) or 1


@contextmanager
def refusing(message_type: type[Message], encoding: Encoding) -> Iterator[None]:
    """Translate the errors of decoding a body into a refusal.

    Raises:
        Refusal: 400, if the block fails to decode the body.
    """
    try:
        yield
    except _UNREADABLE as error:
        raise Refusal(
            400,
            Code.INVALID_ARGUMENT,
            f"The body is not an OTLP {message_type.DESCRIPTOR.name} in {encoding}: "
            f"{_reason(error)}",
        ) from error


def _reason(error: Exception) -> str:
    return " ".join(str(error).split())[:300]


def _ids_to_base64(document: Any) -> None:
    """Rewrite OTLP/JSON's hexadecimal ids as the base64 that protobuf's own JSON expects."""
    for group in _each(document, "resourceSpans", "resource_spans"):
        for scope in _each(group, "scopeSpans", "scope_spans"):
            for span in _each(scope, "spans", "spans"):
                _rewrite(span, "traceId", "trace_id", "spanId", "span_id")
                _rewrite(span, "parentSpanId", "parent_span_id")
                for link in _each(span, "links", "links"):
                    _rewrite(link, "traceId", "trace_id", "spanId", "span_id")
    for group in _each(document, "resourceLogs", "resource_logs"):
        for scope in _each(group, "scopeLogs", "scope_logs"):
            for record in _each(scope, "logRecords", "log_records"):
                _rewrite(record, "traceId", "trace_id", "spanId", "span_id")


def _each(holder: Any, camel: str, snake: str) -> list[dict[str, Any]]:
    if not isinstance(holder, dict):
        return []
    items = holder.get(camel, holder.get(snake))
    # The parser reports what is not a list of objects.
    return [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []


def _rewrite(holder: dict[str, Any], *keys: str) -> None:
    for key in keys:
        value = holder.get(key)
        if isinstance(value, str):
            hexadecimal = _HEX.fullmatch(value) is not None
            holder[key] = (
                base64.b64encode(bytes.fromhex(value)).decode() if hexadecimal else _NOT_AN_ID
            )


def render(message: Message, encoding: Encoding) -> bytes:
    """Encode ``message`` as the body of a response."""
    if encoding is Encoding.PROTOBUF:
        return bytes(message.SerializeToString())
    return str(json_format.MessageToJson(message, indent=None)).encode()


def render_status(refusal: Refusal, encoding: Encoding) -> bytes:
    """Encode the ``google.rpc.Status`` that says why a request was refused."""
    return render(Status(code=refusal.code, message=str(refusal)), encoding)
