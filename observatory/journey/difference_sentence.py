"""The main difference between two traces, in words."""

from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

from observatory.schemas.comparison import DiffRow, SentencePart, Side, Verdict
from observatory.text_format import count_text, duration_text, short_name

# Below this share of the longer trace a difference in time isn't the main thing.
WORTH_SHARE = 0.05
NAMED_STEPS = 2


class Cause(NamedTuple):
    """A step, and how much longer than on the left it took by itself, or was waited for."""

    row: DiffRow
    kind: Literal["ran", "waited"]
    delta_ms: float


def sentence_of(left_ms: float, right_ms: float, rows: Sequence[DiffRow]) -> list[SentencePart]:
    """What differs, in the order of weight: steps that are missing or new, failures, time.

    Args:
        left_ms: how long the left trace took.
        right_ms: how long the right trace took.
        rows: the steps of both, parents before what they called.
    """
    parts: list[SentencePart] = []
    parts += _gone("The right one lacks ", "missing", rows)
    parts += _gone("It has " if parts else "The right one has ", "added", rows)
    parts += _failed(rows)
    parts += _time(left_ms, right_ms, rows)
    while parts and parts[-1]["text"] == " ":
        parts.pop()
    return parts


def _gone(begin: str, verdict: Verdict, rows: Sequence[DiffRow]) -> list[SentencePart]:
    # A hop says more than a call within a step, and what brings much with it more than a leaf.
    tops = sorted(_tops(rows, verdict), key=lambda top: (top[0]["hop"] is None, -top[1]))
    if not tops:
        return []
    parts = [_plain(begin)]
    for number, (row, below) in enumerate(tops[:NAMED_STEPS]):
        if number:
            parts.append(_plain(" and " if len(tops) == NAMED_STEPS else ", "))
        parts.append(_strong(_step(row)))
        if below:
            parts.append(_plain(f" with {count_text(below, 'span')} below it"))
    hidden = len(tops) - NAMED_STEPS
    if hidden > 0:
        parts.append(_plain(f" and {count_text(hidden, 'more step')}"))
    beyond = ", which the left one doesn't" if verdict == "added" else ""
    return [*parts, _plain(f"{beyond}."), _plain(" ")]


def _tops(rows: Sequence[DiffRow], verdict: Verdict) -> Iterator[tuple[DiffRow, int]]:
    """The steps with this verdict that aren't below another such, and how many are."""
    top: DiffRow | None = None
    below = 0
    for row in rows:
        if top is not None and row["depth"] > top["depth"]:
            below += row["verdict"] == verdict
            continue
        if top is not None:
            yield top, below
        top, below = (row, 0) if row["verdict"] == verdict else (None, 0)
    if top is not None:
        yield top, below


def _failed(rows: Sequence[DiffRow]) -> list[SentencePart]:
    failing = [
        row
        for row in rows
        if row["left"] and row["right"] and row["left"]["error"] != row["right"]["error"]
    ]
    if not failing:
        return []
    last = failing[-1]  # the deepest of those that failed because of each other
    where = "on the right" if last["right"] and last["right"]["error"] else "on the left"
    return [_strong(_step(last)), _plain(f" failed only {where}."), _plain(" ")]


def _time(left_ms: float, right_ms: float, rows: Sequence[DiffRow]) -> list[SentencePart]:
    delta = right_ms - left_ms
    if abs(delta) < WORTH_SHARE * max(left_ms, right_ms):
        return [_plain(f"Both took about {duration_text(left_ms)}.")]
    than = "longer" if delta > 0 else "less"
    parts = [
        _plain("The right one took "),
        _strong(f"{duration_text(abs(delta))} {than}"),
        _plain(f" ({duration_text(right_ms)} against {duration_text(left_ms)})"),
    ]
    cause = max(
        (one for one in _causes(rows) if one.delta_ms * delta > 0),
        key=lambda one: abs(one.delta_ms),
        default=None,
    )
    if cause is None:
        return [*parts, _plain(".")]
    by = f"{duration_text(abs(cause.delta_ms))} {than}"
    if cause.kind == "waited":
        return [*parts, _plain(f": {by} waiting for "), _strong(_step(cause.row)), _plain(".")]
    return [*parts, _plain(f": {by} in "), _strong(_step(cause.row)), _plain(".")]


def _causes(rows: Sequence[DiffRow]) -> Iterator[Cause]:
    """For each step that both have, its own part in the difference: without what it called."""
    own = {row["key"]: 0.0 for row in rows}
    above: list[DiffRow] = []
    for row in rows:
        del above[row["depth"] :]
        left, right = row["left"], row["right"]
        if left and right:
            delta = right["duration_ms"] - left["duration_ms"]
            own[row["key"]] += delta
            if above and _within(left, above[-1]["left"]) and _within(right, above[-1]["right"]):
                own[above[-1]["key"]] -= delta
            yield Cause(row, "waited", right["wait_ms"] - left["wait_ms"])
        above.append(row)
    for row in rows:
        if row["delta_ms"] is not None:
            yield Cause(row, "ran", own[row["key"]])


def _within(called: Side, caller: Side | None) -> bool:
    # Nobody's own time is less for what takes its message later.
    return caller is not None and (
        called["offset_ms"] + called["duration_ms"] <= caller["offset_ms"] + caller["duration_ms"]
    )


def _step(row: DiffRow) -> str:
    name = short_name(row["name"])
    return name if name == row["service"] else f"{name} of {row['service']}"


def _plain(text: str) -> SentencePart:
    return {"text": text, "strong": False}


def _strong(text: str) -> SentencePart:
    return {"text": text, "strong": True}
