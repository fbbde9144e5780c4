"""Convert stored rows to OTLP/JSON.

Ids are hexadecimal, enums are numbers and 64-bit integers are strings. Items are grouped by
resource and scope: https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding.
"""

import base64
import binascii
import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from observatory.receive.spans import KINDS, STATUS_CODES
from observatory.store.values import BYTES_PREFIX

Row = Mapping[str, Any]
Resources = Mapping[int, tuple[Mapping[str, str], str]]


def resource_spans(rows: Iterable[Row], resources: Resources) -> list[dict[str, Any]]:
    """Convert rows of ``whole_spans`` to the items of ``resourceSpans``.

    Args:
        rows: the rows.
        resources: by id, the columns ``attributes`` and ``attribute_types`` of each resource.
    """
    return grouped(rows, resources, ("scopeSpans", "spans"), _each(_span))


def resource_logs(rows: Iterable[Row], resources: Resources) -> list[dict[str, Any]]:
    """Convert rows of ``raw_logs`` to the items of ``resourceLogs``."""
    return grouped(rows, resources, ("scopeLogs", "logRecords"), _each(_log_record))


def grouped(
    rows: Iterable[Row],
    resources: Resources,
    names: tuple[str, str],
    items_of: Callable[[Sequence[Row]], list[dict[str, Any]]],
) -> list[dict[str, Any]]:
    """Group the items of rows by resource and scope.

    Args:
        rows: rows of one table.
        resources: by id, the columns ``attributes`` and ``attribute_types`` of each resource.
        names: the OTLP names of the list of scopes and the list of items.
        items_of: converts the rows of one scope to items.
    """
    groups: dict[int, dict[str, list[Row]]] = {}
    for row in rows:
        groups.setdefault(row["resource_id"], {}).setdefault(row["scope_name"], []).append(row)
    of_scope, items = names
    return [
        {
            "resource": with_attributes(*resources.get(resource_id, ({}, ""))),
            of_scope: [
                {"scope": {"name": name} if name else {}, items: items_of(scope_rows)}
                for name, scope_rows in scopes.items()
            ],
        }
        for resource_id, scopes in groups.items()
    ]


def _each(
    item_of: Callable[[Row], dict[str, Any]],
) -> Callable[[Sequence[Row]], list[dict[str, Any]]]:
    return lambda rows: [item_of(row) for row in rows]


def _span(row: Row) -> dict[str, Any]:
    span = {
        "traceId": row["trace_id"],
        "spanId": row["span_id"],
        "parentSpanId": row["parent_span_id"],
        "traceState": row["trace_state"],
        "name": row["name"],
        "kind": KINDS.index(row["kind"]),
        "startTimeUnixNano": str(row["start_unix_nano"]),
        "endTimeUnixNano": str(row["end_unix_nano"]),
        **with_attributes(row["attributes"], row["attribute_types"]),
        "events": [
            {
                "timeUnixNano": event["time_unix_nano"],
                "name": event["name"],
                **_with_values(event["attributes"]),
            }
            for event in json.loads(row["events"])
        ],
        "links": [
            {
                "traceId": link["trace_id"],
                "spanId": link["span_id"],
                **_with_values(link["attributes"]),
            }
            for link in json.loads(row["links"])
        ],
        "status": _status(row),
    }
    return {name: value for name, value in span.items() if value or name in ("name", "kind")}


def _status(row: Row) -> dict[str, Any]:
    status: dict[str, Any] = {}
    if row["status_code"] != STATUS_CODES[0]:
        status["code"] = STATUS_CODES.index(row["status_code"])
    if row["status_message"]:
        status["message"] = row["status_message"]
    return status


def _log_record(row: Row) -> dict[str, Any]:
    record = {
        "timeUnixNano": str(row["time_unix_nano"]),
        "severityNumber": row["severity_number"],
        "severityText": row["severity_text"],
        "eventName": row["event_name"],
        "traceId": row["trace_id"],
        "spanId": row["span_id"],
        **with_attributes(row["attributes"], row["attribute_types"]),
    }
    return {
        **{name: value for name, value in record.items() if value},
        "body": {"stringValue": row["body"]},
    }


def with_attributes(texts: Mapping[str, str], types: str) -> dict[str, Any]:
    """Return the member ``attributes`` of an item, in a dictionary that is empty without any."""
    if not texts:
        return {}
    return {
        "attributes": [
            {"key": key, "value": _any_value(text, letter)}
            for (key, text), letter in zip(texts.items(), types, strict=True)
        ]
    }


def _with_values(values: Mapping[str, Any]) -> dict[str, Any]:
    if not values:
        return {}
    return {
        "attributes": [
            {"key": key, "value": _any_value_of_json(value)} for key, value in values.items()
        ]
    }


def _any_value(text: str, letter: str) -> dict[str, Any]:  # noqa: PLR0911  # one return a type
    """Convert a stored attribute (see ``store.values``) to OTLP's ``AnyValue``."""
    match letter:
        case "i":
            return {"intValue": text}
        case "d":
            return {"doubleValue": double_json(float(text))}
        case "b":
            return {"boolValue": text == "true"}
        case "n":
            return {}
        case "a" | "m":
            return _any_value_of_json(json.loads(text))
        case "x":
            return {"bytesValue": text}
        case _:
            return {"stringValue": text}


def _any_value_of_json(value: Any) -> dict[str, Any]:  # noqa: PLR0911  # one return a type
    """Convert a value that is stored as JSON: within an array, an event or a link."""
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int):
        return {"intValue": str(value)}
    if isinstance(value, float):
        return {"doubleValue": value}
    if isinstance(value, list):
        return {"arrayValue": {"values": [_any_value_of_json(item) for item in value]}}
    if isinstance(value, dict):
        items = [{"key": key, "value": _any_value_of_json(item)} for key, item in value.items()]
        return {"kvlistValue": {"values": items}}
    if value is None:
        return {}
    without_prefix = value.removeprefix(BYTES_PREFIX)
    if without_prefix != value and _is_base64(without_prefix):
        return {"bytesValue": without_prefix}
    return {"stringValue": value}


def double_json(double: float) -> float | str:
    """Return a double as OTLP/JSON has it: NaN and infinities are strings."""
    if math.isfinite(double):
        return double
    return "NaN" if math.isnan(double) else f"{'-' if double < 0 else ''}Infinity"


def _is_base64(text: str) -> bool:
    try:
        return base64.b64encode(base64.b64decode(text, validate=True)).decode() == text
    except (binascii.Error, ValueError):
        return False
