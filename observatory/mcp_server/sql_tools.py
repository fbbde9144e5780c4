"""Tools for questions that the others do not answer: read-only SQL, and what it can read."""

from typing import Annotated

from pydantic import Field

from observatory.mcp_server.answer import Answer, link_to
from observatory.mcp_server.tool import Arguments, Call, Tool
from observatory.terminal.sql_command import render_table
from observatory.text_format import count_text


class Sql(Arguments):
    """A query."""

    query: Annotated[
        str, Field(description="One SELECT, WITH, DESCRIBE, SUMMARIZE or EXPLAIN", min_length=1)
    ]
    limit: Annotated[int, Field(description="The maximum number of rows", ge=1, le=1000)] = 100


class Schema(Arguments):
    """No arguments."""


def sql(call: Call, asked: Sql) -> str:
    """Run a query."""
    result = call.observatory.ask(asked.query, asked.limit)
    answer = Answer(link_to(call.base_url, "/ask", {"sql": asked.query}))
    answer.add_rows(
        render_table(result, None),
        lambda shown: f"Select fewer rows or columns: {max(0, shown - 1)} rows are above.",
    )
    if result["truncated"]:
        rows = count_text(len(result["rows"]), "row")
        answer.cut(f"The result has more than {rows}: raise limit, or aggregate in the query.")
    return answer.text()


def schema(call: Call, _: Schema) -> str:
    """Describe the views."""
    described = call.observatory.ask_schema()
    answer = Answer(link_to(call.base_url, "/ask"))
    lines = ["DuckDB views:"]
    for view in described["views"]:
        lines += ["", f"{view['name']}: {view['says']}"]
        lines += [
            f"  {column['name']} {column['type']}: {column['says']}" for column in view["columns"]
        ]
    lines += ["", "Examples:"]
    for example in described["examples"]:
        lines += ["", f"-- {example['question']}", *example["sql"].splitlines()]
    answer.add_rows(lines, lambda _: "Query duckdb_columns() for the rest.")
    return answer.text()


TOOLS = (
    Tool(
        "sql",
        "Run one read-only SQL query (DuckDB) over the stored spans, traces, hops, logs and "
        "metrics. Call schema first for the names of views and columns.",
        Sql,
        sql,
    ),
    Tool("schema", "List the views and columns that sql can read, with examples.", Schema, schema),
)
