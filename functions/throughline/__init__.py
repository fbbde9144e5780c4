"""How trace context crosses every hop of a Firebase app: one core, one adapter per kind of hop.

Copy this folder beside your main.py, call `throughline.start()` there, and put one decorator above
each function.
"""

from throughline.document import on_document, trace_field
from throughline.https import on_call, on_request
from throughline.message import on_message, sending
from throughline.task import enqueueing, on_task
from throughline.telemetry import flush, start
from throughline.vendor import Call, Untrusted, calling, on_webhook

__all__ = [
    "Call",
    "Untrusted",
    "calling",
    "enqueueing",
    "flush",
    "on_call",
    "on_document",
    "on_message",
    "on_request",
    "on_task",
    "on_webhook",
    "sending",
    "start",
    "trace_field",
]
