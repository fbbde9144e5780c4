"""That the Observatory runs, and what it holds."""

from typing import Literal

from typing_extensions import TypedDict


class Health(TypedDict):
    """That the Observatory runs, and what it holds.

    It is catching up while spans that were stored before it started aren't digested: questions
    about many traces see ``digested_spans`` of them. ``source_root`` is the folder that holds the
    files which spans name, and ``editor`` the address that opens one, with ``{path}`` (whole) and
    ``{line}`` to be filled in; null for none.
    """

    service: Literal["throughline-observatory"]
    status: Literal["ok", "catching up"]
    version: str
    schema_version: int
    revision: str
    spans: int
    logs: int
    traces: int
    digested_spans: int
    pending_bytes: int
    source_root: str
    editor: str | None
