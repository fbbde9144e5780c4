"""`./scripts/deploy --rehearse`: deploy to a stand-in of Google's APIs, run it, buy a ticket."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence

from stack import paths
from stack.commands.options import add_json, add_port_offset
from stack.console import print_line
from stack.local.addresses import OFFSET_MAX, StackAddresses, free_addresses
from stack.local.running import wait_for_ctrl_c
from stack.setup import install

FOLDER = paths.MADE / "rehearsal"

DESCRIPTION = """\
Deploy this tree with the real firebase-tools to a stand-in of Google's APIs on this machine, run
what was uploaded as production would, and buy one ticket in a headless browser. Needs no account,
and reaches no service of Google. docs/rehearsal.md says what is simulated, and what is not.
"""


def main(arguments: Sequence[str]) -> int:
    """Run the command; return its exit status."""
    options = _parse(arguments)
    install.everything(chromium=True)
    addresses = (
        free_addresses() if options.port_offset is None else StackAddresses(options.port_offset)
    )
    # Imported here: it imports the Observatory's client, which --help must not wait for.
    from stack.rehearsal import rehearsal  # noqa: PLC0415

    if options.keep:
        with rehearsal.rehearsed_site(addresses, FOLDER) as running:
            print_line(f"\n  Box Office    {addresses.hosting}")
            print_line(f"  Observatory   {addresses.observatory}")
            print_line(f"  Status        {running.site.internal}/status\n\nPress Ctrl-C to stop.")
            wait_for_ctrl_c(running.processes)
        return 0
    outcome = rehearsal.rehearse(addresses, FOLDER)
    if options.json:
        print(json.dumps(outcome))
    else:
        for name, value in outcome.items():
            print(f"{name:<18}{value if isinstance(value, str) else json.dumps(value)}")
    return 0 if rehearsal.is_whole(outcome) else 1


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="./scripts/deploy --rehearse",
        description=DESCRIPTION,
        epilog="Exit status: 0 the ticket was issued and nothing of its trace is missing; 1 "
        "something is; 2 bad usage.",
    )
    parser.add_argument(
        "--keep", action="store_true", help="run the site until Ctrl-C instead of buying a ticket"
    )
    add_json(parser)
    add_port_offset(
        parser, f"use the ports of this offset (0 to {OFFSET_MAX}); by default free ones"
    )
    options = parser.parse_args(arguments)
    if options.keep and options.json:
        parser.error("--json can't be combined with --keep")
    return options
