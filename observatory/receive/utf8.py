"""Repair protobuf messages whose strings are not UTF-8.

One such string makes protobuf reject the whole message. Strings and bytes have the same wire
format, so a copy of OTLP's types with ``bytes`` in place of ``string`` can parse it.
"""

from collections.abc import Iterator
from functools import cache
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.descriptor import FieldDescriptor, FileDescriptor
from google.protobuf.message import Message


def repair(message_type: type[Message], body: bytes) -> tuple[bytes, int]:
    """Replace invalid bytes in strings with U+FFFD.

    Returns:
        The message, and how many of its strings were repaired.

    Raises:
        DecodeError: the body is not a message of that type for another reason.
    """
    message = _with_bytes_for_strings(message_type.DESCRIPTOR.full_name)()
    message.ParseFromString(body)
    repaired = sum(_repair_fields(each) for each in _messages(message))
    return bytes(message.SerializeToString()), repaired


@cache
def _with_bytes_for_strings(full_name: str) -> Any:
    pool = descriptor_pool.DescriptorPool()
    _add(pool, descriptor_pool.Default().FindMessageTypeByName(full_name).file, set())
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(full_name))


def _add(pool: descriptor_pool.DescriptorPool, file: FileDescriptor, added: set[str]) -> None:
    if file.name in added:
        return
    added.add(file.name)
    for dependency in file.dependencies:
        _add(pool, dependency, added)
    copy = descriptor_pb2.FileDescriptorProto()
    file.CopyToProto(copy)
    messages = list(copy.message_type)
    while messages:
        message = messages.pop()
        messages += message.nested_type
        for field in message.field:
            if field.type == field.TYPE_STRING:
                field.type = field.TYPE_BYTES
    pool.Add(copy)


def _messages(message: Any) -> Iterator[Any]:
    """Yield a message and all messages within it."""
    pending = [message]
    while pending:
        current = pending.pop()
        yield current
        for field, value in current.ListFields():
            if field.type == FieldDescriptor.TYPE_MESSAGE:
                pending += value if field.is_repeated else [value]


def _repair_fields(message: Any) -> int:
    repaired = 0
    for field, value in message.ListFields():
        if field.type != FieldDescriptor.TYPE_BYTES or not _was_string(field):
            continue
        if field.is_repeated:
            texts = [_valid(each) for each in value]
            repaired += sum(old != new for old, new in zip(value, texts, strict=True))
            value[:] = texts
        else:
            text = _valid(value)
            repaired += text != value
            setattr(message, field.name, text)
    return repaired


def _valid(text: bytes) -> bytes:
    return text.decode("utf-8", "replace").encode()


@cache
def _was_string(field: FieldDescriptor) -> bool:
    original = descriptor_pool.Default().FindMessageTypeByName(field.containing_type.full_name)
    return bool(original.fields_by_name[field.name].type == FieldDescriptor.TYPE_STRING)
