"""Format text for a terminal: colours, and widths in columns."""

import os
import sys
import unicodedata
from collections.abc import Iterable

from observatory.schemas.journey import Party

PARTY_COLOURS: dict[Party, str] = {
    "page": "34",
    "rules": "33",
    "function": "35",
    "vendor": "36",
    "service": "35",
}
BOLD, DIM, RED, GREEN, YELLOW = "1", "2", "31", "32", "33"


class Ink:
    """Colours text; leaves it plain if ``colour`` is off."""

    def __init__(self, colour: bool) -> None:
        self._colour = colour

    def __call__(self, text: str, *styles: str) -> str:
        """Return ``text`` in these SGR styles."""
        if not self._colour or not text or not styles:
            return text
        return f"\x1b[{';'.join(styles)}m{text}\x1b[0m"


def wants_colour() -> bool:
    """Return whether stdout is a terminal and NO_COLOR is not set (https://no-color.org)."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR")


def clean(text: str) -> str:
    """Replace control characters, because names and messages come from outside."""
    return "".join(character if character.isprintable() else "·" for character in text)


def width_of(text: str) -> int:
    """Return the number of terminal columns that ``text`` takes."""
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


def fit(text: str, columns: int) -> str:
    """Return ``text``, cleaned, cut to at most ``columns`` with an ellipsis."""
    if columns <= 0:
        return ""
    cleaned = clean(text)
    if width_of(cleaned) <= columns:
        return cleaned
    # Each character takes at least one column, so cut first to keep long texts cheap.
    cleaned = cleaned[:columns]
    while width_of(cleaned) > columns - 1:
        cleaned = cleaned[:-1]
    return cleaned + "…"


def pad(text: str, columns: int) -> str:
    """Pad ``text`` with spaces to ``columns``."""
    return text + " " * (columns - width_of(text))


def wrapped(text: str, width: int) -> Iterable[str]:
    """Yield the lines of ``text``, broken between words to at most ``width`` characters."""
    line = ""
    for word in text.split(" "):
        if line and len(line) + 1 + len(word) > width:
            yield line
            line = word
        else:
            line = f"{line} {word}" if line else word
    yield line
