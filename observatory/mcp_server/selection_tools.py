"""Tools about many traces: find and compare them, read their logs, and see the map of services."""

from collections.abc import Iterator, Sequence
from typing import Annotated, Literal

from pydantic import Field

from observatory.mcp_server.answer import Answer, link_to, selection_parameters
from observatory.mcp_server.tool import Arguments, Call, Filter, LastSeconds, Tool, TraceName
from observatory.promoted import state_of, subject_of
from observatory.schemas.map import MapEdge
from observatory.schemas.overview import ComparedAttribute
from observatory.schemas.signals import LogRecord
from observatory.schemas.traces import TraceLine
from observatory.terminal.waterfall import percent_text
from observatory.text_format import count_text, duration_text

SEVERITIES = {"TRACE": 1, "DEBUG": 5, "INFO": 9, "WARN": 13, "ERROR": 17, "FATAL": 21}


class FindTraces(Arguments):
    """Which traces to list."""

    filter: Filter = ""
    last_seconds: LastSeconds = None
    sort: Annotated[
        Literal["start", "duration", "spans", "errors"], Field(description="The sort key")
    ] = "start"
    order: Annotated[Literal["desc", "asc"], Field(description="The sort order")] = "desc"
    limit: Annotated[int, Field(description="The maximum number of traces", ge=1, le=200)] = 20
    cursor: Annotated[
        str | None, Field(description="The cursor that the previous page ended with")
    ] = None


class Compare(Arguments):
    """Which traces to compare with the rest."""

    inside: Annotated[
        str,
        Field(
            description="The filter of the traces to explain, such as `error = true` or "
            "`duration > 2 s`; they are compared with all other traces",
            min_length=1,
        ),
    ]
    filter: Filter = ""
    last_seconds: LastSeconds = None
    limit: Annotated[int, Field(description="The maximum number of attributes", ge=1, le=100)] = 15


class Logs(Arguments):
    """Which log records to list."""

    filter: Filter = ""
    trace: Annotated[TraceName | None, Field(description="Only the records of this trace")] = None
    words: Annotated[
        str, Field(description="Words that must occur in the body, event name or service")
    ] = ""
    severity: Annotated[
        Literal["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"],
        Field(description="The lowest severity"),
    ] = "TRACE"
    last_seconds: LastSeconds = None
    limit: Annotated[int, Field(description="The maximum number of records", ge=1, le=500)] = 50
    before: Annotated[
        str | None, Field(description="The position that the previous page ended with")
    ] = None


class ServiceMap(Arguments):
    """The traces to draw the map of."""

    filter: Filter = ""
    last_seconds: LastSeconds = None


def find_traces(call: Call, asked: FindTraces) -> str:
    """List traces."""
    page = call.observatory.traces(
        asked.limit,
        text=asked.filter or None,
        last_seconds=asked.last_seconds,
        sort=asked.sort,
        order=asked.order,
        cursor=asked.cursor,
    )
    traces = page["traces"]
    selected = selection_parameters(asked.filter, asked.last_seconds)
    answer = Answer(link_to(call.base_url, "/", selected))
    answer.add(f"Matching: {count_text(page['total'], 'trace')}; listed: {len(traces)}.")
    if traces:
        answer.add()
        answer.add("trace_id | started_at | duration | spans | errors | orphans | coverage | root")
    complete = answer.add_rows(
        map(_trace_text, traces),
        lambda shown: f"Ask again with limit={max(1, shown)}, or a narrower filter.",
    )
    if complete and page["next_cursor"] is not None:
        answer.cut(f'More traces match: call find_traces with cursor="{page["next_cursor"]}".')
    return answer.text()


def _trace_text(trace: TraceLine) -> str:
    subject = subject_of(trace)
    about = f" · {subject[0]} {subject[1]}: {state_of(trace) or 'no state'}" if subject else ""
    return (
        f"{trace['trace_id']} | {trace['started_at']} | {duration_text(trace['duration_ms'])} | "
        f"{trace['spans']} | {trace['errors']} | {trace['orphans']} | "
        f"{percent_text(trace['coverage'])} | {trace['root_service']}: {trace['root']}{about}"
    )


def compare(call: Call, asked: Compare) -> str:
    """Rank what the traces of a subset have in common."""
    result = call.observatory.compare(asked.inside, asked.filter or None, asked.last_seconds)
    selected = selection_parameters(asked.filter, asked.last_seconds) | {"in": asked.inside}
    answer = Answer(link_to(call.base_url, "/", selected))
    answer.add(
        f"Inside, those with `{asked.inside}`: {count_text(result['selected'], 'trace')}; outside: "
        f"{result['rest']}."
    )
    answer.add("".join(part["text"] for part in result["sentence"]))
    attributes = result["attributes"][: asked.limit]
    if attributes:
        answer.add()
        answer.add("Attributes, the largest difference first; shares are inside / outside.")
    answer.add_rows(_grouped_lines(attributes), lambda _: "Ask again with a smaller limit.")
    hidden = len(result["attributes"]) - len(attributes)
    if hidden:
        answer.cut(f"{hidden} more attributes differ less: raise limit to see them.")
    return answer.text()


def _grouped_lines(attributes: Sequence[ComparedAttribute]) -> Iterator[str]:
    groups = (
        ("Known at the start of the traces, so they may be causes:", True),
        ("Set later, so they may be consequences:", False),
    )
    for title, known_at_start in groups:
        of_group = [each for each in attributes if each["known_at_start"] is known_at_start]
        if of_group:
            yield title
            yield from (line for attribute in of_group for line in _attribute_lines(attribute))


def _attribute_lines(attribute: ComparedAttribute) -> Iterator[str]:
    yield f"{attribute['key']} (difference {attribute['difference']:.0%})"
    for value in attribute["values"]:
        yield (
            f"  {value['inside']:.0%} / {value['outside']:.0%}  {value['label']}  "
            f"[filter: {value['filter']}]"
        )


def logs(call: Call, asked: Logs) -> str:
    """List log records."""
    trace_id = call.trace_id(asked.trace) if asked.trace else None
    severity = SEVERITIES[asked.severity]
    page = call.observatory.logs(
        asked.limit,
        text=asked.filter or None,
        words=asked.words or None,
        severity_at_least=severity if severity > 1 else None,
        trace_id=trace_id,
        last_seconds=asked.last_seconds,
        before=asked.before,
    )
    selected = selection_parameters(asked.filter, asked.last_seconds)
    answer = Answer(
        link_to(call.base_url, "/logs", {**selected, "text": asked.words, "trace": trace_id})
    )
    records = page["logs"]
    answer.add(f"{count_text(len(records), 'log record')}, newest first." if records else "None.")
    if records:
        answer.add("time | severity | service | trace_id/span_id | body | attributes")
    complete = answer.add_rows(
        map(_log_text, records),
        lambda shown: (
            f"Ask again with limit={max(1, shown)}: that page ends with the position of the next."
        ),
    )
    if complete and page["next"] is not None:
        answer.cut(f'There are older records: call logs with before="{page["next"]}".')
    return answer.text()


def _log_text(record: LogRecord) -> str:
    attributes = "; ".join(f"{key}={value}" for key, value in record["attributes"].items())
    event = f"{record['event_name']}: " if record["event_name"] else ""
    return (
        f"{record['time']} | {record['severity_text'] or record['severity_number']} | "
        f"{record['service']} | {record['trace_id'] or '-'}/{record['span_id'] or '-'} | "
        f"{event}{record['body']} | {attributes}"
    )


def service_map(call: Call, asked: ServiceMap) -> str:
    """Describe the services, the hops between them, and which lost their context."""
    result = call.observatory.service_map(asked.filter or None, asked.last_seconds)
    coverage = call.observatory.coverage()
    selected = selection_parameters(asked.filter, asked.last_seconds)
    answer = Answer(link_to(call.base_url, "/map", selected))
    if coverage["coverage"] is not None:
        answer.add(
            f"Context coverage of everything stored: {percent_text(coverage['coverage'])} of "
            f"{count_text(coverage['spans'], 'span')} reach a root; "
            f"{count_text(coverage['orphans'], 'orphan')}."
        )
    answer.add()
    answer.add("service | spans | errors | p50 | p95")
    answer.add_rows(
        (
            f"{node['service']} | {node['spans']} | {node['errors']} | "
            f"{_duration(node['p50_ms'])} | {_duration(node['p95_ms'])}"
            for node in result["nodes"]
        ),
        lambda _: "Narrow the filter.",
    )
    answer.add()
    answer.add(
        "from -> to | hop | count | errors | p50 | p95 | wait p50 | wait p95 | carried | orphans"
    )
    answer.add_rows(map(_edge_text, result["edges"]), lambda _: "Narrow the filter.")
    return answer.text()


def _edge_text(edge: MapEdge) -> str:
    carried = "-" if edge["carried"] is None else percent_text(edge["carried"])
    broken = f" | BROKEN, see filter: {edge['orphan_filter']}" if edge["broken"] else ""
    return (
        f"{edge['from']} -> {edge['to']} | {edge['hop'] or '-'} | {edge['count']} | "
        f"{edge['errors']} | {_duration(edge['p50_ms'])} | {_duration(edge['p95_ms'])} | "
        f"{_duration(edge['wait_p50_ms'])} | {_duration(edge['wait_p95_ms'])} | {carried} | "
        f"{edge['orphans']}{broken}"
    )


def _duration(milliseconds: float | None) -> str:
    return "-" if milliseconds is None else duration_text(milliseconds)


TOOLS = (
    Tool(
        "find_traces",
        "List traces that match a filter, the newest first by default, with duration, errors and "
        "what each is about. Start here when you know what you look for.",
        FindTraces,
        find_traces,
    ),
    Tool(
        "compare",
        "Compare a selection of traces with the rest: which attributes differ most in how their "
        "values are distributed. Start here when some requests fail or are slow, to learn what "
        "they have in common. An attribute that differs can be a consequence instead of a cause.",
        Compare,
        compare,
    ),
    Tool(
        "logs",
        "List log records, newest first, by words, severity, trace, or a filter for their traces.",
        Logs,
        logs,
    ),
    Tool(
        "service_map",
        "List the services and the hops between them with rates, durations, queue waits, and the "
        "context coverage: which hop loses its trace context.",
        ServiceMap,
        service_map,
    ),
)
