"""Entry point of the executables in scripts/: runs the command's module."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module

from stack.exit_status import exit_status


@dataclass(frozen=True)
class Command:
    """A command: the module whose `main(arguments)` runs it, and a one-line description."""

    module: str
    about: str


COMMANDS = {
    "dev": Command("stack.commands.dev", "run everything until Ctrl-C, or buy one ticket"),
    "test": Command("stack.commands.test", "run the tests"),
    "check": Command("stack.commands.check", "lint, types, import rules, documentation"),
    "trace": Command("stack.commands.trace", "ask the running Observatory"),
    "hops": Command("stack.commands.hops", "cross every hop, and report which carried the context"),
    "load": Command("stack.commands.load", "place many orders at once, and check the invariants"),
    "scenario": Command(
        "stack.commands.scenario", "provoke a deliberate bug, and find its cause in the traces"
    ),
    "indexes": Command("stack.commands.indexes", "check that each query that ran has its index"),
    "deploy": Command("stack.commands.deploy", "check what would be deployed, and deploy it"),
    # Named as a string, because the package stack may not import the benchmarks.
    "bench": Command("benchmarks.command", "measure beside a reference"),
}


def main(arguments: Sequence[str]) -> int:
    """Run the command named by the first argument, and return its exit status.

    Only that command's module is imported, because the imports of some commands are slow.
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
    # bootstrap.sh set it for this process only; the stack's processes must not inherit it.
    os.environ.pop("PYTHONPATH", None)

    @exit_status
    def run() -> int:
        status: int = import_module(COMMANDS[name].module).main(arguments[1:])
        return status

    return run()
