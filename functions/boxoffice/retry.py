"""Retries of failed events, for triggers whose SDK decorator has no such option."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

Function = TypeVar("Function", bound=Callable[..., Any])


def retry_on_failure(function: Function) -> Function:
    """Turn on retries for a deployed event function. Apply it above the SDK's decorator.

    firebase-functions 0.6 accepts `retry=True` for Pub/Sub and Eventarc, but always sets it to
    False for Firestore triggers, so an event whose first delivery failed would be lost.
    """
    function.__firebase_endpoint__.eventTrigger["retry"] = True  # type: ignore[attr-defined]
    return function
