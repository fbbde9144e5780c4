"""Which flags are on, as Firestore says it.

The document flags/{name} with `on: true` turns a flag on; anything else, and no document, is off.
The security rules let no page near them: only the Admin SDK, and the emulator's administrator.
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

# After this long every process goes by what was written. A shorter time is more reads, of about
# 4 ms each on the local stack; within it, asking costs a microsecond.
CACHE_SECONDS = 1.0
READ_TIMEOUT_SECONDS = 5.0
READS_MAX = 3

_log = logging.getLogger(__name__)


class FlagStore:
    """The flags that are on, read with one query for all of them and kept for `CACHE_SECONDS`.

    Flags that can't be read are off until they can, and a line in the log says so once.
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
        """The names of the flags that are on; never raises."""
        with self._lock:
            now = self._clock()
            if self._read_at is None or now - self._read_at >= CACHE_SECONDS:
                self._read_until_fresh()
            return self._on

    def _read_until_fresh(self) -> None:
        """Read the flags, and again where that took so long that they may be older than allowed."""
        for _ in range(READS_MAX):
            # From before the read: what is written while it is under way may not be in it.
            self._read_at = self._clock()
            self._on = self._read()
            if self._unreadable or self._clock() - self._read_at < CACHE_SECONDS:
                return

    def _read(self) -> frozenset[str]:
        # Here, and not above, because only the gRPC channel needs it, and that comes late too.
        from opentelemetry.instrumentation.utils import suppress_instrumentation  # noqa: PLC0415

        try:
            # A read of ours has no place in the trace of somebody's order.
            with suppress_instrumentation():
                flags = self._firestore().collection(COLLECTION)
                found = flags.get(retry=None, timeout=READ_TIMEOUT_SECONDS)
        except (GoogleAPIError, GoogleAuthError) as error:
            if not self._unreadable:
                _log.warning("The faults' flags can't be read, so all are off: %s", error)
            self._unreadable = True
            return frozenset()
        self._unreadable = False
        return frozenset(flag.id for flag in found if (flag.to_dict() or {}).get("on") is True)
