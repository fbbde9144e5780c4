"""Accept only a single read-only SQL statement.

DuckDB offers many ways to change things, so there are four limits: the checks here, of the kind of
statement and of the table functions that it calls; the read-only transaction that it runs in (a
``WITH`` can contain an ``INSERT``); the ``select`` that it is wrapped in; and the database's
setting that forbids access to files and the network.
"""

import json
from collections.abc import Iterator
from typing import Any

import duckdb

# These only read their arguments or the catalogue. Others can checkpoint the file, run SQL from a
# string or take memory addresses.
TABLE_FUNCTIONS = frozenset(
    {
        *("range", "generate_series", "unnest", "repeat", "json_each", "json_tree", "summary"),
        *("duckdb_columns", "duckdb_tables", "duckdb_views", "duckdb_types", "duckdb_functions"),
        *("duckdb_keywords", "pragma_table_info", "pragma_show", "pragma_version"),
    }
)


class BadSql(Exception):
    """SQL that cannot be run; the message gives the reason, often DuckDB's own."""


def read_only_statement(reader: duckdb.DuckDBPyConnection, sql: str) -> tuple[str, bool]:
    """Return the statement in ``sql`` without its semicolon, and whether it is an ``EXPLAIN``.

    Raises:
        BadSql: ``sql`` is invalid, is not exactly one statement, or may change something.
    """
    try:
        statements = reader.extract_statements(sql)
    except duckdb.Error as error:
        raise BadSql(str(error)) from error
    if len(statements) != 1:
        problem = f"There are {len(statements)} statements" if statements else "The query is empty"
        raise BadSql(f"{problem}: write one SELECT, WITH, DESCRIBE, SUMMARIZE or EXPLAIN.")
    statement = statements[0]
    explained = statement.type == duckdb.StatementType.EXPLAIN
    if not explained and statement.type != duckdb.StatementType.SELECT:
        kind = statement.type.name
        kind = "PIVOT without IN (…)" if kind == "MULTI" else kind.replace("_", " ")
        raise BadSql(
            f"{kind} is not allowed: write one SELECT, WITH, DESCRIBE, SUMMARIZE or EXPLAIN."
        )
    text = statement.query.strip().rstrip(";").rstrip()
    if not explained:
        _refuse_functions(reader, text)
    return text, explained


def _refuse_functions(reader: duckdb.DuckDBPyConnection, sql: str) -> None:
    serialised = reader.execute("select json_serialize_sql(?)", [sql]).fetchone()
    try:
        tree = json.loads(serialised[0] if serialised else "")
    except (ValueError, RecursionError) as error:
        raise BadSql("The query is nested too deeply: use fewer subqueries.") from error
    if tree["error"]:
        raise BadSql(tree.get("error_message", "The query cannot be parsed as a SELECT."))
    for name in _table_functions(tree):
        if name not in TABLE_FUNCTIONS:
            raise BadSql(
                f"The table function {name}() is not allowed: query the views, such as spans, "
                "traces and logs."
            )


def _table_functions(tree: Any) -> Iterator[str]:
    stack = [tree]
    while stack:
        node = stack.pop()
        if isinstance(node, dict):
            if node.get("type") == "TABLE_FUNCTION":
                yield str(node.get("function", {}).get("function_name", "")).lower()
            stack.extend(node.values())
        elif isinstance(node, list):
            stack.extend(node)
