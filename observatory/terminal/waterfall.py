"""Render a trace as a waterfall in the terminal."""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, cast

from observatory.promoted import title_of
from observatory.schemas.journey import Journey, Repeat, Row
from observatory.terminal.text import (
    BOLD,
    DIM,
    PARTY_COLOURS,
    RED,
    YELLOW,
    Ink,
    fit,
    pad,
    width_of,
    wrapped,
)
from observatory.text_format import count_text, duration_text

WIDTH_MIN = 60
WIDTH_MAX = 180
DURATION_WIDTH = 8
FINDINGS_SHOWN = 5
LINKS_SHOWN = 3

FULL, WAIT, MARK = "█", "░", "▏"
EIGHTHS = " ▏▎▍▌▋▊▉"


class Columns(NamedTuple):
    """The widths of the waterfall's columns, without the gaps between them."""

    service: int
    name: int
    bars: int


def render_waterfall(
    journey: Journey, width: int = 100, colour: bool = False, *, all_rows: bool = False
) -> str:
    """Render a trace as lines of at most ``width`` columns, each ended by a newline.

    Args:
        journey: what ``Observatory.trace`` returns.
        width: columns of the terminal; fewer than 60 are treated as 60, more than 180 as 180.
        colour: whether to use ANSI colours.
        all_rows: whether to print the repeats of a step too, instead of their number.
    """
    width = max(WIDTH_MIN, min(width, WIDTH_MAX))
    ink = Ink(colour)
    columns = _columns_for(journey["rows"], width)
    lines = [*_header(journey, width, ink), "", ink(_scale(journey["duration_ms"], columns), DIM)]
    for row in journey["rows"] if all_rows else folded_rows(journey):
        if "first" in row:
            lines.append(ink(fit("    ⋮ " + repeat_text(cast("Repeat", row)), width), DIM))
            continue
        lines.append(_row_line(row, journey["duration_ms"], columns, ink))
        lines.extend(_problem_lines(row, width, ink))
    lines += ["", *_footer(journey, width, ink)]
    return "".join(line.rstrip() + "\n" for line in lines)


def folded_rows(journey: Journey) -> Iterator[Row | Repeat]:
    """Yield the rows without repeats; the repeats of a step follow its first occurrence."""
    rows = journey["rows"]
    repeats = {repeat["first"]: repeat for repeat in journey["repeats"]}
    hidden = {span_id for repeat in journey["repeats"] for span_id in repeat["repeats"]}
    due: list[tuple[int, Repeat]] = []  # with the index of the row before which they are listed
    at = 0
    while at < len(rows):
        while due and due[-1][0] <= at:
            yield due.pop()[1]
        row = rows[at]
        if row["span_id"] in hidden:
            at = _end_of(rows, at)
            continue
        yield row
        if row["span_id"] in repeats:
            due.append((_end_of(rows, at), repeats[row["span_id"]]))
        at += 1
    while due:
        yield due.pop()[1]


def _end_of(rows: Sequence[Row], at: int) -> int:
    """Return the index after the last row below ``rows[at]`` in its leg."""
    top, end = rows[at], at + 1
    while (
        end < len(rows) and rows[end]["leg"] == top["leg"] and rows[end]["indent"] > top["indent"]
    ):
        end += 1
    return end


def repeat_text(repeat: Repeat) -> str:
    """Describe the repeats of a step on one line."""
    shortest, longest = duration_text(repeat["shortest_ms"]), duration_text(repeat["longest_ms"])
    took = shortest if shortest == longest else f"{shortest} to {longest}"
    times = len(repeat["repeats"])
    text = f"{times} more like this until {duration_text(repeat['to_ms'])}, {took} each"
    if repeat["spans"] > times:
        text += f" ({count_text(repeat['spans'], 'span')})"
    return text


def _header(journey: Journey, width: int, ink: Ink) -> Iterable[str]:
    name = title_of(journey)
    orphans = 0 if journey["awaiting"] else journey["orphans"]
    coverage = (journey["covered"] + journey["awaiting"]) / journey["spans"]
    facts = [
        count_text(len(journey["services"]), "service"),
        ("the first " if journey["truncated"] else "") + count_text(journey["spans"], "span"),
        count_text(orphans, "orphan"),
        f"coverage {percent_text(coverage)}",
    ]
    if journey["awaiting"]:
        facts.append("parents may still arrive")
    if journey["errors"]:
        facts.append(count_text(journey["errors"], "error"))
    complete = orphans == 0 and coverage == 1 and not journey["truncated"]
    title = f"{name}: {journey['headline']}"
    tail = " · ".join(facts)
    if len(title) + len(tail) + 3 <= width:
        yield ink(title, BOLD) + " · " + (tail if complete else ink(tail, YELLOW))
    else:
        yield ink(fit(title, width), BOLD)
        yield tail if complete else ink(tail, YELLOW)
    for finding in journey["findings"][:FINDINGS_SHOWN]:
        yield ink(fit(f"! {finding['text']}", width), YELLOW)
    if len(journey["findings"]) > FINDINGS_SHOWN:
        more = len(journey["findings"]) - FINDINGS_SHOWN
        yield ink(f"! {count_text(more, 'more finding')}", YELLOW)
    if journey["summary"]:
        yield from (ink(line, DIM) for line in wrapped(journey["summary"], width))


def _footer(journey: Journey, width: int, ink: Ink) -> Iterable[str]:
    present = {row["party"] for row in journey["rows"]}
    key = [
        ink(FULL * 2, colour) + f" {party}"
        for party, colour in PARTY_COLOURS.items()
        if party in present
    ]
    if any(row["wait"] for row in journey["rows"]):
        key.append(ink(WAIT * 2, DIM) + " waiting")
    yield "  ".join(key)
    yield ink(f"trace {journey['trace_id']}", DIM)
    if journey["truncated"]:
        shown = count_text(journey["spans"], "span")
        cut = f"The trace has more than {shown}; export it to get all of them."
        yield ink(fit(cut, width), YELLOW)
    for link in journey["linked_from"][:LINKS_SHOWN]:
        text = f"linked from {link['service']}: {link['name']}, trace {link['trace_id']}"
        yield ink(fit(text, width), DIM)
    if len(journey["linked_from"]) > LINKS_SHOWN:
        more = len(journey["linked_from"]) - LINKS_SHOWN
        yield ink(f"linked from {count_text(more, 'more span')}", DIM)
    if journey["missing_parents"]:
        parents = ", ".join(journey["missing_parents"])
        if journey["awaiting"]:
            yield ink(fit(f"parents that may still arrive: {parents}", width), DIM)
        else:
            yield ink(fit(f"missing parents: {parents}", width), YELLOW)


def _row_line(row: Row, total_ms: float, columns: Columns, ink: Ink) -> str:
    party = PARTY_COLOURS[row["party"]]
    mark = ink("✗ ", RED) if row["error"] else ink("? ", YELLOW) if row["orphan"] else "  "
    service = fit(row["service"], columns.service) if row["indent"] == 0 else ""
    indent = "  " * min(row["indent"], max(0, (columns.name - 12) // 2))
    name = fit(indent + row["label"], columns.name)
    hop = fit(f" · {row['hop']}" if row["hop"] else "", columns.name - width_of(name))
    wait, bar = _bar(row, total_ms, columns.bars)
    waited = duration_text(row["wait"]["duration_ms"]) if row["wait"] else ""
    return "".join(
        (
            mark,
            ink(pad(service, columns.service + 1), BOLD, party),
            ink(name, RED) if row["error"] else name,
            ink(pad(hop, columns.name - width_of(name) + 1), DIM),
            ink(wait, DIM),
            ink(pad(bar, columns.bars - len(wait)), RED if row["error"] else party),
            ink(waited.rjust(DURATION_WIDTH), DIM),
            duration_text(row["duration_ms"]).rjust(DURATION_WIDTH),
        )
    )


def _bar(row: Row, total_ms: float, width: int) -> tuple[str, str]:
    """Return the hatched wait, preceded by spaces, and the solid bar that follows it."""
    scale = width / total_ms if total_ms > 0 else 0.0
    begin = min(int(row["offset_ms"] * scale), width - 1)
    end = (row["offset_ms"] + row["duration_ms"]) * scale
    wait = " " * begin
    if row["wait"] is not None:
        waited_from = min(max(0, int(row["wait"]["offset_ms"] * scale)), begin)
        wait = " " * waited_from + WAIT * (begin - waited_from)
    whole, eighths = divmod(round((end - begin) * 8), 8)
    bar = FULL * whole + EIGHTHS[eighths].strip()
    return wait, bar[: width - begin] or MARK


def _problem_lines(row: Row, width: int, ink: Ink) -> Iterable[str]:
    for problem in context_problems(row):
        yield ink("    " + fit(problem, width - 4), YELLOW)
    if message := error_message(row):
        yield ink("    " + fit(message, width - 4), RED)


def context_problems(row: Row) -> Iterable[str]:
    """Describe what is wrong with the context that a span received."""
    if row["context"] and row["context"] != "carried":
        reason = row["attributes"].get("throughline.context.reason")
        yield f"context {row['context']}" + (f": {reason}" if reason else "")
    if row["orphan"]:
        yield f"its parent {row['parent_span_id']} is not stored"


def error_message(row: Row) -> str:
    """Return the message of a span with an error on one line; empty if it has none."""
    if not row["error"]:
        return ""
    message = row["status_message"]
    exception = next((e for e in row["events"] if e["name"] == "exception"), None)
    if not message and exception:
        details = exception["attributes"]
        message = f"{details.get('exception.type')}: {details.get('exception.message')}"
    return " ".join(message.split())


def _scale(total_ms: float, columns: Columns) -> str:
    ticks = 4 if columns.bars >= 60 else 2 if columns.bars >= 30 else 1
    line = ""
    for tick in range(ticks):
        label = "│" + duration_text(total_ms * tick / ticks) if tick else "│0"
        line = line.ljust(tick * columns.bars // ticks) + label
    end = duration_text(total_ms) + "│"
    left = " " * (columns.service + columns.name + 4)
    heads = "waited".rjust(DURATION_WIDTH) + "took".rjust(DURATION_WIDTH)
    return left + line.ljust(columns.bars - len(end)) + end + heads


def _columns_for(rows: Iterable[Row], width: int) -> Columns:
    rows = list(rows)
    service = min(max(width_of(row["service"]) for row in rows), 8 if width < 100 else 15)
    longest = max(
        2 * row["indent"] + width_of(row["label"]) + (3 + len(row["hop"]) if row["hop"] else 0)
        for row in rows
    )
    name = max(16, min(longest, width * 7 // 20, 48))
    return Columns(service, name, width - service - name - 4 - 2 * DURATION_WIDTH)


def percent_text(share: float) -> str:
    """Format a share of spans."""
    # 99.97 % must not be rounded to 100 %, which would hide a lost span.
    return "100 %" if share == 1 else f"{min(share * 100, 99.9):.1f} %"
