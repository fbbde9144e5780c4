"""The stack under test. `./scripts/test` starts it, and describes it in THROUGHLINE_STACK."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass

from stack.local.addresses import StackAddresses as Addresses

__all__ = ["Addresses", "StackUnderTest", "stack_under_test"]


@dataclass(frozen=True)
class StackUnderTest:
    """A running stack: where it listens, and the ids of some processes."""

    addresses: Addresses
    observatory_pid: int
    redelivery_pid: int


def stack_under_test() -> StackUnderTest:
    """Return the stack that was started for this run.

    Raises:
        LookupError: none was.
    """
    description = os.environ.get("THROUGHLINE_STACK")
    if not description:
        raise LookupError("These tests need a running stack: run them with ./scripts/test")
    stack = json.loads(description)
    return StackUnderTest(
        Addresses(stack["port_offset"]),
        stack["observatory_pid"],
        stack["redelivery_pid"],
    )
