"""Build the text of an answer, which never exceeds a size limit."""

import json
from collections.abc import Callable, Iterable, Mapping
from urllib.parse import urlencode

from observatory.terminal.text import fit

# Of the text as JSON. With the rest of the message, an answer stays below 64 KB.
LIMIT_BYTES = 48_000
LINE_LIMIT_CHARACTERS = 2_000
LINK_LIMIT_CHARACTERS = 2_000
# For what follows the rows: how to get the rest, and the link.
RESERVED_BYTES = 4_000


class Answer:
    """The lines of an answer, and a link to the same in the explorer.

    Lines are cut at 2,000 characters, and control characters are replaced, because names and
    messages come from outside.

    Args:
        link: the address in the explorer.
    """

    def __init__(self, link: str) -> None:
        self._link = link
        self._lines: list[str] = []
        self._size_bytes = 0

    def add(self, line: str = "") -> bool:
        """Add a line; return False, and add nothing, if the answer is full."""
        line = fit(line, LINE_LIMIT_CHARACTERS)
        size_bytes = len(json.dumps(line + "\n", ensure_ascii=False).encode())
        if self._size_bytes + size_bytes > LIMIT_BYTES - RESERVED_BYTES:
            return False
        self._lines.append(line)
        self._size_bytes += size_bytes
        return True

    def add_rows(self, rows: Iterable[str], rest: Callable[[int], str]) -> bool:
        """Add rows up to the limit, and return whether all of them were added.

        Args:
            rows: one line each.
            rest: says how to get the rest, from the number of rows that were added.
        """
        for number, row in enumerate(rows):
            if not self.add(row):
                self.cut(f"The answer is cut here, at its size limit. {rest(number)}")
                return False
        return True

    def cut(self, note: str) -> None:
        """Add a line that says what is missing and how to get it; there is always room for it."""
        self._lines.append(f"[{fit(note, LINE_LIMIT_CHARACTERS // 4)}]")

    def text(self) -> str:
        """Return the whole answer."""
        return "\n".join([*self._lines, "", f"In the explorer: {self._link}"])


def link_to(base_url: str, path: str, parameters: Mapping[str, str | None] | None = None) -> str:
    """Return an address in the explorer.

    Parameters that are None or empty are left out, and all of them if the address would be longer
    than 2,000 characters.
    """
    query = urlencode({name: value for name, value in (parameters or {}).items() if value})
    link = f"{base_url}{path}?{query}"
    return link if query and len(link) <= LINK_LIMIT_CHARACTERS else f"{base_url}{path}"


def selection_parameters(filter_: str, last_seconds: float | None) -> dict[str, str]:
    """Return the parameters with which the explorer shows a selection."""
    last = "all" if last_seconds is None else str(max(1, round(last_seconds)))
    return {"q": filter_, "last": last}
