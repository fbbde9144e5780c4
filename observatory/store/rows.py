"""The Arrow schemas of rows to be stored."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import pyarrow as pa

# The type letter (see store.values) of an attribute without a value.
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
        ("schema_id", pa.uint64()),
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
        ("max_value", pa.float64()),
        *_ATTRIBUTES,
        *_ORIGIN,
    ]
)
RESOURCES = pa.schema([("resource_id", pa.uint64()), *_ATTRIBUTES])
ATTRIBUTE_SCHEMAS = pa.schema(
    [
        ("schema_id", pa.uint64()),
        ("attribute_keys", pa.list_(pa.string())),
        ("attribute_types", pa.string()),
    ]
)


@dataclass(frozen=True)
class Resource:
    """The attributes of an OpenTelemetry resource; equal resources have the same id."""

    id: int
    keys: tuple[str, ...]
    texts: tuple[str, ...]
    types: str


@dataclass(frozen=True)
class AttributeSchema:
    """The keys and value types of a span's attributes, in order; equal ones have the same id.

    Args:
        id: a hash of keys and types.
        keys: the attribute keys.
        types: a type letter (see ``store.values``) for each key.
    """

    id: int
    keys: tuple[str, ...]
    types: str

    def place(self, key: str) -> int | None:
        """Return the index of ``key`` among the keys; None if it is absent or has no value."""
        if key not in self.keys:
            return None
        place = self.keys.index(key)
        return place if self.types[place] != NULL else None


@dataclass(frozen=True)
class Rows:
    """Rows of one kind, with the resources and attribute schemas that they refer to.

    Args:
        kind: the kind of telemetry.
        table: rows with the schema ``SPANS``, ``LOGS`` or ``METRICS``; the writer adds the column
            ``received_unix_nano``.
        resources: the resources that the rows refer to.
        schemas: for spans, the attribute schemas that the rows refer to.
        identities: for spans, the trace id and span id of each row as 24 bytes.
    """

    kind: Kind
    table: pa.Table
    resources: Sequence[Resource] = ()
    schemas: Sequence[AttributeSchema] = ()
    identities: Sequence[bytes] = field(default=(), repr=False)
