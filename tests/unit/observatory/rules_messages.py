"""Messages in the format of the Firestore emulator's request monitor.

Recorded from Firestore emulator 1.19.9 and shortened where that loses nothing; the values are made
up.
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
    """Convert a Python value to the emulator's typed format; keep one that is typed already."""
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
    """Return the fields of an order; ``...`` as a value removes the field."""
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
    """Return the message of one evaluation.

    Args:
        outcome: ``allow``, ``deny`` or ``error``.
        method: the method of the request.
        path: the document, relative to the database.
        attempted: the fields of the attempted document; None if the rules did not use them.
        stored: the fields of the stored document; None if the emulator did not find it or did not
            look it up.
        looked_up: whether the emulator looked up a document that does not exist.
        allows: the line and outcome of each ``allow`` tried so far.
        uid: the signed-in user; None if signed out.
        changes: replaced keys of the message itself.
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
            {"line": line, "outcome": allowed_}
            for line, allowed_ in (allows if allows is not None else [(CREATE_LINE, False)])
        ],
        "outcome": outcome,
        **changes,
    }


def first_try(**changes: Any) -> dict[str, Any]:
    """Return the first evaluation, made before the emulator has looked up the document."""
    return message("error", **{"allows": [(CREATE_LINE, False)], **changes})


def denied(**fields: Any) -> dict[str, Any]:
    """Return the second evaluation of a denied create."""
    allows = [(CREATE_LINE, False), (CREATE_LINE, False)]
    return message("deny", attempted=order(**fields), allows=allows, looked_up=True)


def allowed(**fields: Any) -> dict[str, Any]:
    """Return the second evaluation of an allowed create."""
    allows = [(CREATE_LINE, False), (CREATE_LINE, True)]
    return message("allow", attempted=order(**fields), allows=allows, looked_up=True)


def evaluation(raw: dict[str, Any]) -> Evaluation:
    """Decode a message."""
    return read(raw)
