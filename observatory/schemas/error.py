"""How every route of the API refuses."""

from typing import NotRequired

from typing_extensions import TypedDict


class ErrorDetails(TypedDict):
    """``code`` for programs, ``message`` for people: what was wrong and what would be right.

    ``position`` is where in a filter's text it went wrong, counted from 0.
    """

    code: str
    message: str
    position: NotRequired[int]


class Error(TypedDict):
    """A refusal."""

    error: ErrorDetails
