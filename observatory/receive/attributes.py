"""Attributes as columns: a row's values are text, and its keys are told once for all its like."""

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
from observatory.store.rows import Resource, Shape
from observatory.store.values import BYTES_PREFIX, EXACT_IN_JSON

UNKNOWN_SERVICE = "unknown_service"
REMEMBERED_SHAPES = 8_192
REMEMBERED_RESOURCES = 1_024
# A row's shape is found by numbers that have the key above this many bits, and the letter in them.
LETTER_BITS = 8


@dataclass(frozen=True)
class Attributes:
    """The attributes of many rows, one row's after the other.

    ``offsets`` says where each row's begin, and where the last one's end. ``keys``, ``texts`` and
    ``letters`` (see ``store.values``) have an item for each attribute; no row has a key twice.
    """

    offsets: pa.Int32Array
    keys: pa.StringArray
    texts: pa.StringArray
    letters: pa.UInt8Array

    @property
    def maps(self) -> pa.MapArray:
        """The column ``attributes`` of the store."""
        return pa.MapArray.from_arrays(self.offsets, self.keys, self.texts)

    @property
    def types(self) -> pa.StringArray:
        """The column ``attribute_types`` of the store."""
        # A letter is one byte, so where a row's attributes begin so do its letters.
        return pa.StringArray.from_buffers(
            len(self.offsets) - 1, self.offsets.buffers()[1], self.letters.buffers()[1]
        )

    @property
    def values(self) -> pa.ListArray:
        """The column ``attribute_values`` of the store."""
        return pa.ListArray.from_arrays(self.offsets, self.texts)

    @cached_property
    def shapes(self) -> "tuple[list[Shape], pa.Int32Array]":
        """The distinct shapes, and the number there of each row's."""
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
        return [_shape(row, names) for row in rows.dictionary.to_pylist()], rows.indices

    @property
    def shape_ids(self) -> pa.UInt64Array:
        """The column ``shape_id`` of the store."""
        shapes, of_row = self.shapes
        return pa.array([shape.id for shape in shapes], pa.uint64()).take(of_row)

    def lifted(self, key: str) -> pa.StringArray:
        """The texts that have this key, row by row; null in rows without it."""
        shapes, of_row = self.shapes
        places = pa.array([shape.place(key) for shape in shapes], pa.int32())
        if places.null_count == len(places):
            return pa.nulls(len(of_row), pa.string())
        begins = self.offsets.slice(0, len(of_row))
        return self.texts.take(pc.add(begins, places.take(of_row)))


def _shape(row: bytes, names: Sequence[str]) -> Shape:
    pairs = array("i", row)
    mask = (1 << LETTER_BITS) - 1
    return _shape_of(
        tuple(names[pair >> LETTER_BITS] for pair in pairs),
        bytes(pair & mask for pair in pairs).decode(),
    )


@lru_cache(REMEMBERED_SHAPES)
def _shape_of(keys: tuple[str, ...], types: str) -> Shape:
    return Shape(_id_of(json_of([keys, types])), keys, types)


def attributes_of(lists: pa.ListArray) -> Attributes:
    """The attributes of rows that each have a list of ``KeyValue``."""
    begin = lists.offsets[0].as_py() if len(lists) else 0
    pairs = lists.flatten()
    keys, values = pairs.flatten()[:2]
    texts, letters = _read(values)
    offsets = pc.subtract(lists.offsets, pa.scalar(begin, pa.int32()))
    found = Attributes(offsets, keys, texts, letters)
    # OTLP forbids it; a sender that does it anyway means the last.
    if any(len(set(shape.keys)) != len(shape.keys) for shape in found.shapes[0]):
        return _each_key_once(found)
    return found


def attributes_of_rows(rows: Sequence[Sequence[bytes]]) -> Attributes:
    """The attributes of rows, each of which has them as serialized ``KeyValue``.

    Raises:
        DecodeError: one of them is none.
    """
    offsets = pa.array(list(accumulate(map(len, rows), initial=0)), pa.int32())
    pairs = ATTRIBUTES.of(list(chain.from_iterable(rows)))
    return attributes_of(pa.ListArray.from_arrays(offsets, pairs.to_struct_array()))


def _each_key_once(found: Attributes) -> Attributes:
    shapes, of_row = found.shapes
    # Where in the row each key is said for the last time.
    last = [list({key: place for place, key in enumerate(shape.keys)}.values()) for shape in shapes]
    begins = found.offsets.to_pylist()
    kept = [
        [begin + place for place in last[shape]]
        for begin, shape in zip(begins, of_row.to_pylist(), strict=False)
    ]
    places = pa.array(list(chain.from_iterable(kept)), pa.int32())
    return Attributes(
        pa.array(list(accumulate(map(len, kept), initial=0)), pa.int32()),
        found.keys.take(places),
        found.texts.take(places),
        found.letters.take(places),
    )


def _read(values: pa.StructArray) -> tuple[pa.StringArray, pa.UInt8Array]:
    """Texts and letters of a column of ``AnyValue``."""
    field = {values.type.field(at).name: each for at, each in enumerate(values.flatten())}
    texts = field["string_value"]
    letters = pc.if_else(texts.is_valid(), _letter("s"), _letter("n"))
    if not texts.null_count:
        return texts, letters
    for name, (letter, text_of_column) in READERS.items():
        column = field[name]
        if column.null_count < len(column):
            texts = pc.coalesce(texts, text_of_column(column))
            letters = pc.if_else(column.is_valid(), _letter(letter), letters)
    return texts.fill_null(""), letters


def _letter(letter: str) -> pa.Scalar:
    return pa.scalar(ord(letter), pa.uint8())


def _cast(column: pa.Array) -> pa.StringArray:
    return column.cast(pa.string())


def _one_by_one(text_of_item: Callable[[Any], str]) -> Callable[[pa.Array], pa.StringArray]:
    def texts(column: pa.Array) -> pa.StringArray:
        found = column.dictionary_encode()
        opened = [text_of_item(item) for item in found.dictionary.to_pylist()]
        return pa.array(opened, pa.string()).take(found.indices)

    return texts


def _array(raw: bytes) -> str:
    return json_of([plain(item) for item in ArrayValue.FromString(raw).values])


def _map(raw: bytes) -> str:
    return json_of(plain_attributes(KeyValueList.FromString(raw).values))


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


# By AnyValue's field: its letter, and a column of it as text.
READERS: dict[str, tuple[str, Callable[[pa.Array], pa.StringArray]]] = {
    "int_value": ("i", _cast),
    "bool_value": ("b", _cast),
    "double_value": ("d", _one_by_one(json.dumps)),
    "array_value": ("a", _one_by_one(_array)),
    "kvlist_value": ("m", _one_by_one(_map)),
    "bytes_value": ("x", _one_by_one(_base64)),
}


def plain(value: AnyValue) -> Any:  # noqa: PLR0911  # one return a type
    """An OTLP value as the JSON value nearest to it; what JSON lacks becomes text."""
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
    """OTLP attributes as a dictionary that JSON can say."""
    return {attribute.key: plain(attribute.value) for attribute in attributes}


def json_of(value: Any) -> str:
    """``value`` as the JSON text that the store keeps."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


@lru_cache(REMEMBERED_RESOURCES)
def resource_of(raw: bytes) -> tuple[Resource, str]:
    """The resource that a serialized ``Resource`` describes, and the name of its service.

    Raises:
        DecodeError: it is none.
    """
    message = ResourceMessage.FromString(raw)
    found = attributes_of_rows([[each.SerializeToString() for each in message.attributes]])
    keys, texts, types = found.keys.to_pylist(), found.texts.to_pylist(), found.types[0].as_py()
    said = sorted(zip(keys, texts, types, strict=True))
    resource = Resource(_id_of(json_of(said)), tuple(keys), tuple(texts), types)
    return resource, dict(zip(keys, texts, strict=True)).get("service.name") or UNKNOWN_SERVICE


def _id_of(said: str) -> int:
    return int.from_bytes(blake2b(said.encode(), digest_size=8).digest())
