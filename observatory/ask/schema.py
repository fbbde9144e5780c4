"""Describe the views that users may query, with example queries."""

from collections.abc import Iterable

import duckdb

from observatory.ask.query import SECONDS_LIMIT
from observatory.schemas.ask import ROWS_LIMIT, DocumentedView, Example, SqlSchema
from observatory.store.promotions import promotions_of
from observatory.store.views import views_of

# Example queries that work with any app's spans.
EXAMPLES: tuple[Example, ...] = (
    {
        "question": "Where do messages wait, and how long?",
        "sql": "select hop, service, count(*) as received,\n"
        "    round(median(wait_ms)) as p50_ms, round(quantile_cont(wait_ms, 0.95)) as p95_ms\n"
        "from hops group by hop, service order by p95_ms desc",
    },
    {
        "question": "Which hops lost the context?",
        "sql": "select hop, service, context, count(*) as times, any_value(trace_id) as a_trace\n"
        "from hops where context <> 'carried' or orphan\ngroup by all order by times desc",
    },
    {
        "question": "What fails, and with which message?",
        "sql": "select service, name, status_message, count(*) as times, max(start_time) as last\n"
        "from spans where status = 'ERROR'\ngroup by all order by times desc",
    },
    {
        "question": "Which attributes do the spans of each service have?",
        "sql": "select service, key, count(*) as spans\n"
        "from (select service, unnest(map_keys(attributes)) as key from spans)\n"
        "group by service, key order by service, spans desc",
    },
)


def schema_of(reader: duckdb.DuckDBPyConnection, examples: Iterable[Example] = ()) -> SqlSchema:
    """Describe the views and their columns; ``examples`` of the app precede the general ones."""
    types = {
        (table, column): type_
        for table, column, type_ in reader.execute(
            "select table_name, column_name, data_type from duckdb_columns()"
        ).fetchall()
    }
    views: list[DocumentedView] = [
        {
            "name": view.name,
            "says": view.description,
            "columns": [
                {"name": name, "type": types[view.name, name], "says": description}
                for name, description in view.columns.items()
            ],
        }
        for view in views_of(promotions_of(reader))
    ]
    return {
        "views": views,
        "examples": [*examples, *EXAMPLES],
        "rows_limit": ROWS_LIMIT,
        "seconds_limit": SECONDS_LIMIT,
    }
