"""Questions in SQL, and what there is to ask of."""

from typing import Annotated, Any, NotRequired

from annotated_types import Interval
from typing_extensions import TypedDict

# More rows than these nobody reads.
ROWS_LIMIT = 10_000


class Question(TypedDict):
    """SQL that reads, and how many rows to answer with at most."""

    sql: str
    limit: NotRequired[Annotated[int, Interval(ge=1, le=ROWS_LIMIT)]]


class Column(TypedDict):
    """A column of an answer, with DuckDB's name for its type."""

    name: str
    type: str


class Answer(TypedDict):
    """The rows that a question has; ``truncated`` when there are more."""

    columns: list[Column]
    rows: list[list[Any]]
    truncated: bool
    elapsed_ms: float


class DocumentedColumn(TypedDict):
    """A column of a view, in words."""

    name: str
    type: str
    says: str


class DocumentedView(TypedDict):
    """A view to ask of."""

    name: str
    says: str
    columns: list[DocumentedColumn]


class Example(TypedDict):
    """A question that somebody may have, and its SQL."""

    question: str
    sql: str


class AskSchema(TypedDict):
    """What there is to ask of, and examples."""

    views: list[DocumentedView]
    examples: list[Example]
    rows_limit: int
    seconds_limit: float
