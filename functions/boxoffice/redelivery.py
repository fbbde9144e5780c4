"""Has the platform deliver a failed event again where the SDK forgot to let us ask for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

Function = TypeVar("Function", bound=Callable[..., Any])


def redelivered(function: Function) -> Function:
    """Turn on retries for a deployed event function; goes above the SDK's own decorator.

    firebase-functions 0.6 takes `retry=True` for Pub/Sub and Eventarc but fixes it to False for
    Firestore, and a document's event that failed once would be gone.
    """
    function.__firebase_endpoint__.eventTrigger["retry"] = True  # type: ignore[attr-defined]
    return function
