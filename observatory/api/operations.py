"""What a view says of its routes, for the API's description at ``/api/openapi.json``.

Each view module has a tuple ``OPERATIONS`` beside its function ``routes``, one ``Operation`` for a
method of a path. What it answers is named by its type in ``shapes``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

REFUSED = "Something in the question is wrong; the message says what would be right."


@dataclass(frozen=True)
class Parameter:
    """One parameter of a query, or one part of a path.

    Args:
        name: as it is in the address.
        says: what it does, in a sentence.
        type: the type of its value: ``str``, ``int``, ``float``, or a ``Literal`` of its choices.
        default: what counts when it is absent; None when it has no such value.
        least: the smallest number allowed.
        most: the largest number allowed.
        repeated: whether it may be given several times.
        pattern: the regular expression that the whole of a text fits.
        required: whether the question is refused without it, as it is without a part of the path.
    """

    name: str
    says: str
    type: Any = str
    default: str | int | float | None = None
    least: float | None = None
    most: float | None = None
    repeated: bool = False
    pattern: str | None = None
    required: bool = False


@dataclass(frozen=True)
class Operation:
    """One method of one path.

    Args:
        method: the HTTP method.
        path: the route's path, with ``{name}`` for what varies.
        says: what it answers, in a sentence.
        answers: the type of the JSON it answers with.
        parameters: those of the query, and those of the path.
        body: the type of the JSON that it is sent; None where it is sent nothing.
        errors: the HTTP statuses it refuses with, and when.
        media_type: of the answer.
        tagged: whether an ``ETag`` can be held against it, which is answered 304 while it fits.
    """

    method: Literal["GET", "POST", "PUT"]
    path: str
    says: str
    answers: Any
    parameters: tuple[Parameter, ...] = ()
    body: Any = None
    errors: Mapping[int, str] = field(default_factory=lambda: {400: REFUSED})
    media_type: str = "application/json"
    tagged: bool = False


# The year 2262, where nanoseconds since 1970 leave 64 bits.
MS_MAX = 9_223_372_036_854


def amount(name: str, says: str, **more: Any) -> Parameter:
    """A parameter that is a number of milliseconds or seconds."""
    return Parameter(name, says, float, least=0, most=MS_MAX, **more)


# What narrows a question to some of the traces; the same wherever it can be asked.
SELECTION = (
    Parameter("q", "A filter: words, or comparisons such as `service = charge and duration > 2 s`"),
    amount("from", "Traces that began at or after this, in Unix milliseconds"),
    amount("to", "Traces that began before this, in Unix milliseconds"),
    amount("last", "Traces that began in the last so many seconds, instead of both"),
)

TRACE_ID_PATTERN = "[0-9a-fA-F]{32}"
TRACE_ID = Parameter("trace_id", "The trace's id, 32 hexadecimal digits", pattern=TRACE_ID_PATTERN)
