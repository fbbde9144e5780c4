"""Finds the stack that runs from this checkout, and ensures that there is only one."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from stack import paths
from stack.errors import UserError
from stack.local.addresses import StackAddresses
from stack.local.http import answers

#: The run-time files of the stack that ./scripts/dev runs.
DEV_FOLDER = paths.MADE / "dev"

START_HINT = "Start one in another terminal: ./scripts/dev"


@contextmanager
def exclusive_stack(folder: Path, addresses: StackAddresses) -> Iterator[None]:
    """Lock `folder` for one stack, and record its addresses there, until the block ends.

    Raises:
        UserError: a stack is already running from `folder`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UserError(
                f"A stack is already running from this checkout{_where(folder)}.",
                hint="Use that stack, or stop it first with Ctrl-C in its terminal.",
            ) from None
        state = folder / "stack.json"
        state.write_text(json.dumps({"pid": os.getpid(), "port_offset": addresses.offset}))
        try:
            yield
        finally:
            state.unlink(missing_ok=True)


def recorded(folder: Path = DEV_FOLDER) -> StackAddresses | None:
    """Return the addresses of the stack that runs from `folder`, ready or not, or None.

    A stack that was killed leaves its record, but not its lock.
    """
    try:
        offset = int(json.loads((folder / "stack.json").read_text())["port_offset"])
        with (folder / "lock").open() as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return StackAddresses(offset)
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return None


def find() -> StackAddresses | None:
    """Return the addresses of the stack that runs from this checkout and is ready, or None."""
    addresses = recorded()
    return addresses if addresses and is_ready(addresses) else None


def require(port_offset: int | None = None) -> StackAddresses:
    """Return the addresses of the stack at `port_offset`, or by default of this checkout's stack.

    Raises:
        UserError: no stack runs there, or it is not ready.
    """
    if port_offset is not None:
        addresses = StackAddresses(port_offset)
        if not is_ready(addresses):
            raise UserError(
                f"No stack runs at port offset {port_offset}: nothing answers at "
                f"{addresses.hosting}.",
                hint=f"Start one with ./scripts/dev --port-offset {port_offset}, or omit "
                "--port-offset to use this checkout's stack.",
            )
        return addresses
    if stack := find():
        return stack
    if starting := recorded():
        raise UserError(
            f"The stack of this checkout is not ready: {starting.hosting} or "
            f"{starting.observatory} does not answer.",
            hint="Wait until ./scripts/dev prints “Ready”.",
        )
    raise UserError("No stack of this checkout is running.", hint=START_HINT)


def is_ready(addresses: StackAddresses) -> bool:
    """Return whether the stack's page and its Observatory answer."""
    return answers(addresses.hosting) and answers(f"{addresses.observatory}/api/health")


def _where(folder: Path) -> str:
    addresses = recorded(folder)
    return f", at port offset {addresses.offset}" if addresses else ""
