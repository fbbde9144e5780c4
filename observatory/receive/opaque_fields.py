"""Decode OTLP requests to Arrow tables, leaving rarely used fields as bytes.

ptars decodes protobuf into Arrow columns without creating an object per message. Here it is given
copies of OTLP's types in which some fields are declared as ``bytes``, and so stay serialized:
events, links, log bodies, resources, and arrays and maps among attribute values. That works because
an embedded message and ``bytes`` have the same wire format. Arrays and maps have to stay
serialized, because ``AnyValue`` is recursive and Arrow types are not.
"""

from collections.abc import Sequence

import pyarrow as pa
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError, Message
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2
from opentelemetry.proto.common.v1 import common_pb2
from opentelemetry.proto.logs.v1 import logs_pb2
from opentelemetry.proto.metrics.v1 import metrics_pb2
from opentelemetry.proto.resource.v1 import resource_pb2
from opentelemetry.proto.trace.v1 import trace_pb2
from ptars import HandlerPool

OPAQUE_FIELDS = {
    ("AnyValue", "array_value"),
    ("AnyValue", "kvlist_value"),
    ("ResourceSpans", "resource"),
    ("Span", "events"),
    ("Span", "links"),
    ("ResourceLogs", "resource"),
    ("LogRecord", "body"),
    ("ResourceMetrics", "resource"),
    ("NumberDataPoint", "attributes"),
    ("HistogramDataPoint", "attributes"),
    ("ExponentialHistogramDataPoint", "attributes"),
    ("SummaryDataPoint", "attributes"),
}
FILES = (
    common_pb2,
    resource_pb2,
    trace_pb2,
    logs_pb2,
    metrics_pb2,
    trace_service_pb2,
    logs_service_pb2,
    metrics_service_pb2,
)


def _pool_with_opaque_fields() -> descriptor_pool.DescriptorPool:
    pool = descriptor_pool.DescriptorPool()
    for module in FILES:
        file = descriptor_pb2.FileDescriptorProto()
        module.DESCRIPTOR.CopyToProto(file)
        for message in file.message_type:
            for field in message.field:
                if (message.name, field.name) in OPAQUE_FIELDS:
                    field.type = field.TYPE_BYTES
                    field.ClearField("type_name")
        pool.Add(file)
    return pool


_POOL = _pool_with_opaque_fields()


class Columns:
    """Decodes messages of one type to a record batch with a row per message."""

    def __init__(self, type_: type[Message]) -> None:
        descriptor = _POOL.FindMessageTypeByName(type_.DESCRIPTOR.full_name)
        self._handler = HandlerPool([descriptor.file]).get_for_message(descriptor)

    def of(self, bodies: Sequence[bytes]) -> pa.RecordBatch:
        """Decode serialized messages.

        Raises:
            DecodeError: one of ``bodies`` is not a message of this type.
        """
        try:
            return self._handler.list_to_record_batch(list(bodies))
        except ValueError as error:
            raise DecodeError(str(error)) from error


def _with_opaque_fields(type_: type[Message]) -> type[Message]:
    descriptor = _POOL.FindMessageTypeByName(type_.DESCRIPTOR.full_name)
    opaque_type: type[Message] = message_factory.GetMessageClass(descriptor)
    return opaque_type


TRACE_REQUESTS = Columns(trace_service_pb2.ExportTraceServiceRequest)
LOGS_REQUESTS = Columns(logs_service_pb2.ExportLogsServiceRequest)
ATTRIBUTES = Columns(common_pb2.KeyValue)
# Metrics arrive too seldom, and in too many forms, for decoding to columns to pay off.
MetricsRequest = _with_opaque_fields(metrics_service_pb2.ExportMetricsServiceRequest)
