"""The one program behind the executables in scripts/: a command is a module with a `main`."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module

from stack.exit_status import exit_status


@dataclass(frozen=True)
class Command:
    """A command: the module whose `main(arguments)` runs it, and what it does, in a line."""

    module: str
    about: str


COMMANDS = {
    "dev": Command("stack.commands.dev", "run everything until Ctrl-C, or buy one ticket"),
    "test": Command("stack.commands.test", "run the tests"),
    "check": Command("stack.commands.check", "lint, types, import rules, documents"),
    "trace": Command("stack.commands.trace", "ask the running Observatory"),
    "hops": Command("stack.commands.hops", "cross every hop, and say which carried the context"),
    "load": Command("stack.commands.load", "place many orders at once, and check the invariants"),
    "scenario": Command("stack.commands.scenario", "provoke a bug on purpose, and find its cause"),
    "indexes": Command("stack.commands.indexes", "check the queries that ran against the indexes"),
    # Benchmarks stand on the stack, which knows nothing of them.
    "bench": Command("benchmarks.command", "measure beside a reference"),
}


def main(arguments: Sequence[str]) -> int:
    """Run the command that the first argument names, and return its exit status.

    Only that command's module is imported, so that none waits for the packages of the others.
    """
    width = max(map(len, COMMANDS))
    parser = argparse.ArgumentParser(
        prog="python -m stack",
        description="Run one of the commands; each is an executable in scripts/ too.",
        epilog="\n".join(f"  {name:<{width}}  {each.about}" for name, each in COMMANDS.items()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("command", choices=COMMANDS, metavar="COMMAND", help="see the list below")
    name = parser.parse_args(arguments[:1]).command
    # bootstrap.sh set it for this process: the processes of a stack have modules of their own.
    os.environ.pop("PYTHONPATH", None)

    @exit_status
    def run() -> int:
        status: int = import_module(COMMANDS[name].module).main(arguments[1:])
        return status

    return run()
