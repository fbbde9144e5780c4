"""How trace context crosses every hop of a Firebase app: one core, one adapter per kind of hop.

Copy this folder beside your main.py, call `throughline.start()` there, and put one decorator above
each function.
"""

from throughline.auth import on_auth
from throughline.baggage_corrections import correct_baggage
from throughline.carrier import BaggageKey
from throughline.claim import user_claim
from throughline.document import link_to_document, on_document, rejoining, trace_field
from throughline.event import on_event, publishing
from throughline.https import on_call, on_request
from throughline.json_body import InvalidJson, parse_json
from throughline.message import on_message, sending
from throughline.schedule import on_schedule
from throughline.task import enqueueing, on_task
from throughline.telemetry import flush, start
from throughline.vendor import Call, Untrusted, calling, on_webhook

__all__ = [
    "BaggageKey",
    "Call",
    "InvalidJson",
    "Untrusted",
    "calling",
    "correct_baggage",
    "enqueueing",
    "flush",
    "link_to_document",
    "on_auth",
    "on_call",
    "on_document",
    "on_event",
    "on_message",
    "on_request",
    "on_schedule",
    "on_task",
    "on_webhook",
    "parse_json",
    "publishing",
    "rejoining",
    "sending",
    "start",
    "trace_field",
    "user_claim",
]
