"""Which SQL may be asked: one statement that reads.

What a statement may do is limited four times over, since DuckDB has many doors: here, by its kind
and by the table functions it names; by the transaction it runs in, which is read-only (a ``WITH``
can hold an ``INSERT``); by being a subquery of ours; and by the database's own setting, which
shuts out files and the network.
"""

import json
from collections.abc import Iterator
from typing import Any

import duckdb

# Each of these reads rows that it is given, or the catalogue. Others checkpoint the file, run SQL
# that is a string, or take addresses of memory.
TABLE_FUNCTIONS = frozenset(
    {
        *("range", "generate_series", "unnest", "repeat", "json_each", "json_tree", "summary"),
        *("duckdb_columns", "duckdb_tables", "duckdb_views", "duckdb_types", "duckdb_functions"),
        *("duckdb_keywords", "pragma_table_info", "pragma_show", "pragma_version"),
    }
)


class BadSql(Exception):
    """SQL that can't be answered; the message says why, in DuckDB's words where it is DuckDB."""


def one_that_reads(reader: duckdb.DuckDBPyConnection, sql: str) -> tuple[str, bool]:
    """The one statement in ``sql``, without what ends it, and whether it is an ``EXPLAIN``.

    Raises:
        BadSql: it is none, several, or one that doesn't only read.
    """
    try:
        statements = reader.extract_statements(sql)
    except duckdb.Error as error:
        raise BadSql(str(error)) from error
    if len(statements) != 1:
        subject = "Nothing is" if not statements else f"{len(statements)} statements are"
        raise BadSql(f"{subject} asked: write one SELECT, WITH, DESCRIBE, SUMMARIZE or EXPLAIN.")
    statement = statements[0]
    explained = statement.type == duckdb.StatementType.EXPLAIN
    if not explained and statement.type != duckdb.StatementType.SELECT:
        kind = statement.type.name
        kind = "PIVOT without IN (…)" if kind == "MULTI" else kind.replace("_", " ")
        raise BadSql(f"{kind} is not for asking: SELECT, WITH, DESCRIBE, SUMMARIZE, EXPLAIN are.")
    text = statement.query.strip().rstrip(";").rstrip()
    if not explained:
        _refuse_functions(reader, text)
    return text, explained


def _refuse_functions(reader: duckdb.DuckDBPyConnection, sql: str) -> None:
    serialised = reader.execute("select json_serialize_sql(?)", [sql]).fetchone()
    try:
        tree = json.loads(serialised[0] if serialised else "")
    except (ValueError, RecursionError) as error:
        raise BadSql("This is too deeply nested.") from error
    if tree["error"]:
        raise BadSql(tree.get("error_message", "This can't be read as a SELECT."))
    for name in _table_functions(tree):
        if name not in TABLE_FUNCTIONS:
            raise BadSql(f"The table function {name}() is not for asking.")


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
