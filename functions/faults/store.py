"""Reads the faults' flags from Firestore.

The document flags/{name} with `on: true` turns a flag on; any other content, or no document, means
off. The security rules deny access from pages; only the Admin SDK and the emulator's owner token
can read and write flags.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from google.api_core.exceptions import GoogleAPIError
from google.auth.exceptions import GoogleAuthError

if TYPE_CHECKING:
    from google.cloud.firestore import Client

COLLECTION = "flags"

# A changed flag reaches every process within this time. A shorter time costs more reads, about 4 ms
# each on the local stack; a cached lookup takes a microsecond.
CACHE_SECONDS = 1.0
READ_TIMEOUT_SECONDS = 5.0
READS_MAX = 3

_log = logging.getLogger(__name__)


class FlagStore:
    """The flags that are on, read with one query and cached for `CACHE_SECONDS`.

    If the flags cannot be read, all are off until the next successful read, and one warning is
    logged.
    """

    def __init__(
        self, firestore: Callable[[], Client], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._firestore = firestore
        self._clock = clock
        self._lock = threading.Lock()
        self._on: frozenset[str] = frozenset()
        self._read_at: float | None = None
        self._unreadable = False

    def on(self) -> frozenset[str]:
        """Return the names of the flags that are on; errors of Firestore do not propagate."""
        with self._lock:
            now = self._clock()
            if self._read_at is None or now - self._read_at >= CACHE_SECONDS:
                self._read_until_fresh()
            return self._on

    def _read_until_fresh(self) -> None:
        """Read the flags, and repeat if the read took so long that its result is already stale."""
        for _ in range(READS_MAX):
            # Taken before the read, whose result may lack what is written during it.
            self._read_at = self._clock()
            self._on = self._read()
            if self._unreadable or self._clock() - self._read_at < CACHE_SECONDS:
                return

    def _read(self) -> frozenset[str]:
        # Imported here because only the gRPC channel needs it, which is created on first use too.
        from opentelemetry.instrumentation.utils import suppress_instrumentation  # noqa: PLC0415

        try:
            # This read is not part of the order's work, so it is kept out of its trace.
            with suppress_instrumentation():
                flags = self._firestore().collection(COLLECTION)
                documents = flags.get(retry=None, timeout=READ_TIMEOUT_SECONDS)
        except (GoogleAPIError, GoogleAuthError) as error:
            if not self._unreadable:
                _log.warning("The faults' flags cannot be read, so all are off: %s", error)
            self._unreadable = True
            return frozenset()
        self._unreadable = False
        return frozenset(flag.id for flag in documents if (flag.to_dict() or {}).get("on") is True)
