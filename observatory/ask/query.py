"""A question in SQL and its answer, within bounds of time, rows and size."""

import json
import math
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import duckdb

from observatory.ask.memory_limit import bounded_memory
from observatory.ask.statement import BadSql, one_that_reads
from observatory.schemas.ask import ROWS_LIMIT, Answer, Column
from observatory.store.values import EXACT_IN_JSON

SECONDS_LIMIT = 10.0
TEXT_LIMIT_CHARACTERS = 100_000
ANSWER_LIMIT_BYTES = 16 * 2**20
ROWS_AT_ONCE = 500

EXPLANATION: list[Column] = [
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
) -> Answer:
    """What ``sql`` answers, with each value as JSON can say it.

    Times, dates, decimals of any size, whole numbers beyond 2^53, NaN and infinities are text;
    lists, maps and structures are JSON; bytes are base64; a text is cut at 100,000 characters.

    Args:
        reader: a cursor that nothing else uses.
        sql: one statement that reads.
        limit: rows, at most; ``truncated`` says whether there are more, or were too large.
        seconds: how long it may take.

    Raises:
        BadSql: it isn't one that reads, isn't right, or takes too long or too much memory.
    """
    began = time.perf_counter()
    try:
        with bounded_memory(), _read_only(reader), _interrupted(reader, seconds):
            statement, explained = one_that_reads(reader, sql)
            if explained:
                rows, cut = _fetched(reader.execute(statement), EXPLANATION, limit)
                columns = EXPLANATION
            else:
                columns, rows, cut = _wrapped(reader, statement, limit)
    except duckdb.InterruptException as error:
        raise BadSql(f"The answer took longer than {seconds:g} s: ask for less.") from error
    except (duckdb.OutOfMemoryException, MemoryError) as error:
        raise BadSql("The answer needs more memory than a question may have.") from error
    except duckdb.Error as error:
        raise BadSql(str(error)) from error
    return {
        "columns": columns,
        "rows": rows[:limit],
        "truncated": cut or len(rows) > limit,
        "elapsed_ms": (time.perf_counter() - began) * 1000,
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
) -> tuple[list[Column], list[list[Any]], bool]:
    """The columns and rows of ``statement``, asked so that its values are numbers or text."""
    inner = f"(\n{statement}\n)"  # on lines of its own: it may end in a comment
    try:
        described = reader.execute(f"describe select * from {inner}").fetchall()  # noqa: S608
        columns: list[Column] = [{"name": row[0], "type": row[1]} for row in described]
        names = [f"c{number}" for number in range(len(columns))]
        values = [_value(name, column["type"]) for name, column in zip(names, columns, strict=True)]
        result = reader.execute(
            f"select {', '.join(values)} "  # noqa: S608  # SQL is what is asked for
            f"from {inner} as asked({', '.join(names)}) limit {limit + 1}"
        )
        return columns, *_fetched(result, columns, limit)
    except (duckdb.ParserException, duckdb.BinderException, duckdb.CatalogException) as error:
        raise BadSql(_in_its_own_lines(str(error))) from error


def _in_its_own_lines(message: str) -> str:
    """DuckDB's message, whose ``LINE 3:`` counts the line before the question too.

    The caret in the line below stays under what it points at when the number gets shorter.
    """
    found = re.search(r"^LINE (\d+)(: .*\n?)", message, re.MULTILINE)
    if found is None or found[1] == "1":
        return message
    line = str(int(found[1]) - 1)
    shorter = len(found[1]) - len(line)
    below = message[found.end() :]
    if below.startswith(" " * shorter):
        below = below[shorter:]
    return f"{message[: found.start()]}LINE {line}{found[2]}{below}"


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
    result: duckdb.DuckDBPyConnection, columns: list[Column], limit: int
) -> tuple[list[list[Any]], bool]:
    """Rows until there are more than ``limit``, or until they are too large."""
    rows: list[list[Any]] = []
    size = 0
    while len(rows) <= limit:
        some = result.fetchmany(ROWS_AT_ONCE)
        if not some:
            return rows, False
        for row in some:
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
