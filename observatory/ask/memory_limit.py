"""Limit the memory that a query may allocate.

DuckDB's own ``memory_limit`` covers tables and sorts, but not a single string: ``repeat('x', n)``
allocates whatever ``n`` asks for. So the kernel enforces a limit: while a query runs,
``RLIMIT_DATA`` allows the process only some more memory, and DuckDB reports a failed allocation as
an error of that query. The limit is computed from ``/proc/self/status``, so it exists only on
Linux.
"""

import re
import resource
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# More than DuckDB's own limit, to leave room for the result as Python objects.
QUERY_BYTES = 512 * 2**20
# How much all queries together may add to the memory in use at the first one. Allocators keep freed
# memory, and later queries can reuse it.
TOTAL_BYTES = 1536 * 2**20
# A query may always add this much, even beyond the total, because other threads need memory too.
MINIMUM_BYTES = 128 * 2**20
STATUS = Path("/proc/self/status")

_lock = threading.Lock()
_running_queries = 0
_initial_bytes: int | None = None


@contextmanager
def limited_memory() -> Iterator[None]:
    """Let the process allocate at most ``QUERY_BYTES`` more; concurrent queries share them."""
    global _running_queries  # noqa: PLW0603  # the limit applies to the process
    with _lock:
        _running_queries += 1
        if _running_queries == 1:
            _limit(_data_limit_bytes())
    try:
        yield
    finally:
        with _lock:
            _running_queries -= 1
            if _running_queries == 0:
                _limit(None)


def _data_limit_bytes() -> int | None:
    global _initial_bytes  # noqa: PLW0603
    if not STATUS.exists():
        return None
    match = re.search(r"VmData:\s+(\d+) kB", STATUS.read_text())
    used_bytes = int(match[1]) * 1024 if match else 0
    if _initial_bytes is None:
        _initial_bytes = used_bytes
    left = _initial_bytes + TOTAL_BYTES - used_bytes
    return used_bytes + max(MINIMUM_BYTES, min(QUERY_BYTES, left))


def _limit(bytes_: int | None) -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    soft = hard if bytes_ is None else bytes_
    if bytes_ is not None and hard != resource.RLIM_INFINITY:
        soft = min(bytes_, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))
