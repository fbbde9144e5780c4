"""Turns the faults' flags on and off with an administrator's rights, and restores them."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any

from stack.clients.firestore_rest import Firestore, decode

COLLECTION = "flags"
# Longer than CACHE_SECONDS in faults/store.py and in cloud/platform_conditions/flags.py.
EFFECTIVE_SECONDS = 1.2


class Flags:
    """The flags of one stack while a scenario sets them."""

    def __init__(self, documents: Firestore) -> None:
        self._documents = documents
        self._set_at = 0.0
        #: The flags that are on.
        self.on: frozenset[str] = frozenset()

    @contextmanager
    def only(self, names: Collection[str]) -> Iterator[None]:
        """Turn these flags on and all others off while the block runs; then restore all."""
        before = self._read()
        try:
            for name in {*before, *names}:
                wanted = {"on": name in names}
                self._documents.set(f"{COLLECTION}/{name}", wanted).raise_for_status()
            self._set_at = time.monotonic()
            self.on = frozenset(names)
            yield
        finally:
            self.on = frozenset()
            for name in {*before, *names}:
                path, flag = f"{COLLECTION}/{name}", before.get(name)
                restored = self._documents.set(path, flag) if flag else self._documents.delete(path)
                restored.raise_for_status()

    def wait_until_effective(self) -> None:
        """Wait until no function has cached the previous flags."""
        time.sleep(max(0.0, self._set_at + EFFECTIVE_SECONDS - time.monotonic()))

    def _read(self) -> dict[str, dict[str, Any]]:
        rows = self._documents.query(COLLECTION).raise_for_status().json()
        return {
            row["document"]["name"].rsplit("/", 1)[1]: decode({"mapValue": row["document"]})
            for row in rows
            if "document" in row
        }
