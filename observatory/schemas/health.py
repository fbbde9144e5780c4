"""The Observatory's status, and how much it stores."""

from typing import Literal

from typing_extensions import TypedDict


class Health(TypedDict):
    """The Observatory's status, and how much it stores.

    ``catching up``: spans stored before the start are still being digested, and queries over many
    traces see only the ``digested_spans`` so far. ``source_root`` is the folder with the source
    files that spans name. ``editor`` is the URL that opens a source file, with the placeholders
    ``{path}`` (absolute) and ``{line}``; null when opening source files is turned off.
    ``grpc_port`` is the port for OTLP/gRPC; null when it is off.
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
    grpc_port: int | None
    source_root: str
    editor: str | None
