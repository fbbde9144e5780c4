"""Rows on their way into the file, as Arrow tables."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import pyarrow as pa

# The letter (see store.values) of an attribute that has no value.
NULL = "n"
Kind = Literal["spans", "logs", "metrics"]
KINDS: tuple[Kind, ...] = ("spans", "logs", "metrics")

MAP = pa.map_(pa.string(), pa.string())
_ATTRIBUTES = [("attributes", MAP), ("attribute_types", pa.string())]
_ORIGIN = [
    ("service_name", pa.string()),
    ("scope_name", pa.string()),
    ("resource_id", pa.uint64()),
]
SPANS = pa.schema(
    [
        ("trace_key", pa.uint64()),
        ("trace_id", pa.string()),
        ("span_id", pa.string()),
        ("parent_span_id", pa.string()),
        ("name", pa.string()),
        ("kind", pa.string()),
        ("start_unix_nano", pa.int64()),
        ("end_unix_nano", pa.int64()),
        ("status_code", pa.string()),
        ("status_message", pa.string()),
        ("trace_state", pa.string()),
        ("shape_id", pa.uint64()),
        ("attribute_values", pa.list_(pa.string())),
        ("events", pa.string()),
        ("links", pa.string()),
        ("root", pa.string()),
        ("hop", pa.string()),
        ("context", pa.string()),
        *_ORIGIN,
    ]
)
LOGS = pa.schema(
    [
        ("trace_key", pa.uint64()),
        ("trace_id", pa.string()),
        ("span_id", pa.string()),
        ("time_unix_nano", pa.int64()),
        ("severity_number", pa.int32()),
        ("severity_text", pa.string()),
        ("event_name", pa.string()),
        ("body", pa.string()),
        *_ATTRIBUTES,
        *_ORIGIN,
    ]
)
METRICS = pa.schema(
    [
        ("name", pa.string()),
        ("description", pa.string()),
        ("unit", pa.string()),
        ("type", pa.string()),
        ("is_monotonic", pa.bool_()),
        ("temporality", pa.string()),
        ("time_unix_nano", pa.int64()),
        ("start_unix_nano", pa.int64()),
        ("value", pa.float64()),
        ("count", pa.uint64()),
        ("sum", pa.float64()),
        ("bounds", pa.list_(pa.float64())),
        ("bucket_counts", pa.list_(pa.uint64())),
        *_ATTRIBUTES,
        *_ORIGIN,
    ]
)
RESOURCES = pa.schema([("resource_id", pa.uint64()), *_ATTRIBUTES])
SHAPES = pa.schema(
    [
        ("shape_id", pa.uint64()),
        ("attribute_keys", pa.list_(pa.string())),
        ("attribute_types", pa.string()),
    ]
)


@dataclass(frozen=True)
class Resource:
    """What the telemetry of one process says of itself; equal ones have the same id."""

    id: int
    keys: tuple[str, ...]
    texts: tuple[str, ...]
    types: str


@dataclass(frozen=True)
class Shape:
    """The keys of a span's attributes, in order, and what their values are; equal ones have the
    same id."""

    id: int
    keys: tuple[str, ...]
    types: str

    def place(self, key: str) -> int | None:
        """Where the value of ``key`` stands; None when there is none."""
        if key not in self.keys:
            return None
        place = self.keys.index(key)
        return place if self.types[place] != NULL else None


@dataclass(frozen=True)
class Rows:
    """Rows of one kind, the resources and shapes that they name, and what tells a span from every
    other.

    ``table`` has the schema ``SPANS``, ``LOGS`` or ``METRICS``; the writer adds the column
    ``received_unix_nano``. ``identities`` has, for spans, the bytes of trace id and span id of
    each row.
    """

    kind: Kind
    table: pa.Table
    resources: Sequence[Resource] = ()
    shapes: Sequence[Shape] = ()
    identities: Sequence[bytes] = field(default=(), repr=False)
