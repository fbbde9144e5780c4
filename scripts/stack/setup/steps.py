"""Steps of the set-up, which run only if their inputs have changed.

A step's stamp is removed before the step starts and written once it has succeeded, so an
interrupted step runs again the next time.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from stack import paths
from stack.console import print_line

STAMPS = paths.MADE / "made"


@contextmanager
def step_needed(
    name: str, files: Sequence[Path], settings: Sequence[str], product: Path
) -> Iterator[bool]:
    """Yield whether a step has to run; write its stamp if the block ends without an error.

    Args:
        name: name of the stamp.
        files: input files; the step runs if their paths or contents change.
        settings: other inputs, such as the version of a tool.
        product: what the step creates; the step runs if it is missing.
    """
    digest = hashlib.sha256("\0".join(settings).encode())
    for file in files:
        digest.update(file.relative_to(paths.ROOT).as_posix().encode())
        digest.update(file.read_bytes())
    stamp, current = STAMPS / name, digest.hexdigest()
    needed = not product.exists() or not stamp.is_file() or stamp.read_text() != current
    if needed:
        stamp.unlink(missing_ok=True)
    yield needed
    if needed:
        STAMPS.mkdir(parents=True, exist_ok=True)
        stamp.write_text(current)


def files_in(*names: str) -> list[Path]:
    """Return the files at the given paths from the root; for a folder, all files in it."""
    files: list[Path] = []
    for name in names:
        path = paths.ROOT / name
        if path.is_file():
            files.append(path)
            continue
        for folder, inner, names_there in os.walk(path):
            inner[:] = sorted(set(inner) - {"node_modules", "dist"})
            files += [Path(folder) / file for file in sorted(names_there)]
    return files


@contextmanager
def setup_lock() -> Iterator[None]:
    """Hold the lock of the set-up; wait while another command of this checkout is setting up."""
    paths.MADE.mkdir(exist_ok=True)
    with (paths.MADE / "setup.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print_line("  Another Throughline script is setting up; waiting for it …")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
