"""The processor time that a process and its group have used, from Linux's /proc."""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path

# Fields of /proc/PID/stat after the name of the command, counted from its state (man 5 proc).
_GROUP, _TIMES = 2, slice(11, 15)


def cpu_seconds(group: int) -> float | None:
    """Return the processor seconds of a process group and of its ended children.

    None where there is no /proc. The resolution is that of the kernel's clock, 10 ms.
    """
    if sys.platform != "linux":
        return None
    ticks = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = stat.read_text().rpartition(")")[2].split()
            if int(fields[_GROUP]) == group:
                ticks += sum(map(int, fields[_TIMES]))
    return ticks / os.sysconf("SC_CLK_TCK")
