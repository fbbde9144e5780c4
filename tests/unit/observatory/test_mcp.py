"""The MCP server: the SDK's own client asks a running Observatory, over HTTP and over stdio."""

import asyncio
import json
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

import httpx2
import pytest
from mcp import Client, MCPError, StdioServerParameters
from mcp.client.streamable_http import streamable_http_client
from mcp_types import CallToolResult, TextContent

from tests.unit.local_server import free_port
from tests.unit.observatory.conftest import Running
from tests.unit.observatory.telemetry import CONSUMER, INTERNAL, SERVER, Trace, purchase

ROOT = Path(__file__).parents[3]
LIMIT_BYTES = 64 * 1024
TOOLS = {
    *("find_traces", "compare", "logs", "service_map"),
    *("get_trace", "critical_path", "diff", "sql", "schema"),
}
Result = TypeVar("Result")
Call = tuple[str, dict[str, Any]]


@asynccontextmanager
async def http_transport(url: str) -> AsyncIterator[Any]:
    """Connect to ``/mcp`` without a proxy."""
    async with (
        httpx2.AsyncClient(trust_env=False, timeout=30) as http,
        streamable_http_client(f"{url}/mcp", http_client=http) as streams,
    ):
        yield streams


def over_http(url: str) -> Client:
    """Return a client for ``/mcp``."""
    return Client(http_transport(url))


def over_stdio(url: str) -> Client:
    """Return a client that starts ``observatory mcp``."""
    command = ["-m", "observatory", "mcp", "--url", url]
    return Client(StdioServerParameters(command=sys.executable, args=command, cwd=ROOT))


def use(client: Client, work: Callable[[Client], Awaitable[Result]]) -> Result:
    """Connect, and return the result of ``work``."""

    async def run() -> Result:
        async with client:
            return await work(client)

    return asyncio.run(run())


def results(client: Client, calls: Sequence[Call]) -> list[CallToolResult]:
    """Call tools over one connection."""

    async def work(client: Client) -> list[CallToolResult]:
        return [await client.call_tool(name, arguments) for name, arguments in calls]

    return use(client, work)


def text_of(result: CallToolResult) -> str:
    """Return the text of an answer, which must be small enough."""
    assert len(result.model_dump_json().encode()) < LIMIT_BYTES
    (content,) = result.content
    assert isinstance(content, TextContent)
    return content.text


def answers(running: Running, *calls: Call) -> list[str]:
    """Return the texts of successful calls over HTTP."""
    outcomes = results(over_http(running.url), calls)
    texts = [text_of(outcome) for outcome in outcomes]
    assert [text for text, outcome in zip(texts, outcomes, strict=True) if outcome.is_error] == []
    return texts


def errors(running: Running, *calls: Call) -> list[str]:
    """Return the texts of failing calls over HTTP."""
    outcomes = results(over_http(running.url), calls)
    assert all(outcome.is_error for outcome in outcomes), outcomes
    return [text_of(outcome) for outcome in outcomes]


@pytest.fixture
def shop(running: Running) -> tuple[Running, Trace, Trace]:
    """An Observatory with one order that was paid and one that was declined."""
    good, bad = purchase("order-1"), purchase("order-2", decline=True)
    running.send(good)
    running.send(bad)
    running.wait_until_caught_up()
    return running, good, bad


def test_stdio_and_http_offer_the_same_tools_and_answers(
    shop: tuple[Running, Trace, Trace],
) -> None:
    """The tools are declared read-only, and every argument is described."""
    running, good, _ = shop
    calls: list[Call] = [("get_trace", {"trace": good.trace_id.hex()}), ("schema", {})]

    async def work(client: Client) -> tuple[list[dict[str, Any]], list[str], str | None]:
        tools = [tool.model_dump() for tool in (await client.list_tools()).tools]
        texts = [text_of(await client.call_tool(*call)) for call in calls]
        prompts = (await client.list_prompts()).prompts
        return tools, texts, prompts[0].name

    offered = [use(connect(running.url), work) for connect in (over_http, over_stdio)]
    assert offered[0] == offered[1]
    tools, _, prompt = offered[0]
    assert {tool["name"] for tool in tools} == TOOLS
    assert prompt == "diagnose"
    for tool in tools:
        assert tool["annotations"]["read_only_hint"] is True
        assert tool["input_schema"]["additionalProperties"] is False
        for name, argument in tool["input_schema"]["properties"].items():
            assert argument.get("description"), (tool["name"], name)


def test_every_tool_answers_and_links_to_the_explorer(
    shop: tuple[Running, Trace, Trace],
) -> None:
    running, good, bad = shop
    good_id, bad_id = good.trace_id.hex(), bad.trace_id.hex()
    calls: list[Call] = [
        ("find_traces", {"filter": "state = declined"}),
        ("compare", {"inside": "state = declined"}),
        ("get_trace", {"trace": "order-2"}),
        ("critical_path", {"trace": good_id}),
        ("diff", {"left": "order-1", "right": bad_id}),
        ("logs", {"trace": good_id, "severity": "INFO"}),
        ("service_map", {}),
        ("sql", {"query": "select count(*) as traces from traces"}),
        ("schema", {}),
    ]
    assert {name for name, _ in calls} == TOOLS
    found, compared, shown, path, diffed, logged, mapped, counted, described = answers(
        running, *calls
    )
    assert "Matching: 1 trace; listed: 1." in found
    assert bad_id in found
    assert good_id not in found
    assert f"{running.url}/?q=state+%3D+declined&last=all" in found
    assert "Inside, those with `state = declined`: 1 trace; outside: 1." in compared
    assert "100% / 0%" in compared
    assert "Set later, so they may be consequences:" in compared
    assert f"{running.url}/traces/{bad_id}" in shown
    assert "Findings:" in shown
    assert "waited" in shown
    for _, span in bad.spans:
        assert span.span_id.hex() in shown
    assert "wait" in path
    assert "100.0%" not in path.partition("at | took")[2]
    assert "missing" in diffed
    assert f"{running.url}/diff/{good_id}/{bad_id}" in diffed
    assert all(body in logged for *_, body in good.logs)
    assert "Context coverage of everything stored: 100 %" in mapped
    assert "pubsub" in mapped
    assert "2" in counted
    assert f"{running.url}/ask?sql=select+count" in counted
    assert "spans:" in described
    assert "-- Where do messages wait" in described


def test_one_span_is_shown_with_its_attributes(shop: tuple[Running, Trace, Trace]) -> None:
    running, good, _ = shop
    (_, span) = good.spans[0]
    trace_id = good.trace_id.hex()
    (text,) = answers(
        running, ("get_trace", {"trace": trace_id, "span_id": span.span_id.hex().upper()})
    )
    row = json.loads(text.partition("\n\nIn the explorer: ")[0])
    assert row["attributes"]["boxoffice.show.id"] == "night-ferry"
    assert text.endswith(f"/traces/{trace_id}?span={span.span_id.hex()}")


def test_mistakes_are_explained(shop: tuple[Running, Trace, Trace]) -> None:
    running, good, _ = shop
    trace_id = good.trace_id.hex()
    explained = {
        ("no_such_tool", ()): "There is no tool 'no_such_tool': known are find_traces",
        ("find_traces", (("query", "x"),)): "has no argument 'query': known are filter",
        ("schema", (("view", "x"),)): "schema has no argument 'view': it has none",
        ("get_trace", ()): "get_trace needs the argument trace: A trace id",
        ("find_traces", (("limit", 0),)): "limit is 0: Input should be greater",
        ("find_traces", (("filter", "duration >"),)): "duration >",
        ("find_traces", (("cursor", "x"),)): "it must be the next_cursor of a response",
        ("get_trace", (("trace", "ff" * 16),)): "ff" * 16,
        ("get_trace", (("trace", "nobody"),)): "No trace with the id or subject nobody",
        ("get_trace", (("trace", trace_id), ("span_id", "0"))): "has no span 0",
        ("sql", (("query", "drop table raw_spans"),)): "DROP is not allowed",
        ("sql", (("query", "select nothing from spans"),)): "nothing",
    }
    calls = [(name, dict(arguments)) for name, arguments in explained]
    for text, expected in zip(errors(running, *calls), explained.values(), strict=True):
        assert expected in text
    assert running.client.health()["traces"] == 2


def test_a_large_trace_is_shown_page_by_page(running: Running) -> None:
    """No answer exceeds 64 KB, each says how to get the rest, and together they are complete."""
    trace = Trace()
    root = trace.span("shop", "root", SERVER, 0, 1000)
    for number in range(900):
        trace.span("shop", f"step {number} " + "ü" * 150, INTERNAL, number, number + 1, root)
    running.send(trace)
    running.wait_until_caught_up()
    seen: list[str] = []
    next_row: str | None = "0"
    pages = 0
    while next_row is not None:
        call = {"trace": trace.trace_id.hex(), "first_row": int(next_row), "rows": 1000}
        (text,) = answers(running, ("get_trace", call))
        seen += re.findall(r"step (\d+) ", text.partition("row | at")[2])
        after = re.search(r"cut here.*get_trace with first_row=(\d+)", text)
        next_row = after[1] if after else None
        pages += 1
    assert pages > 2
    assert [int(number) for number in seen] == list(range(900))


def test_repeats_and_errors_that_differ_in_ids_are_counted(running: Running) -> None:
    """The repeats can be asked for, and a finding comes with its span."""
    trace = purchase("order-1")
    send = next(span for _, span in trace.spans if span.name == "send order-reserved")
    for n in range(9):
        trace.span(
            "charge", "charge again", CONSUMER, 5_000 + n, 5_001 + n, send,
            error=f"charge ch-{n} is unknown", throughline__hop="pubsub",
        )  # fmt: skip
    silent = trace.span("issue", "look", CONSUMER, 6_000, 6_001, send, throughline__hop="pubsub")
    running.send(trace)
    running.wait_until_caught_up()
    name = trace.trace_id.hex()
    folded, whole = answers(
        running,
        ("get_trace", {"trace": name}),
        ("get_trace", {"trace": name, "repeats": True}),
    )
    assert "error (9 times): charge: charge again: charge ch-0 is unknown" in folded
    assert "⋮ 8 more like this" in folded
    assert "charge ch-8" not in folded
    assert f"without an outcome (span {silent.span_id.hex()})" in folded
    assert "waited 5.00 s" not in folded  # the user had the tickets by then
    assert "charge ch-8" in whole


def test_every_answer_is_bounded(running: Running) -> None:
    """Long names, values and messages are cut, and the answer says so."""
    long = "x" * 30_000
    for number in range(3):
        trace = Trace()
        root = trace.span("shop", f"buy {long}", SERVER, 0, 1000, error=long, key=long)
        for step in range(40):
            name = f"{long} {step}"
            trace.span(f"service {step} {long}", name, INTERNAL, step, 99, root, error=name)
        for _ in range(60):
            trace.log("shop", root, 1, "ERROR", f"{number} {long}")
        running.send(trace)
    running.wait_until_caught_up()
    listed, *texts = answers(
        running,
        ("find_traces", {"limit": 200}),
        ("compare", {"inside": f'trace = "{trace.trace_id.hex()}"', "limit": 100}),
        ("get_trace", {"trace": trace.trace_id.hex()}),
        ("get_trace", {"trace": trace.trace_id.hex(), "span_id": root.span_id.hex()}),
        ("critical_path", {"trace": trace.trace_id.hex()}),
        ("logs", {"limit": 500}),
        ("service_map", {}),
        ("sql", {"query": "select * from spans", "limit": 1000}),
    )
    assert "Matching: 3 traces" in listed
    logged, queried = texts[4], texts[6]
    assert "cut here" in logged
    shown = re.search(r"cut here.*limit=(\d+)", logged)
    assert shown
    (page,) = answers(running, ("logs", {"limit": int(shown[1])}))
    assert "cut here" not in page
    assert re.search(r'older records: call logs with before="[0-9.]+"', page)
    assert "cut here" in queried


def test_long_arguments_make_no_long_answers(running: Running) -> None:
    """Neither in the link to the explorer nor in a message."""
    long = "ü" * 3_900
    found, compared = answers(
        running,
        ("find_traces", {"filter": f'name = "{long}"'}),
        ("compare", {"inside": f'name = "{long}"', "filter": f'service = "{long}"'}),
    )
    assert found.endswith(f"In the explorer: {running.url}/")
    assert len(compared) < 5_000
    names = errors(running, ("x" * 100_000, {}), ("schema", {"x" * 100_000: 1}))
    names += errors(running, ("sql", {"query": "select " + "x" * 100_000}))
    assert max(map(len, names)) <= 4_000


def test_the_next_page_of_traces_begins_where_the_first_ended(
    shop: tuple[Running, Trace, Trace],
) -> None:
    running, good, bad = shop
    (first,) = answers(running, ("find_traces", {"limit": 1}))
    cursor = re.search(r'cursor="([^"]+)"', first)
    assert cursor
    (second,) = answers(running, ("find_traces", {"limit": 1, "cursor": cursor[1]}))
    assert {bad.trace_id.hex() in page for page in (first, second)} == {True, False}
    assert {good.trace_id.hex() in page for page in (first, second)} == {True, False}


def test_the_prompt_names_the_complaint(running: Running) -> None:
    async def work(client: Client) -> tuple[str, str]:
        arguments = {"complaint": "My ticket never came.", "trace": "order-7"}
        prompt = await client.get_prompt("diagnose", arguments)
        with pytest.raises(MCPError) as refused:
            await client.get_prompt("diagnose", {"complaint": "x", "order": "y"})
        assert isinstance(prompt.messages[0].content, TextContent)
        return prompt.messages[0].content.text, str(refused.value)

    text, refused = use(over_http(running.url), work)
    assert "My ticket never came." in text
    assert "'order-7'" in text
    assert set(re.findall(r"\b(?:find_traces|compare|get_trace|diff|sql|schema)\b", text)) <= TOOLS
    assert "no argument 'order'" in refused


def test_requests_are_guarded_like_those_of_the_api(running: Running) -> None:
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    headers = {"accept": "application/json, text/event-stream"}
    post = running.http.post
    assert post("/mcp", json=body, headers=headers).status_code == 200
    foreign = {**headers, "origin": "https://evil.example"}
    assert post("/mcp", json=body, headers=foreign).status_code == 403
    rebound = {**headers, "host": "evil.example"}
    assert post("/mcp", json=body, headers=rebound).status_code == 421
    assert running.http.get("/mcp").status_code == 405
    assert post("/mcp", content=b"{", headers=headers | {"content-type": "application/json"}).json()


def test_stdio_says_that_no_observatory_runs() -> None:
    url = f"http://127.0.0.1:{free_port()}"
    (result,) = results(over_stdio(url), [("find_traces", {})])
    assert result.is_error
    assert f"No Observatory at {url}" in text_of(result)
    assert "Start it with observatory." in text_of(result)


def test_a_start_imports_neither_the_sdk_nor_grpc() -> None:
    """They take a second; only those who use them should wait for them."""
    slow = {"mcp", "mcp_types", "grpc", "observatory.mcp_server.server", "observatory.client"}
    check = f"import sys, observatory.__main__; print({slow} & set(sys.modules))"
    command = [sys.executable, "-c", check]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
