"""Errors in the form that Google's APIs answer them in.

https://docs.cloud.google.com/apis/design/errors
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

_STATUSES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    409: "ALREADY_EXISTS",
    429: "RESOURCE_EXHAUSTED",
    501: "UNIMPLEMENTED",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}


class GoogleError(Exception):
    """An error that the API answers with its HTTP status and message."""

    def __init__(self, status_code: int, message: str) -> None:
        super().__init__(message)
        self.status_code = status_code


def response_to(_request: Request, error: Exception) -> Response:
    """Return the response that reports the error."""
    status_code = error.status_code if isinstance(error, GoogleError) else 500
    return JSONResponse(
        {
            "error": {
                "code": status_code,
                "message": str(error),
                "status": _STATUSES.get(status_code, "INTERNAL"),
            }
        },
        status_code,
    )
