"""Where the stack under test is. `./scripts/test` starts it and says so in THROUGHLINE_STACK."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass


@dataclass(frozen=True)
class Addresses:
    """The addresses of one stack's parts, as URLs, its project's id, some processes' ids.

    `folder` is where its logs are.
    """

    project: str
    hosting: str
    auth: str
    firestore: str
    functions: str
    pubsub: str
    observatory: str
    acquirer: str
    redelivery: str
    observatory_pid: int
    redelivery_pid: int
    folder: str = ""


def stack_under_test() -> Addresses:
    """The stack that was started for this run.

    Raises:
        LookupError: none was.
    """
    said = os.environ.get("THROUGHLINE_STACK")
    if not said:
        raise LookupError("These tests need a running stack: run them with ./scripts/test")
    return Addresses(**json.loads(said))
