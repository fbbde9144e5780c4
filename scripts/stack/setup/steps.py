"""Steps of the set-up: each runs once, and again only when what it is made of has changed.

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
    """Yield whether a step has to run; stamp it once its block ended without an error.

    Args:
        name: of the stamp.
        files: what the product is made of; their paths count, and their content.
        settings: what else the product depends on, such as the version of a tool.
        product: what the step makes; the step runs where it is missing.
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
    """Return the files that paths from the root name, or that are in the folders they name."""
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
def one_at_a_time() -> Iterator[None]:
    """Wait while another command of this checkout is setting up."""
    paths.MADE.mkdir(exist_ok=True)
    with (paths.MADE / "setup.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print_line("  Another Throughline script is setting up; waiting for it …")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
