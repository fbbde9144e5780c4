"""Tools about one trace, or about the difference between two."""

import json
from collections import defaultdict
from collections.abc import Iterator
from typing import Annotated, cast

from pydantic import Field

from observatory.client import ObservatoryError
from observatory.mcp_server.answer import Answer, link_to
from observatory.mcp_server.tool import Arguments, Call, Tool, TraceName
from observatory.promoted import state_of, title_of
from observatory.schemas.comparison import Diff, UnusualSteps
from observatory.schemas.journey import Journey, Repeat, Row
from observatory.terminal.difference import render_difference
from observatory.terminal.waterfall import (
    context_problems,
    error_message,
    folded_rows,
    percent_text,
    repeat_text,
)
from observatory.text_format import count_text, duration_text, message_pattern

DIFF_WIDTH = 140
LISTED = 5


class GetTrace(Arguments):
    """Which part of which trace."""

    trace: TraceName
    first_row: Annotated[int, Field(description="The first row of the waterfall", ge=0)] = 0
    rows: Annotated[
        int, Field(description="The maximum number of rows of the waterfall", ge=0, le=1000)
    ] = 100
    repeats: Annotated[
        bool, Field(description="Show each repeat of a step, instead of their number")
    ] = False
    span_id: Annotated[
        str | None,
        Field(description="Show only this span, with all attributes, events, links and log lines"),
    ] = None


class OneTrace(Arguments):
    """Which trace."""

    trace: TraceName


class TwoTraces(Arguments):
    """Which two traces."""

    left: Annotated[TraceName, Field(description="The trace to compare with, such as a good one")]
    right: Annotated[TraceName, Field(description="The trace to explain, such as a bad one")]
    only_differences: Annotated[
        bool, Field(description="Leave out the steps that both have and that took about as long")
    ] = True
    first_row: Annotated[int, Field(description="The first of the steps to show", ge=0)] = 0


def get_trace(call: Call, asked: GetTrace) -> str:
    """Describe a trace: the findings, then the waterfall."""
    trace_id = call.trace_id(asked.trace)
    journey = call.observatory.trace(trace_id)
    if asked.span_id is not None:
        return _span(call, journey, asked.span_id.lower())
    answer = Answer(link_to(call.base_url, f"/traces/{trace_id}"))
    for line in (*_header(journey), "", "Findings:"):
        answer.add(line)
    for finding in [*_findings(journey), *_unusual(call.observatory.unusual(trace_id))] or [
        "nothing unusual"
    ]:
        answer.add(f"- {finding}")
    all_rows = list(journey["rows"] if asked.repeats else folded_rows(journey))
    rows = all_rows[asked.first_row : asked.first_row + asked.rows]
    last = asked.first_row + len(rows)
    if rows:
        answer.add()
        answer.add("row | at | waited | took | span_id | service: name (· hop, ✗ error)")
    complete = answer.add_rows(
        (_row_text(number, row) for number, row in enumerate(rows, asked.first_row)),
        lambda shown: f"Call get_trace with first_row={asked.first_row + shown}.",
    )
    if complete and last < len(all_rows):
        answer.cut(
            f"These are rows {asked.first_row} to {last - 1} of {len(all_rows)}: call "
            f"get_trace with first_row={last} for the next."
        )
    return answer.text()


def _header(journey: Journey) -> Iterator[str]:
    state = state_of(journey)
    yield f"{title_of(journey)}{f' ({state})' if state else ''}: {journey['headline']}"
    if journey["summary"]:
        yield journey["summary"]
    yield (
        f"trace {journey['trace_id']}, started {journey['started_at']}, took "
        f"{duration_text(journey['duration_ms'])}; {count_text(journey['spans'], 'span')}, "
        f"{count_text(journey['errors'], 'error')}, {count_text(journey['orphans'], 'orphan')}, "
        f"coverage {percent_text(journey['coverage'])}; services: {', '.join(journey['services'])}"
    )
    parts = (f"{part['label']} {duration_text(part['duration_ms'])}" for part in journey["parts"])
    yield f"Where the time went: {', '.join(parts)}"


def _findings(journey: Journey) -> Iterator[str]:
    for finding in journey["findings"][:LISTED]:
        yield f"{finding['text']} (span {finding['span_id']})"
    if len(journey["findings"]) > LISTED:
        yield f"{len(journey['findings']) - LISTED} more like these"
    errors: defaultdict[str, list[str]] = defaultdict(list)
    for row in journey["rows"]:
        if row["error"]:
            text = f"{row['service']}: {row['label']}: {error_message(row) or 'no message'}"
            errors[message_pattern(text)].append(text)
    for texts in sorted(errors.values(), key=lambda texts: -len(texts))[:LISTED]:
        yield f"error{f' ({len(texts)} times)' if len(texts) > 1 else ''}: {texts[0]}"
    if len(errors) > LISTED:
        yield f"{len(errors) - LISTED} more kinds of errors, see the rows with ✗"
    waits = [
        (row["wait"]["duration_ms"], row)
        for row in journey["rows"]
        if row["wait"] and row["wait"]["offset_ms"] < journey["wait_ms"]
    ]
    for milliseconds, row in sorted(waits, key=lambda wait: -wait[0])[:LISTED]:
        yield f"{row['service']}: {row['label']} waited {duration_text(milliseconds)} to start"
    if journey["missing_parents"] and not journey["awaiting"]:
        ids = ", ".join(journey["missing_parents"][:LISTED])
        yield f"parents are missing, so spans were lost: {ids}"
    if journey["awaiting"]:
        ids = ", ".join(journey["missing_parents"][:LISTED])
        yield f"some parents have not arrived yet: {ids}"
    for link in journey["linked_from"][:LISTED]:
        yield (
            f"{link['service']}: {link['name']} in trace {link['trace_id']} links to span "
            f"{link['to_span_id']} of this one"
        )
    for clock in (journey["skew"] or {"services": []})["services"]:
        yield (
            f"the clock of {clock['service']} is off by {duration_text(clock['offset_ms'])}: "
            f"{clock['evidence']}"
        )
    if journey["truncated"]:
        yield "the trace has more spans than the waterfall shows; use sql to read the others"


def _unusual(steps: UnusualSteps) -> Iterator[str]:
    if not steps["compared_with"]:
        return
    state = " that reached the same state" if steps["same_state"] else ""
    others = f"of {steps['compared_with']} recent traces of this kind{state}"
    if steps["weak_baseline"]:
        yield (
            f"weak baseline: most {others} have errors, lost their context or ended badly, so what "
            "is usual may be wrong"
        )
    causes = [missing for missing in steps["missing"] if not missing["follows"]]
    for missing in causes[:LISTED]:
        yield (
            f"missing here: {missing['service']}: {missing['name']}, which "
            f"{missing['usual_share']:.0%} {others} have"
        )
    following = len(steps["missing"]) - len(causes)
    if following:
        yield f"{count_text(following, 'step')} that would have followed from those, too"
    for repeated in steps["repeated"][:LISTED]:
        yield (
            f"repeated {repeated['times']} times: {repeated['service']}: {repeated['name']}, "
            f"usually {repeated['usual_times']}"
        )
    for added in steps["added"][:LISTED]:
        yield (f"only {added['usual_share']:.0%} {others} have {added['service']}: {added['name']}")


def _row_text(number: int, row: Row | Repeat) -> str:
    if "first" in row:
        return f"{number} | ⋮ {repeat_text(cast('Repeat', row))}; set repeats to true to see them"
    waited = duration_text(row["wait"]["duration_ms"]) if row["wait"] else "-"
    text = (
        f"{number} | {duration_text(row['offset_ms'])} | {waited} | "
        f"{duration_text(row['duration_ms'])} | {row['span_id']} | "
        f"{'  ' * row['depth']}{row['service']}: {row['label']}"
    )
    if row["hop"]:
        text += f" · {row['hop']}"
    problems = list(context_problems(row))
    if row["error"]:
        problems.insert(0, f"✗ {error_message(row)}".rstrip())
    return " · ".join([text, *problems])


def _span(call: Call, journey: Journey, span_id: str) -> str:
    row = next((row for row in journey["rows"] if row["span_id"] == span_id), None)
    if row is None:
        raise ObservatoryError(
            f"Trace {journey['trace_id']} has no span {span_id}: call get_trace without span_id "
            "for the ids."
        )
    path = f"/traces/{journey['trace_id']}"
    answer = Answer(link_to(call.base_url, path, {"span": span_id}))
    answer.add_rows(
        json.dumps(row, indent=1, ensure_ascii=False).splitlines(),
        lambda _: "Use sql to read single attributes of this span from the view spans.",
    )
    return answer.text()


def critical_path(call: Call, asked: OneTrace) -> str:
    """List what the end of a trace depended on."""
    journey = call.observatory.trace(call.trace_id(asked.trace))
    answer = Answer(link_to(call.base_url, f"/traces/{journey['trace_id']}"))
    for line in _header(journey):
        answer.add(line)
    rows = {row["span_id"]: row for row in journey["rows"]}
    total_ms = journey["duration_ms"] or 1.0
    sums: defaultdict[str, float] = defaultdict(float)
    lines = []
    for segment in journey["critical_path"]:
        row = rows[segment["span_id"]]
        step = f"{segment['kind']} {row['service']}: {row['label']}"
        sums[step] += segment["duration_ms"]
        lines.append(
            f"{duration_text(segment['offset_ms'])} | {duration_text(segment['duration_ms'])} | "
            f"{segment['duration_ms'] / total_ms:.1%} | {segment['span_id']} | {step}"
        )
    answer.add()
    answer.add("What the end depended on, in total (run: the step worked; wait: it was queued):")
    for step, milliseconds in sorted(sums.items(), key=lambda item: -item[1])[:20]:
        answer.add(f"  {duration_text(milliseconds)} ({milliseconds / total_ms:.1%}) {step}")
    answer.add()
    answer.add("at | took | share | span_id | step")
    answer.add_rows(lines, lambda shown: f"{len(lines) - shown} later segments are left out.")
    return answer.text()


def diff(call: Call, asked: TwoTraces) -> str:
    """Compare two traces step by step."""
    ids = [call.trace_id(name) for name in (asked.left, asked.right)]
    difference: Diff = call.observatory.diff(*ids)
    rows = difference["rows"]
    same = sum(row["verdict"] == "same" for row in rows)
    if asked.only_differences:
        rows = [row for row in rows if row["verdict"] != "same"]
    difference["rows"] = rows[asked.first_row :]
    answer = Answer(link_to(call.base_url, f"/diff/{ids[0]}/{ids[1]}"))
    lines = render_difference(difference, DIFF_WIDTH).splitlines()
    head = len(lines) - len(difference["rows"]) - 2
    answer.add_rows(
        lines,
        lambda shown: f"Call diff with first_row={asked.first_row + max(0, shown - head)}.",
    )
    if asked.only_differences and same:
        answer.cut(
            f"{count_text(same, 'step')} took about as long in both: set only_differences to false "
            "to see them."
        )
    return answer.text()


TOOLS = (
    Tool(
        "get_trace",
        "Show one trace: a headline, where the time went, findings (errors, waits, steps that are "
        "missing, repeated or unusual compared with traces of its kind), and the waterfall of its "
        "spans. With span_id: everything about one span, such as the attributes that say what was "
        "decided and by which numbers, and its source line.",
        GetTrace,
        get_trace,
    ),
    Tool(
        "critical_path",
        "List which spans and queue waits the end of a trace depended on, and how much of its "
        "duration each took.",
        OneTrace,
        critical_path,
    ),
    Tool(
        "diff",
        "Compare two traces step by step: which steps are missing, added, slower or faster. Best "
        "with a good and a bad trace of the same kind.",
        TwoTraces,
        diff,
    ),
)
