"""`./scripts/trace`: ask the Observatory of the stack that runs from this checkout."""

from __future__ import annotations

import os
from collections.abc import Sequence

from observatory.terminal import trace_command
from stack.errors import UserError
from stack.local import current


def main(arguments: Sequence[str]) -> int:
    """Run the command; return its exit status."""
    return trace_command.main(list(arguments), default_url=observatory_url)


def observatory_url() -> str:
    """Return the Observatory to ask where none is named on the command line.

    That is the one that OTEL_EXPORTER_OTLP_ENDPOINT names, or else that of the stack that runs
    from this checkout, at whichever port offset.

    Raises:
        UserError: neither is there. Another checkout's stack may well answer on the default port.
    """
    if endpoint := os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT"):
        return endpoint
    if stack := current.recorded():
        return stack.observatory
    raise UserError(
        "No stack of this checkout is running.",
        hint="Start one with ./scripts/dev, or name an Observatory with --observatory URL.",
    )
