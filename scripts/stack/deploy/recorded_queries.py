"""The queries that the app runs, recorded from the spans of a local stack.

`./scripts/indexes --record` writes them, so that indexes can be checked without a stack.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

FILE = "rules/recorded_queries.txt"
_HEAD = """\
# The queries of the functions and of the pages, recorded by ./scripts/indexes --record.
# ./scripts/deploy --check looks for the index of each.
"""


def read(text: str) -> Iterator[tuple[int, str]]:
    """Yield the line number and the text of each query in the file."""
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip() and not line.startswith("#"):
            yield number, line.strip()


def merged(text: str, queries: Iterable[str]) -> str:
    """Return the text of the file with more queries, each once, sorted."""
    every = {query for _, query in read(text)} | set(queries)
    return _HEAD + "".join(f"{query}\n" for query in sorted(every))
