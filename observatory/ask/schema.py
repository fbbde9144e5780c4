"""What there is to ask of: the documented views, and questions to begin with."""

import duckdb

from observatory.ask.query import SECONDS_LIMIT
from observatory.schemas.ask import ROWS_LIMIT, AskSchema, DocumentedView, Example
from observatory.store.views import VIEWS

EXAMPLES: list[Example] = [
    {
        "question": "Which orders took longest?",
        "sql": "select order_id, order_state, duration_ms, spans, trace_id\n"
        "from traces where order_id is not null\norder by duration_ms desc limit 20",
    },
    {
        "question": "Was an order charged twice?",
        "sql": "select order_id, count(distinct attributes['boxoffice.charge.id']) as charges,\n"
        "    any_value(trace_id) as a_trace\n"
        "from spans where attributes['boxoffice.charge.id'] is not null\n"
        "group by order_id having charges > 1 order by charges desc",
    },
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
        "question": "What states did the orders of the last hour come to?",
        "sql": "select order_state, count(*) as orders, round(median(duration_ms)) as p50_ms\n"
        "from traces\nwhere order_id is not null and start_time > now() - interval '1 hour'\n"
        "group by order_state order by orders desc",
    },
    {
        "question": "Which attributes do the spans of each service have?",
        "sql": "select service, key, count(*) as spans\n"
        "from (select service, unnest(map_keys(attributes)) as key from spans)\n"
        "group by service, key order by service, spans desc",
    },
    {
        "question": "What was logged about orders that were declined?",
        "sql": "select l.time, l.service, l.severity, l.body\n"
        "from logs as l join traces as t using (trace_id)\n"
        "where t.order_state = 'declined' order by l.time desc limit 100",
    },
    {
        "question": "How many orders does each show have?",
        "sql": "select attributes['boxoffice.show.id'] as show_id,\n"
        "    count(distinct order_id) as orders\n"
        "from spans where attributes['boxoffice.show.id'] is not null\n"
        "group by show_id order by orders desc",
    },
]


def schema_of(reader: duckdb.DuckDBPyConnection) -> AskSchema:
    """The documented views with a line for each column, and examples."""
    types = {
        (table, column): type_
        for table, column, type_ in reader.execute(
            "select table_name, column_name, data_type from duckdb_columns()"
        ).fetchall()
    }
    views: list[DocumentedView] = [
        {
            "name": view.name,
            "says": view.says,
            "columns": [
                {"name": name, "type": types[view.name, name], "says": says}
                for name, says in view.columns.items()
            ],
        }
        for view in VIEWS
    ]
    return {
        "views": views,
        "examples": EXAMPLES,
        "rows_limit": ROWS_LIMIT,
        "seconds_limit": SECONDS_LIMIT,
    }
