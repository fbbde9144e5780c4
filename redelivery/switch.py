"""Tells the functions' workers, at no cost to them, whether events come here first."""

from __future__ import annotations

from pathlib import Path


class Switch:
    """A file that is there while chaos is on; a worker looks before each event."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self.turn(on=False)

    def turn(self, *, on: bool) -> None:
        """Make the file, or take it away."""
        if self._path is None:
            return
        if on:
            self._path.touch()
        else:
            self._path.unlink(missing_ok=True)
