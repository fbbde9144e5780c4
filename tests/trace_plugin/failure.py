"""What a test shows where a trace isn't as it said: what was expected, what came, and the trace."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from observatory.schemas.journey import Journey, Row
from observatory.terminal.waterfall import render_waterfall
from observatory.text_format import duration_text

PICTURE_WIDTH = 120
SHOWN_MOST = 5


def picture(journey: Journey) -> str:
    """The trace as a waterfall."""
    return render_waterfall(journey, PICTURE_WIDTH)


def failure(journey: Journey, expected: str, came: str) -> BaseException:
    """What to raise where a trace isn't as expected."""
    said = f"expected: {expected}\n    came: {came}\n\n{picture(journey)}"
    return pytest.fail.Exception(said)


def wanted(service: str | None, name: str | None, attributes: Mapping[str, object]) -> str:
    """A description of spans in words: `charge/* with boxoffice.order.id = 'A'`."""
    said = [f"{key} = {value!r}" for key, value in attributes.items()]
    return f"{service or '*'}/{name or '*'}" + (f" with {', '.join(said)}" if said else "")


def named(row: Row | None) -> str:
    """A span in words, for who looks for it in the waterfall."""
    return f"{row['service']}/{row['name']}" if row else "nothing that is stored"


def listed(rows: Sequence[Row], keys: Sequence[str] = ()) -> str:
    """Spans in words, each with when it began, how long it took and what it says of `keys`."""
    said = [_placed(row, keys) for row in rows[:SHOWN_MOST]]
    more = [f"{len(rows) - SHOWN_MOST} more"] if len(rows) > SHOWN_MOST else []
    return f"{len(rows)}" + (f": {'; '.join([*said, *more])}" if rows else "")


def _placed(row: Row, keys: Sequence[str]) -> str:
    began, took = duration_text(row["offset_ms"]), duration_text(row["duration_ms"])
    said = "".join(f", {key} = {row['attributes'].get(key)!r}" for key in keys)
    return f"{named(row)} at {began} for {took}{said}"
