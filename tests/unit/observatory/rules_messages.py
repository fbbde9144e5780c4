"""Messages of the emulator's request monitor, in the shape that the real one sends.

Taken from Firestore emulator 1.19.9 and shortened where nothing is lost; the values are made up.
"""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from observatory.rules_monitor.evaluation import Evaluation, read

PROJECT = "demo-throughline"
UID = "qwFYZFIpZnOyFkNuykcWfvjlvE9k"
TOKEN = "tok_0000000000000000_approved"
TRACE_ID, SPAN_ID = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
TRACEPARENT = f"00-{TRACE_ID}-{SPAN_ID}-01"
REQUEST_TIME = "2026-11-23T08:05:03.658Z"

RULES = """rules_version = '2';
service cloud.firestore {
  match /databases/{database}/documents {
    function signedIn() {
      return request.auth != null;
    }
    function isNewOrder(order) {
      return order.keys().hasAll(['uid', 'seats'])
        && order.seats is int
        && order.seats >= 1
        && order.seats <= 8;
    }
    match /shows/{show} {
      allow read: if true;
    }
    match /orders/{order} {
      allow read: if signedIn() && resource.data.uid == request.auth.uid;
      allow create: if signedIn()
        && request.resource.data.uid == request.auth.uid
        && isNewOrder(request.resource.data);
      allow update: if request.resource.data.uid == request.auth.uid;
    }
  }
}
"""
READ_LINE, CREATE_LINE, UPDATE_LINE, SEATS_LINE = 17, 18, 21, 11

UNDEFINED: dict[str, Any] = {"undefined": {}}
NULL: dict[str, Any] = {"nullValue": None}


def typed(value: Any) -> dict[str, Any]:  # noqa: PLR0911  # one return a type
    """A Python value in the emulator's spelling; a dict of one ``…Value`` is taken as spelled."""
    match value:
        case None:
            return NULL
        case bool():
            return {"boolValue": value}
        case int():
            return {"intValue": str(value)}
        case float():
            return {"floatValue": value}
        case str():
            return {"stringValue": value}
        case list():
            return {"listValue": {"values": [typed(item) for item in value]}}
        case dict() if len(value) == 1 and next(iter(value)).endswith(("Value", "undefined")):
            return value
        case dict():
            return {"mapValue": {"fields": {key: typed(item) for key, item in value.items()}}}
    raise TypeError(type(value))


def order(**changes: Any) -> dict[str, Any]:
    """The fields of an order; ``...`` leaves one out."""
    fields = {
        "uid": UID,
        "show_id": "night-ferry",
        "seats": 2,
        "card_token": TOKEN,
        "state": "placed",
        "placed_at": {"timestampValue": REQUEST_TIME},
        "_trace": {"traceparent": TRACEPARENT},
        **changes,
    }
    return {key: value for key, value in fields.items() if value is not ...}


def message(
    outcome: str,
    method: str = "create",
    path: str = "orders/whpLyvtl6eZ9a2jiJ9aA",
    *,
    attempted: dict[str, Any] | None = None,
    stored: dict[str, Any] | None = None,
    looked_up: bool = False,
    allows: list[tuple[int, bool]] | None = None,
    uid: str | None = UID,
    **changes: Any,
) -> dict[str, Any]:
    """One evaluation's message.

    ``attempted`` and ``stored`` are the fields of the document as written and as it is, None where
    the rules didn't ask; with ``looked_up`` they did and it wasn't there. ``changes`` replaces keys
    of the message itself.
    """
    name = f"/databases/(default)/documents/{path}"

    def document(fields: dict[str, Any]) -> dict[str, Any]:
        return typed({"data": typed(fields), "__name__": {"pathValue": {}}, "id": "x"})

    request = {
        "readFields": NULL,
        "headers": {"mapValue": {}},
        "path": {"pathValue": {"segments": [{"simple": part} for part in name.split("/")[1:]]}},
        "inTransaction": True,
        "method": method,
        "auth": typed({"uid": uid, "token": {"sub": uid, "aud": PROJECT}} if uid else None),
        "resource": UNDEFINED if attempted is None else document(attempted),
        "time": {"timestampValue": REQUEST_TIME},
    }
    return {
        "rulesReleaseKey": f"projects/{PROJECT}/releases/cloud.firestore455722212",
        "requestId": str(uuid4()),
        "rules": RULES,
        "time": "2026-11-23T08:05:03.756743Z",
        "rulesContext": {
            "path": name,
            "request": {"mapValue": {"fields": {key: typed(v) for key, v in request.items()}}},
            "method": method,
            "resource": document(stored)
            if stored is not None
            else NULL
            if looked_up
            else UNDEFINED,
            "time": REQUEST_TIME,
        },
        "granularAllowOutcomes": [
            {"line": line, "outcome": said}
            for line, said in (allows if allows is not None else [(CREATE_LINE, False)])
        ],
        "outcome": outcome,
        **changes,
    }


def first_try(**changes: Any) -> dict[str, Any]:
    """The evaluation before the emulator has looked the document up."""
    return message("error", **{"allows": [(CREATE_LINE, False)], **changes})


def denied(**fields: Any) -> dict[str, Any]:
    """The second evaluation of a create that is denied."""
    allows = [(CREATE_LINE, False), (CREATE_LINE, False)]
    return message("deny", attempted=order(**fields), allows=allows, looked_up=True)


def allowed(**fields: Any) -> dict[str, Any]:
    """The second evaluation of a create that is allowed."""
    allows = [(CREATE_LINE, False), (CREATE_LINE, True)]
    return message("allow", attempted=order(**fields), allows=allows, looked_up=True)


def evaluation(raw: dict[str, Any]) -> Evaluation:
    """A message, read."""
    return read(raw)
