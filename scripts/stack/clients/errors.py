"""Translates the clients' errors into UserError."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from observatory.client import ObservatoryError
from stack.errors import LOGS_HINT, UserError


@contextmanager
def stack_errors() -> Iterator[None]:
    """Translate errors of the Observatory and of HTTP requests into UserError.

    Raises:
        UserError: the block raised such an error.
    """
    try:
        yield
    except ObservatoryError as error:
        raise UserError(str(error)) from error
    except httpx.HTTPStatusError as error:
        url = error.request.url.copy_with(query=None)
        text = error.response.text[:200]
        message = f"{url} answered {error.response.status_code}: {text}"
        raise UserError(message, hint=LOGS_HINT) from error
    except httpx.RequestError as error:
        url = error.request.url.copy_with(query=None)
        message = f"{url} does not answer ({type(error).__name__}: {error})."
        raise UserError(message, hint=LOGS_HINT) from error
