"""`./scripts/dev`: set up and run the stack; with --buy, buy one ticket and show its trace."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence

from stack import paths
from stack.commands.options import add_port_offset
from stack.console import print_line
from stack.local import current, running
from stack.local.addresses import OFFSET_MAX, StackAddresses
from stack.local.current import DEV_FOLDER
from stack.local.processes import Processes
from stack.setup import install


def main(arguments: Sequence[str]) -> int:
    """Run the command; return its exit status."""
    options = _parse(arguments)
    if options.buy and (running_stack := _running_stack(options.port_offset)):
        install.everything(chromium=True)
        return _buy(running_stack, as_json=options.json)
    addresses = StackAddresses(options.port_offset or 0)
    with current.exclusive_stack(DEV_FOLDER, addresses):
        addresses.require_free_ports()
        print_line("Throughline: setting up")
        install.everything(chromium=options.buy)
        data = DEV_FOLDER / "observatory.duckdb"
        with running.stack(addresses, DEV_FOLDER, data=data) as processes:
            if options.buy:
                return _buy(addresses, as_json=options.json)
            _serve(addresses, processes)
            return 0


def _running_stack(port_offset: int | None) -> StackAddresses | None:
    """Return the stack at `port_offset`, or by default this checkout's; None if it is not ready."""
    if port_offset is None:
        return current.find()
    addresses = StackAddresses(port_offset)
    return addresses if current.is_ready(addresses) else None


def _serve(addresses: StackAddresses, processes: Processes) -> None:
    print_line("")
    for name, address in running.pages(addresses).items():
        print_line(f"  {name:<14}{address}")
    print_line(f"  {'Logs':<14}{DEV_FOLDER.relative_to(paths.ROOT)}/*.log")
    print_line(
        "\nReady. Buy a ticket in the page, or with ./scripts/dev --buy. Press Ctrl-C to stop."
    )
    running.wait_for_ctrl_c(processes)


def _buy(addresses: StackAddresses, *, as_json: bool) -> int:
    # Imported here: this takes a third of a second, and only --buy needs it.
    from observatory.terminal.waterfall import render_waterfall  # noqa: PLC0415
    from stack.clients.browser_purchase import buy_and_trace, summary  # noqa: PLC0415

    purchase, journey = buy_and_trace(addresses)
    if as_json:
        print(json.dumps(summary(purchase, journey)))
    else:
        colour = sys.stdout.isatty() and "NO_COLOR" not in os.environ
        print(render_waterfall(journey, colour=colour))
        print(f"\n{addresses.observatory}/traces/{purchase.trace_id}")
    is_whole = journey["orphans"] == 0 and journey["coverage"] == 1.0
    return 0 if is_whole and purchase.order_state == "ticketed" else 1


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="./scripts/dev",
        description="Install what is missing, and run Throughline on the Firebase emulators until "
        "Ctrl-C.",
        epilog="Exit status: 0 the stack ran, or the ticket was bought and its trace is complete; "
        "1 it failed; 2 bad usage.",
    )
    parser.add_argument(
        "--buy",
        action="store_true",
        help="buy one ticket in a headless browser, print its trace and exit; uses the running "
        "stack, or starts one",
    )
    parser.add_argument("--json", action="store_true", help="with --buy: print one JSON object")
    add_port_offset(
        parser,
        f"add N (0 to {OFFSET_MAX}) to every port, if another program uses the default ports",
    )
    options = parser.parse_args(arguments)
    if options.json and not options.buy:
        parser.error("--json needs --buy")
    return options
