"""Reads the flags of the conditions: the documents flags/{name} in Firestore, field `on`.

They are the feature flags that the Observatory shows. They are read without the app's OpenFeature
client, so that conditions work with an app that has none, and a cold start pays neither for that
library nor for Firestore's client.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Protocol

from opentelemetry import trace
from opentelemetry.trace import Span

from cloud.platform_conditions.catalogue import Condition
from cloud.platform_conditions.firestore_emulator import FirestoreError

COLLECTION = "flags"
#: The event of OpenTelemetry's semantic conventions for feature flags.
EVENT = "feature_flag.evaluation"

# How long a worker caches the flags; a read takes about 3 ms.
CACHE_SECONDS = 1.0
READS_MAX = 3

_log = logging.getLogger(__name__)


class Documents(Protocol):
    """A source of Firestore documents."""

    def collection(self, name: str) -> dict[str, dict[str, object]]:
        """Return the fields of each document of a collection, by document id."""
        ...


class Flags:
    """The conditions that are on, read with one request and cached for `CACHE_SECONDS`.

    While the flags can't be read, all conditions are off; the first failure is logged.
    """

    def __init__(self, documents: Documents, clock: Callable[[], float] = time.monotonic) -> None:
        self._documents = documents
        self._clock = clock
        self._lock = threading.Lock()
        self._on: frozenset[str] = frozenset()
        self._read_at: float | None = None
        self._unreadable = False

    def is_on(self, condition: Condition) -> bool:
        """Return whether a condition is on; never raises."""
        with self._lock:
            if self._read_at is None or self._clock() - self._read_at >= CACHE_SECONDS:
                self._read_until_fresh()
            return condition.name in self._on

    def is_met(self, condition: Condition) -> bool:
        """Return whether a condition is on, and if so record it on the current span."""
        is_on = self.is_on(condition)
        if is_on:
            record(trace.get_current_span(), condition)
        return is_on

    def _read_until_fresh(self) -> None:
        """Read the flags; read again if the read took longer than `CACHE_SECONDS`."""
        for _ in range(READS_MAX):
            # The time before the read, because a write during the read may not be in its result.
            self._read_at = self._clock()
            self._on = self._read()
            if self._unreadable or self._clock() - self._read_at < CACHE_SECONDS:
                return

    def _read(self) -> frozenset[str]:
        try:
            fields_by_name = self._documents.collection(COLLECTION)
        except FirestoreError as error:
            if not self._unreadable:
                _log.warning(
                    "Platform conditions are off, because their flags can't be read: %s", error
                )
            self._unreadable = True
            return frozenset()
        self._unreadable = False
        return frozenset(
            name
            for name, fields in fields_by_name.items()
            if fields.get("on") == {"booleanValue": True}
        )


def record(span: Span, condition: Condition) -> None:
    """Record on a span that a condition took effect, as an evaluation of its flag to "on"."""
    span.add_event(
        EVENT,
        {
            "feature_flag.key": condition.name,
            "feature_flag.provider.name": "firestore",
            "feature_flag.result.variant": "on",
            "feature_flag.result.reason": "static",
        },
    )
