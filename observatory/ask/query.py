"""Run a read-only SQL query within limits of time, rows, size and memory."""

import json
import math
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import duckdb

from observatory.ask.memory_limit import limited_memory
from observatory.ask.statement import BadSql, read_only_statement
from observatory.schemas.ask import ROWS_LIMIT, SqlColumn, SqlResult
from observatory.store.values import EXACT_IN_JSON

SECONDS_LIMIT = 10.0
TEXT_LIMIT_CHARACTERS = 100_000
ANSWER_LIMIT_BYTES = 16 * 2**20
ROWS_AT_ONCE = 500

EXPLANATION: list[SqlColumn] = [
    {"name": "plan", "type": "VARCHAR"},
    {"name": "text", "type": "VARCHAR"},
]

NUMBERS = frozenset(
    {
        *("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "FLOAT", "DOUBLE", "BOOLEAN"),
        *("UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "UHUGEINT"),
    }
)


def answer_of(
    reader: duckdb.DuckDBPyConnection,
    sql: str,
    limit: int = ROWS_LIMIT,
    seconds: float = SECONDS_LIMIT,
) -> SqlResult:
    """Run ``sql`` and return its result as JSON-compatible values.

    Times, dates, decimals, integers beyond 2^53, NaN and infinities become strings; lists, maps and
    structs become JSON; blobs become base64. Strings are cut at 100,000 characters.

    Args:
        reader: a cursor used by nothing else.
        sql: one read-only statement.
        limit: the maximum number of rows; ``truncated`` says whether rows were left out for this or
            for their size.
        seconds: the time limit.

    Raises:
        BadSql: the statement is invalid or not read-only, or takes too long or too much memory.
    """
    started = time.perf_counter()
    try:
        with limited_memory(), _read_only(reader), _interrupted(reader, seconds):
            statement, explained = read_only_statement(reader, sql)
            if explained:
                rows, cut = _fetched(reader.execute(statement), EXPLANATION, limit)
                columns = EXPLANATION
            else:
                columns, rows, cut = _wrapped(reader, statement, limit)
    except duckdb.InterruptException as error:
        raise BadSql(
            f"The query took longer than {seconds:g} s: narrow it, for example with a condition on "
            "start_time."
        ) from error
    except (duckdb.OutOfMemoryException, MemoryError) as error:
        raise BadSql("The query needs more memory than it may use: select fewer values.") from error
    except duckdb.Error as error:
        raise BadSql(str(error)) from error
    return {
        "columns": columns,
        "rows": rows[:limit],
        "truncated": cut or len(rows) > limit,
        "elapsed_ms": (time.perf_counter() - started) * 1000,
    }


@contextmanager
def _read_only(reader: duckdb.DuckDBPyConnection) -> Iterator[None]:
    reader.execute("begin transaction read only")
    try:
        yield
    finally:
        with suppress(duckdb.Error):  # an interrupt or an error has ended it
            reader.execute("rollback")


@contextmanager
def _interrupted(reader: duckdb.DuckDBPyConnection, seconds: float) -> Iterator[None]:
    timer = threading.Timer(seconds, reader.interrupt)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _wrapped(
    reader: duckdb.DuckDBPyConnection, statement: str, limit: int
) -> tuple[list[SqlColumn], list[list[Any]], bool]:
    """Return the columns and rows of ``statement``, with all values cast to numbers or text."""
    inner = f"(\n{statement}\n)"  # on lines of its own: it may end in a comment
    try:
        described = reader.execute(f"describe select * from {inner}").fetchall()  # noqa: S608
        columns: list[SqlColumn] = [{"name": row[0], "type": row[1]} for row in described]
        names = [f"c{number}" for number in range(len(columns))]
        values = [_value(name, column["type"]) for name, column in zip(names, columns, strict=True)]
        result = reader.execute(
            f"select {', '.join(values)} "  # noqa: S608  # the user's own SQL
            f"from {inner} as query({', '.join(names)}) limit {limit + 1}"
        )
        return columns, *_fetched(result, columns, limit)
    except (duckdb.ParserException, duckdb.BinderException, duckdb.CatalogException) as error:
        raise BadSql(_with_original_line(str(error))) from error


def _with_original_line(message: str) -> str:
    """Return DuckDB's message with ``LINE n:`` counted from the first line of the user's SQL.

    If the number gets removed_digits, the line with the caret below is shifted as well.
    """
    match = re.search(r"^LINE (\d+)(: .*\n?)", message, re.MULTILINE)
    if match is None or match[1] == "1":
        return message
    line = str(int(match[1]) - 1)
    removed_digits = len(match[1]) - len(line)
    below = message[match.end() :]
    if below.startswith(" " * removed_digits):
        below = below[removed_digits:]
    return f"{message[: match.start()]}LINE {line}{match[2]}{below}"


def _value(name: str, type_: str) -> str:
    if type_ in NUMBERS:
        return name
    if type_ == "BLOB":
        return f"left(base64({name}), {TEXT_LIMIT_CHARACTERS})"
    if _is_nested(type_):
        return f"left(to_json({name})::varchar, {TEXT_LIMIT_CHARACTERS})"
    return f"left({name}::varchar, {TEXT_LIMIT_CHARACTERS})"


def _is_nested(type_: str) -> bool:
    return type_.endswith("]") or type_.startswith(("MAP(", "STRUCT(", "UNION(", "JSON"))


def _fetched(
    result: duckdb.DuckDBPyConnection, columns: list[SqlColumn], limit: int
) -> tuple[list[list[Any]], bool]:
    """Fetch rows until there are more than ``limit`` or they are too large; return also whether
    rows were left out for their size.
    """
    rows: list[list[Any]] = []
    size = 0
    while len(rows) <= limit:
        chunk = result.fetchmany(ROWS_AT_ONCE)
        if not chunk:
            return rows, False
        for row in chunk:
            size += sum(len(value) if isinstance(value, str) else 8 for value in row)
            if size > ANSWER_LIMIT_BYTES:
                return rows, True
            rows.append([_json(value, of["type"]) for value, of in zip(row, columns, strict=True)])
    return rows, False


def _json(value: Any, type_: str) -> Any:
    if isinstance(value, str) and _is_nested(type_):
        try:
            return _plain(json.loads(value))
        except ValueError:  # cut where it was too long
            return value
    return _plain(value)


def _plain(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, int) and abs(value) > EXACT_IN_JSON:
        return str(value)
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return value
