"""The body of every error response."""

from typing import NotRequired

from typing_extensions import TypedDict


class ErrorDetails(TypedDict):
    """An error: ``code`` for programs, ``message`` for people.

    ``position`` is the offset of the error in the filter's text, counted from 0.
    """

    code: str
    message: str
    position: NotRequired[int]


class Error(TypedDict):
    """The body of an error response."""

    error: ErrorDetails
