"""Format failures of trace assertions: what was expected, what was found, and the trace."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from observatory.schemas.journey import Journey, Row
from observatory.terminal.waterfall import render_waterfall
from observatory.text_format import duration_text

PICTURE_WIDTH = 120
SHOWN_SPANS = 5


def picture(journey: Journey) -> str:
    """Render a trace as a waterfall."""
    return render_waterfall(journey, PICTURE_WIDTH)


def failure(journey: Journey, expected: str, found: str) -> BaseException:
    """Return the exception to raise for a failed assertion about a trace."""
    message = f"expected: {expected}\n   found: {found}\n\n{picture(journey)}"
    return pytest.fail.Exception(message)


def describe_query(service: str | None, name: str | None, attributes: Mapping[str, object]) -> str:
    """Describe the wanted spans: `charge/* with boxoffice.order.id = 'A'`."""
    conditions = [f"{key} = {value!r}" for key, value in attributes.items()]
    suffix = f" with {', '.join(conditions)}" if conditions else ""
    return f"{service or '*'}/{name or '*'}{suffix}"


def describe_span(row: Row | None) -> str:
    """Return a span's service and name, as in the waterfall."""
    return f"{row['service']}/{row['name']}" if row else "no stored span"


def describe_spans(rows: Sequence[Row], keys: Sequence[str] = ()) -> str:
    """Describe spans, each with its start, its duration and its attributes `keys`."""
    descriptions = [_with_times(row, keys) for row in rows[:SHOWN_SPANS]]
    more = [f"{len(rows) - SHOWN_SPANS} more"] if len(rows) > SHOWN_SPANS else []
    return f"{len(rows)}" + (f": {'; '.join([*descriptions, *more])}" if rows else "")


def _with_times(row: Row, keys: Sequence[str]) -> str:
    start, duration = duration_text(row["offset_ms"]), duration_text(row["duration_ms"])
    attributes = "".join(f", {key} = {row['attributes'].get(key)!r}" for key in keys)
    return f"{describe_span(row)} at {start} for {duration}{attributes}"
