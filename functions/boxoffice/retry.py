"""Asks the platform to retry failed events where the SDK has no option for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

Function = TypeVar("Function", bound=Callable[..., Any])


def retry_on_failure(function: Function) -> Function:
    """Turn on retries for a deployed event function; goes above the SDK's own decorator.

    firebase-functions 0.6 takes `retry=True` for Pub/Sub and Eventarc but fixes it to False for
    Firestore, where an event whose first delivery failed would be lost.
    """
    function.__firebase_endpoint__.eventTrigger["retry"] = True  # type: ignore[attr-defined]
    return function
