"""The main differences between two traces, in words."""

from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

from observatory.schemas.comparison import DiffRow, DiffSide, SentencePart, Verdict
from observatory.text_format import count_text, duration_text, short_name

# A smaller difference, as a share of the longer trace, is not mentioned.
SIGNIFICANT_SHARE = 0.05
NAMED_STEPS = 2


class Cause(NamedTuple):
    """A step, and how much longer it ran or was queued in the right trace than in the left.

    The running time is the step's own, without its child spans.
    """

    row: DiffRow
    kind: Literal["ran", "waited"]
    delta_ms: float


def difference_sentence(
    left_ms: float, right_ms: float, rows: Sequence[DiffRow]
) -> list[SentencePart]:
    """Describe the differences, the most important first: steps, then failures, then time.

    Args:
        left_ms: the duration of the left trace.
        right_ms: the duration of the right trace.
        rows: the steps of both traces, parents before children.
    """
    parts: list[SentencePart] = []
    parts += _unmatched_steps("The right one lacks ", "missing", rows)
    parts += _unmatched_steps("It has " if parts else "The right one has ", "added", rows)
    parts += _failures(rows)
    parts += _durations(left_ms, right_ms, rows)
    while parts and parts[-1]["text"] == " ":
        parts.pop()
    return parts


def _unmatched_steps(begin: str, verdict: Verdict, rows: Sequence[DiffRow]) -> list[SentencePart]:
    # Hops come before calls within a leg, and large subtrees before small ones.
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
    beyond = ", which the left one lacks" if verdict == "added" else ""
    return [*parts, _plain(f"{beyond}."), _plain(" ")]


def _tops(rows: Sequence[DiffRow], verdict: Verdict) -> Iterator[tuple[DiffRow, int]]:
    """Yield the topmost steps with this verdict, each with the number of such steps below it."""
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


def _failures(rows: Sequence[DiffRow]) -> list[SentencePart]:
    failing = [
        row
        for row in rows
        if row["left"] and row["right"] and row["left"]["error"] != row["right"]["error"]
    ]
    if not failing:
        return []
    last = failing[-1]  # the deepest, whose failure its callers pass on
    where = "on the right" if last["right"] and last["right"]["error"] else "on the left"
    return [_strong(_step(last)), _plain(f" failed only {where}."), _plain(" ")]


def _durations(left_ms: float, right_ms: float, rows: Sequence[DiffRow]) -> list[SentencePart]:
    delta = right_ms - left_ms
    if abs(delta) < SIGNIFICANT_SHARE * max(left_ms, right_ms):
        return [_plain(f"Both took about {duration_text(left_ms)}.")]
    than = "longer" if delta > 0 else "less"
    parts = [
        _plain("The right one took "),
        _strong(f"{duration_text(abs(delta))} {than}"),
        _plain(f" ({duration_text(right_ms)} against {duration_text(left_ms)})"),
    ]
    cause = max(
        (each for each in _causes(rows) if each.delta_ms * delta > 0),
        key=lambda each: abs(each.delta_ms),
        default=None,
    )
    if cause is None:
        return [*parts, _plain(".")]
    amount = f"{duration_text(abs(cause.delta_ms))} {than}"
    if cause.kind == "waited":
        return [*parts, _plain(f": {amount} waiting for "), _strong(_step(cause.row)), _plain(".")]
    return [*parts, _plain(f": {amount} in "), _strong(_step(cause.row)), _plain(".")]


def _causes(rows: Sequence[DiffRow]) -> Iterator[Cause]:
    """Yield, for each step that both traces have, the differences of its wait and its own time."""
    own = {row["key"]: 0.0 for row in rows}
    ancestors: list[DiffRow] = []
    for row in rows:
        del ancestors[row["depth"] :]
        left, right = row["left"], row["right"]
        if left and right:
            delta = right["duration_ms"] - left["duration_ms"]
            own[row["key"]] += delta
            caller = ancestors[-1] if ancestors else None
            if caller and _within(left, caller["left"]) and _within(right, caller["right"]):
                own[caller["key"]] -= delta
            yield Cause(row, "waited", right["wait_ms"] - left["wait_ms"])
        ancestors.append(row)
    for row in rows:
        if row["delta_ms"] is not None:
            yield Cause(row, "ran", own[row["key"]])


def _within(called: DiffSide, caller: DiffSide | None) -> bool:
    # A consumer that ends after its sender takes nothing from the sender's own time.
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
