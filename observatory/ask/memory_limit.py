"""A bound to the memory that a question may take.

DuckDB's own ``memory_limit`` bounds its tables and sorts, but not a single text: ``repeat('x', n)``
takes as much as it says. So the kernel says no: while a question is answered, the process may take
a little more memory and not much more, and DuckDB turns an allocation that fails into an error of
that question. Only Linux keeps such a limit and tells what is in use; elsewhere there is none.
"""

import re
import resource
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# More than DuckDB's own limit, so that what is within that has room, with an answer as Python's
# objects beside it.
ROOM_BYTES = 512 * 2**20
# What questions may add in all to what the process had at the first one: allocators keep what they
# were given, and the next question may take that before it takes more.
ROOM_IN_ALL_BYTES = 1536 * 2**20
# What there is room for even then, since others need memory meanwhile.
ROOM_LEAST_BYTES = 128 * 2**20
STATUS = Path("/proc/self/status")

_lock = threading.Lock()
_questions = 0
_at_first: int | None = None


@contextmanager
def bounded_memory() -> Iterator[None]:
    """Let the process take at most ``ROOM_BYTES`` more; questions at the same time share them."""
    global _questions  # noqa: PLW0603  # the limit is one of the process
    with _lock:
        _questions += 1
        if _questions == 1:
            _limit(_data_limit_bytes())
    try:
        yield
    finally:
        with _lock:
            _questions -= 1
            if _questions == 0:
                _limit(None)


def _data_limit_bytes() -> int | None:
    global _at_first  # noqa: PLW0603
    if not STATUS.exists():
        return None
    found = re.search(r"VmData:\s+(\d+) kB", STATUS.read_text())
    taken = int(found[1]) * 1024 if found else 0
    if _at_first is None:
        _at_first = taken
    left = _at_first + ROOM_IN_ALL_BYTES - taken
    return taken + max(ROOM_LEAST_BYTES, min(ROOM_BYTES, left))


def _limit(bytes_: int | None) -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    soft = hard if bytes_ is None else bytes_
    if bytes_ is not None and hard != resource.RLIM_INFINITY:
        soft = min(bytes_, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))
