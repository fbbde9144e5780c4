"""The stack under test, which `./scripts/test` starts and describes in THROUGHLINE_STACK."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass

from stack.local.addresses import StackAddresses as Addresses

__all__ = ["Addresses", "StackUnderTest", "stack_under_test"]


@dataclass(frozen=True)
class StackUnderTest:
    """A running stack: its addresses and the ids of the processes that tests interrupt."""

    addresses: Addresses
    observatory_pid: int
    redelivery_pid: int


def stack_under_test() -> StackUnderTest:
    """Return the stack that was started for this run.

    Raises:
        LookupError: if THROUGHLINE_STACK is unset or empty.
    """
    description = os.environ.get("THROUGHLINE_STACK")
    if not description:
        raise LookupError(
            "THROUGHLINE_STACK is not set, and this test needs a running stack. "
            "Run it with ./scripts/test"
        )
    stack = json.loads(description)
    return StackUnderTest(
        Addresses(stack["port_offset"]),
        stack["observatory_pid"],
        stack["redelivery_pid"],
    )
