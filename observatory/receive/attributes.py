"""Convert OTLP attributes to columns: values as text, and keys stored once per attribute schema."""

import base64
import json
import math
from array import array
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from hashlib import blake2b
from itertools import accumulate, chain
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from opentelemetry.proto.common.v1.common_pb2 import (
    AnyValue,
    ArrayValue,
    KeyValue,
    KeyValueList,
)
from opentelemetry.proto.resource.v1.resource_pb2 import Resource as ResourceMessage

from observatory.receive.opaque_fields import ATTRIBUTES
from observatory.store.rows import AttributeSchema, Resource
from observatory.store.values import BYTES_PREFIX, EXACT_IN_JSON

UNKNOWN_SERVICE = "unknown_service"
REMEMBERED_SCHEMAS = 8_192
REMEMBERED_RESOURCES = 1_024
# A number per attribute identifies a row's schema: the key's index in the high bits, the type
# letter in the low ones.
LETTER_BITS = 8


@dataclass(frozen=True)
class Attributes:
    """The attributes of many rows, concatenated.

    ``offsets`` holds the index of each row's first attribute, and the end of the last row.
    ``keys``, ``texts`` and ``letters`` (see ``store.values``) have one item per attribute. Keys are
    unique within a row.
    """

    offsets: pa.Int32Array
    keys: pa.StringArray
    texts: pa.StringArray
    letters: pa.UInt8Array

    @property
    def maps(self) -> pa.MapArray:
        """Return the store's column ``attributes``."""
        return pa.MapArray.from_arrays(self.offsets, self.keys, self.texts)

    @property
    def types(self) -> pa.StringArray:
        """Return the store's column ``attribute_types``."""
        # A letter is one byte, so the attribute offsets are also the byte offsets of the letters.
        return pa.StringArray.from_buffers(
            len(self.offsets) - 1, self.offsets.buffers()[1], self.letters.buffers()[1]
        )

    @property
    def values(self) -> pa.ListArray:
        """Return the store's column ``attribute_values``."""
        return pa.ListArray.from_arrays(self.offsets, self.texts)

    @cached_property
    def schemas(self) -> "tuple[list[AttributeSchema], pa.Int32Array]":
        """Return the distinct attribute schemas, and the index of each row's schema among them."""
        keys = self.keys.dictionary_encode()
        pairs = pc.bit_wise_or(
            pc.shift_left(keys.indices.cast(pa.int32()), pa.scalar(LETTER_BITS, pa.int32())),
            self.letters.cast(pa.int32()),
        )
        ends = pc.multiply(self.offsets, pa.scalar(pairs.type.bit_width // 8, pa.int32()))
        rows = pa.BinaryArray.from_buffers(
            pa.binary(), len(ends) - 1, [None, ends.buffers()[1], pairs.buffers()[1]]
        ).dictionary_encode()
        names = keys.dictionary.to_pylist()
        return [_decode_schema(row, names) for row in rows.dictionary.to_pylist()], rows.indices

    @property
    def schema_ids(self) -> pa.UInt64Array:
        """Return the store's column ``schema_id``."""
        schemas, of_row = self.schemas
        return pa.array([schema.id for schema in schemas], pa.uint64()).take(of_row)

    def values_of_key(self, key: str) -> pa.StringArray:
        """Return the text of this attribute for each row; null where the row lacks it."""
        schemas, of_row = self.schemas
        places = pa.array([schema.place(key) for schema in schemas], pa.int32())
        if places.null_count == len(places):
            return pa.nulls(len(of_row), pa.string())
        begins = self.offsets.slice(0, len(of_row))
        return self.texts.take(pc.add(begins, places.take(of_row)))


def _decode_schema(row: bytes, names: Sequence[str]) -> AttributeSchema:
    pairs = array("i", row)
    mask = (1 << LETTER_BITS) - 1
    return _schema_of(
        tuple(names[pair >> LETTER_BITS] for pair in pairs),
        bytes(pair & mask for pair in pairs).decode(),
    )


@lru_cache(REMEMBERED_SCHEMAS)
def _schema_of(keys: tuple[str, ...], types: str) -> AttributeSchema:
    return AttributeSchema(_id_of(json_of([keys, types])), keys, types)


def attributes_of(lists: pa.ListArray) -> Attributes:
    """Return the attributes of rows that each hold a list of ``KeyValue``."""
    first_offset = lists.offsets[0].as_py() if len(lists) else 0
    pairs = lists.flatten()
    keys, values = pairs.flatten()[:2]
    texts, letters = _read(values)
    offsets = pc.subtract(lists.offsets, pa.scalar(first_offset, pa.int32()))
    attributes = Attributes(offsets, keys, texts, letters)
    # OTLP forbids duplicate keys within a list; the last value wins.
    if any(len(set(schema.keys)) != len(schema.keys) for schema in attributes.schemas[0]):
        return _without_duplicate_keys(attributes)
    return attributes


def attributes_of_rows(rows: Sequence[Sequence[bytes]]) -> Attributes:
    """Return the attributes of rows that each hold a sequence of serialized ``KeyValue``.

    Raises:
        DecodeError: one of the messages is not a ``KeyValue``.
    """
    offsets = pa.array(list(accumulate(map(len, rows), initial=0)), pa.int32())
    pairs = ATTRIBUTES.of(list(chain.from_iterable(rows)))
    return attributes_of(pa.ListArray.from_arrays(offsets, pairs.to_struct_array()))


def _without_duplicate_keys(attributes: Attributes) -> Attributes:
    schemas, of_row = attributes.schemas
    # The position of each key's last occurrence within a row of that schema.
    last_places = [
        list({key: place for place, key in enumerate(schema.keys)}.values()) for schema in schemas
    ]
    begins = attributes.offsets.to_pylist()
    kept = [
        [begin + place for place in last_places[schema]]
        for begin, schema in zip(begins, of_row.to_pylist(), strict=False)
    ]
    places = pa.array(list(chain.from_iterable(kept)), pa.int32())
    return Attributes(
        pa.array(list(accumulate(map(len, kept), initial=0)), pa.int32()),
        attributes.keys.take(places),
        attributes.texts.take(places),
        attributes.letters.take(places),
    )


def _read(values: pa.StructArray) -> tuple[pa.StringArray, pa.UInt8Array]:
    """Return the texts and type letters of a column of ``AnyValue``."""
    field = {values.type.field(at).name: each for at, each in enumerate(values.flatten())}
    texts = field["string_value"]
    letters = pc.if_else(texts.is_valid(), _letter("s"), _letter("n"))
    if not texts.null_count:
        return texts, letters
    for name, (letter, text_of_column) in VALUE_READERS.items():
        column = field[name]
        if column.null_count < len(column):
            texts = pc.coalesce(texts, text_of_column(column))
            letters = pc.if_else(column.is_valid(), _letter(letter), letters)
    return texts.fill_null(""), letters


def _letter(letter: str) -> pa.Scalar:
    return pa.scalar(ord(letter), pa.uint8())


def _cast(column: pa.Array) -> pa.StringArray:
    return column.cast(pa.string())


def _per_distinct_value(text_of_item: Callable[[Any], str]) -> Callable[[pa.Array], pa.StringArray]:
    def texts(column: pa.Array) -> pa.StringArray:
        distinct = column.dictionary_encode()
        distinct_texts = [text_of_item(item) for item in distinct.dictionary.to_pylist()]
        return pa.array(distinct_texts, pa.string()).take(distinct.indices)

    return texts


def _array(raw: bytes) -> str:
    return json_of([plain(item) for item in ArrayValue.FromString(raw).values])


def _map(raw: bytes) -> str:
    return json_of(plain_attributes(KeyValueList.FromString(raw).values))


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


# For each field of AnyValue: the type letter, and a function that converts its column to text.
VALUE_READERS: dict[str, tuple[str, Callable[[pa.Array], pa.StringArray]]] = {
    "int_value": ("i", _cast),
    "bool_value": ("b", _cast),
    "double_value": ("d", _per_distinct_value(json.dumps)),
    "array_value": ("a", _per_distinct_value(_array)),
    "kvlist_value": ("m", _per_distinct_value(_map)),
    "bytes_value": ("x", _per_distinct_value(_base64)),
}


def plain(value: AnyValue) -> Any:  # noqa: PLR0911  # one return a type
    """Convert an OTLP value to the nearest JSON value; values that JSON lacks become strings."""
    match value.WhichOneof("value"):
        case "string_value":
            return value.string_value
        case "bool_value":
            return value.bool_value
        case "int_value":
            number = value.int_value
            return number if abs(number) <= EXACT_IN_JSON else str(number)
        case "double_value":
            double = value.double_value
            return double if math.isfinite(double) else json.dumps(double)
        case "array_value":
            return [plain(item) for item in value.array_value.values]
        case "kvlist_value":
            return plain_attributes(value.kvlist_value.values)
        case "bytes_value":
            return BYTES_PREFIX + base64.b64encode(value.bytes_value).decode()
        case _:
            return None


def plain_attributes(attributes: Iterable[KeyValue]) -> dict[str, Any]:
    """Convert OTLP attributes to a dictionary of JSON values."""
    return {attribute.key: plain(attribute.value) for attribute in attributes}


def json_of(value: Any) -> str:
    """Serialise ``value`` to the compact JSON that the store keeps."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


@lru_cache(REMEMBERED_RESOURCES)
def resource_of(raw: bytes) -> tuple[Resource, str]:
    """Return the resource in a serialized ``Resource`` message, and its service's name.

    Raises:
        DecodeError: ``raw`` is not a ``Resource``.
    """
    message = ResourceMessage.FromString(raw)
    attributes = attributes_of_rows([[each.SerializeToString() for each in message.attributes]])
    keys, texts, types = (
        attributes.keys.to_pylist(),
        attributes.texts.to_pylist(),
        attributes.types[0].as_py(),
    )
    identity = json_of(sorted(zip(keys, texts, types, strict=True)))
    resource = Resource(_id_of(identity), tuple(keys), tuple(texts), types)
    return resource, dict(zip(keys, texts, strict=True)).get("service.name") or UNKNOWN_SERVICE


def _id_of(identity: str) -> int:
    return int.from_bytes(blake2b(identity.encode(), digest_size=8).digest())
