"""Render the difference between two traces in the terminal."""

from collections.abc import Iterable

from observatory.promoted import title_of
from observatory.schemas.comparison import Diff, DiffRow, DiffSide, DiffTrace, Verdict
from observatory.terminal.text import (
    BOLD,
    DIM,
    GREEN,
    RED,
    YELLOW,
    Ink,
    fit,
    pad,
    width_of,
    wrapped,
)
from observatory.text_format import count_text, duration_text, short_name

WIDTH_MIN, WIDTH_MAX = 60, 180
TIME_WIDTH = 9
MARKS: dict[Verdict, str] = {
    "same": " ",
    "slower": "▲",
    "faster": "▼",
    "missing": "−",
    "added": "+",
}
STYLES: dict[Verdict, tuple[str, ...]] = {
    "same": (),
    "slower": (YELLOW,),
    "faster": (GREEN,),
    "missing": (RED,),
    "added": (BOLD,),
}


def render_difference(diff: Diff, width: int = 100, colour: bool = False) -> str:
    """Render the difference as lines of at most ``width`` columns, each ended by a newline.

    Args:
        diff: what ``Observatory.diff`` returns.
        width: columns of the terminal; fewer than 60 are treated as 60, more than 180 as 180.
        colour: whether to use ANSI colours.
    """
    width = max(WIDTH_MIN, min(width, WIDTH_MAX))
    ink = Ink(colour)
    step = width - 2 - 3 * TIME_WIDTH
    sentence = "".join(fragment["text"] for fragment in diff["sentence"])
    columns = "left".rjust(TIME_WIDTH) + "right".rjust(TIME_WIDTH) + "change".rjust(TIME_WIDTH)
    lines = [
        *_head("left ", diff["left"], width, ink),
        *_head("right", diff["right"], width, ink),
        "",
        *(ink(line, BOLD) for line in wrapped(fit(sentence, 10_000), width)),
        "",
        ink(" " * (width - 3 * TIME_WIDTH) + columns, DIM),
        *(_row(row, step, ink) for row in diff["rows"]),
        "",
        _key(diff["rows"], ink),
    ]
    return "".join(line.rstrip() + "\n" for line in lines)


def _head(side: str, head: DiffTrace, width: int, ink: Ink) -> Iterable[str]:
    name = title_of(head)
    facts = [head["headline"], count_text(head["spans"], "span")]
    facts += [count_text(head[kind], kind[:-1]) for kind in ("errors", "orphans") if head[kind]]
    yield fit(f"{side}  {name}: {' · '.join(facts)}", width)
    yield ink(f"       trace {head['trace_id']}", DIM)
    if head["truncated"]:
        yield ink(
            fit(f"       It has more spans; only the first {head['spans']} were compared.", width),
            YELLOW,
        )


def _row(row: DiffRow, width: int, ink: Ink) -> str:
    style = STYLES[row["verdict"]]
    indent = "  " * min(row["depth"], max(0, (width - 24) // 2))
    name = short_name(row["name"])
    label = name if name == row["service"] else f"{row['service']}: {name}"
    step = fit(indent + label, width - 1)
    hop = fit(f" · {row['hop']}" if row["hop"] else "", width - 1 - width_of(step))
    return "".join(
        (
            ink(MARKS[row["verdict"]] + " ", *style),
            ink(step, *style),
            ink(pad(hop, width - width_of(step)), DIM),
            _time(row["left"], ink),
            _time(row["right"], ink),
            ink(_change(row).rjust(TIME_WIDTH), *style),
        )
    )


def _time(side: DiffSide | None, ink: Ink) -> str:
    if side is None:
        return ink("·".rjust(TIME_WIDTH), DIM)
    duration = duration_text(side["wait_ms"] + side["duration_ms"]).rjust(TIME_WIDTH)
    return ink(duration, RED) if side["error"] else duration


def _change(row: DiffRow) -> str:
    if row["delta_ms"] is None:
        return row["verdict"]
    if row["verdict"] == "same":
        return ""
    return ("+" if row["delta_ms"] > 0 else "") + duration_text(row["delta_ms"])


def _key(rows: Iterable[DiffRow], ink: Ink) -> str:
    present = {row["verdict"] for row in rows} - {"same"}
    if not present:
        return ink("Every step is in both and took about as long. Times include the wait.", DIM)
    key = [
        ink(f"{mark} {verdict}", *STYLES[verdict])
        for verdict, mark in MARKS.items()
        if verdict in present
    ]
    return "  ".join([*key, ink("times include the wait", DIM)])
