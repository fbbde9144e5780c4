"""OTLP's requests as Arrow tables, opened only as far as every row needs it.

ptars reads protobuf into Arrow's columns without an object for each message. In the types that it
is given here the parts that are rare or that repeat (events, links, a log's body, lists among the
attributes, resources) stay as the bytes that were sent: the wire format of a message inside a
message is that of bytes. Lists of attribute values hold attribute values, which columns cannot.
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


def _types() -> descriptor_pool.DescriptorPool:
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


_POOL = _types()


class Columns:
    """Reads messages of one type into a table with a row for each and a column for each field."""

    def __init__(self, type_: type[Message]) -> None:
        descriptor = _POOL.FindMessageTypeByName(type_.DESCRIPTOR.full_name)
        self._handler = HandlerPool([descriptor.file]).get_for_message(descriptor)

    def of(self, bodies: Sequence[bytes]) -> pa.RecordBatch:
        """The table of some serialized messages.

        Raises:
            DecodeError: one of them is none.
        """
        try:
            return self._handler.list_to_record_batch(list(bodies))
        except ValueError as error:
            raise DecodeError(str(error)) from error


def _with_opaque_fields(type_: type[Message]) -> type[Message]:
    descriptor = _POOL.FindMessageTypeByName(type_.DESCRIPTOR.full_name)
    found: type[Message] = message_factory.GetMessageClass(descriptor)
    return found


TRACE_REQUESTS = Columns(trace_service_pb2.ExportTraceServiceRequest)
LOGS_REQUESTS = Columns(logs_service_pb2.ExportLogsServiceRequest)
ATTRIBUTES = Columns(common_pb2.KeyValue)
# Metrics have too many forms, and come too seldom, for columns to be worth their while.
MetricsRequest = _with_opaque_fields(metrics_service_pb2.ExportMetricsServiceRequest)
