"""`./scripts/trace`: query the Observatory of the stack that runs from this checkout."""

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
    """Return the URL of the Observatory to query if the command line names none.

    It is OTEL_EXPORTER_OTLP_ENDPOINT, or else the Observatory of the stack that runs from this
    checkout. There is no further default, because another checkout's stack may use that port.

    Raises:
        UserError: the variable is not set, and no stack runs from this checkout.
    """
    if endpoint := os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT"):
        return endpoint
    if stack := current.recorded():
        return stack.observatory
    raise UserError(
        "No stack of this checkout is running.",
        hint="Start one with ./scripts/dev, or name an Observatory with --observatory URL.",
    )
