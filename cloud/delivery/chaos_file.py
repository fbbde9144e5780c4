"""Signals to the functions' workers whether chaos is on."""

from __future__ import annotations

from pathlib import Path


class ChaosFile:
    """A file that exists while chaos is on.

    A worker checks for it before each event, which takes a few microseconds.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self.turn(on=False)

    def turn(self, *, on: bool) -> None:
        """Create the file, or remove it."""
        if self._path is None:
            return
        if on:
            self._path.touch()
        else:
            self._path.unlink(missing_ok=True)
