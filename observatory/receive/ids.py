"""Convert columns of ids: bytes in OTLP, hexadecimal text and numbers in the store."""

import sys
from array import array

import pyarrow as pa
import pyarrow.compute as pc

TRACE_ID_BYTES = 16
SPAN_ID_BYTES = 8
NO_TRACE = bytes(TRACE_ID_BYTES)
NO_SPAN = bytes(SPAN_ID_BYTES)

# Typed scalars: Arrow takes longer to infer a Python value's type than to compare with it.
_ZEROS = {len(id_): pa.scalar(id_, pa.binary()) for id_ in (NO_TRACE, NO_SPAN)}
_NO_TEXT = pa.scalar(None, pa.string())


def is_id(ids: pa.BinaryArray, bytes_: int) -> pa.BooleanArray:
    """Return which of ``ids`` are valid: of ``bytes_`` bytes, and not all zero."""
    return pc.and_(_has_length(ids, bytes_), pc.not_equal(ids, _ZEROS[bytes_]))


def is_id_or_empty(ids: pa.BinaryArray, bytes_: int) -> pa.BooleanArray:
    """Return which of ``ids`` have ``bytes_`` bytes or are empty."""
    return pc.or_(_has_length(ids, bytes_), _has_length(ids, 0))


def _has_length(ids: pa.BinaryArray, bytes_: int) -> pa.BooleanArray:
    return pc.equal(pc.binary_length(ids), pa.scalar(bytes_, pa.int32()))


def hexadecimal(ids: pa.BinaryArray, bytes_: int) -> pa.StringArray:
    """Convert ids to hexadecimal text; null where an id is empty or all zero."""
    offsets = pa.Int32Array.from_buffers(
        pa.int32(), len(ids) + 1, [None, ids.buffers()[1]], offset=ids.offset
    )
    text = (ids.buffers()[2] or pa.py_buffer(b"")).to_pybytes().hex().encode()
    doubled = pc.multiply(offsets, pa.scalar(2, pa.int32()))
    texts = pa.StringArray.from_buffers(len(ids), doubled.buffers()[1], pa.py_buffer(text))
    valid = is_id(ids, bytes_)
    return texts if pc.all(valid).as_py() is not False else pc.if_else(valid, texts, _NO_TEXT)


def trace_keys(ids: pa.BinaryArray) -> pa.UInt64Array:
    """Return the store's join key of each trace id: its big-endian halves, XORed.

    Each of ``ids`` must have 16 bytes.
    """
    halves = array("Q", ids.cast(pa.binary(TRACE_ID_BYTES)).buffers()[1].to_pybytes())
    if sys.byteorder == "little":
        halves.byteswap()
    firsts, lasts = (
        pa.UInt64Array.from_buffers(pa.uint64(), len(ids), [None, pa.py_buffer(of)])
        for of in (halves[::2], halves[1::2])
    )
    return pc.bit_wise_xor(firsts, lasts)
