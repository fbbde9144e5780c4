"""Queries in SQL, and the views that they can read."""

from typing import Annotated, Any, NotRequired

from annotated_types import Interval
from typing_extensions import TypedDict

# Enough for a table that people scroll; a larger result is marked as truncated.
ROWS_LIMIT = 10_000


class SqlQuery(TypedDict):
    """A SQL query that only reads, and the maximum number of rows to return."""

    sql: str
    limit: NotRequired[Annotated[int, Interval(ge=1, le=ROWS_LIMIT)]]


class SqlColumn(TypedDict):
    """A column of a result, with DuckDB's name for its type."""

    name: str
    type: str


class SqlResult(TypedDict):
    """The rows of a result. ``truncated``: the query has more rows than were returned."""

    columns: list[SqlColumn]
    rows: list[list[Any]]
    truncated: bool
    elapsed_ms: float


class DocumentedColumn(TypedDict):
    """A column of a view; ``says`` is its description."""

    name: str
    type: str
    says: str


class DocumentedView(TypedDict):
    """A view that queries can read; ``says`` is its description."""

    name: str
    says: str
    columns: list[DocumentedColumn]


class Example(TypedDict):
    """An example query: the question in words, and its SQL."""

    question: str
    sql: str


class SqlSchema(TypedDict):
    """The views that queries can read, example queries, and the limits of a query."""

    views: list[DocumentedView]
    examples: list[Example]
    rows_limit: int
    seconds_limit: float
