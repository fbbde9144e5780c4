"""`./scripts/hops`: cross every hop of the contract, and report which carried the context."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence

from stack import paths
from stack.clients.browser import browser
from stack.clients.errors import stack_errors
from stack.commands.options import add_port_offset
from stack.console import print_line
from stack.hops.crossing import cross_every_hop, describe_failures, table
from stack.local import current, running
from stack.local.addresses import StackAddresses, free_addresses
from stack.setup import install

FOLDER = paths.MADE / "hops"


def main(arguments: Sequence[str]) -> int:
    """Run the command; return its exit status."""
    options = _parse(arguments)
    if options.port_offset is not None:
        addresses = current.require(options.port_offset)
        install.everything(chromium=True)
        return _cross(addresses, as_json=options.json)
    print_line("Throughline: setting up")
    install.everything(chromium=True)
    addresses = free_addresses()
    with current.exclusive_stack(FOLDER, addresses), running.stack(addresses, FOLDER):
        status = _cross(addresses, as_json=options.json)
    if status:
        print_line(f"The traces and logs of this run are in {FOLDER.relative_to(paths.ROOT)}/.")
    return status


def _cross(addresses: StackAddresses, *, as_json: bool) -> int:
    with stack_errors(), browser() as chromium:
        evidence_by_hop = cross_every_hop(chromium, addresses)
    if as_json:
        summaries = {hop: evidence.summary() for hop, evidence in evidence_by_hop.items()}
        print(json.dumps(summaries))
    else:
        print(table(evidence_by_hop))
    for line in describe_failures(evidence_by_hop, addresses.observatory):
        print_line(line)
    return 0 if all(evidence.carried for evidence in evidence_by_hop.values()) else 1


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="./scripts/hops",
        description="Start a new stack, cross every hop of the contract through the real path "
        "(a browser, the emulators, the functions, the acquirer), and print for each hop: whether "
        "the context was carried, how it was joined, the median wait in milliseconds, and an "
        "example trace. Stops the stack at the end.",
        epilog="Exit status: 0 every hop carried the context; 1 a hop did not, or could not be "
        "crossed; 2 bad usage.",
    )
    parser.add_argument(
        "--json", action="store_true", help="print one JSON object with an entry for each hop"
    )
    add_port_offset(parser, "use the running stack at this offset instead of a new one")
    return parser.parse_args(arguments)
