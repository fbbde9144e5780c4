"""`./scripts/dev`: set everything up and run it; with --buy, buy one ticket and show its trace."""

from __future__ import annotations

import argparse
import subprocess
import sys

from stack import install, places, running
from stack.console import say
from stack.exit_status import exit_status
from stack.ports import Ports
from stack.processes import Processes

FOLDER = places.MADE / "dev"


@exit_status
def main() -> int:
    """Run the command; returns its exit status."""
    options = _options()
    if options.buy and (ports := running.running(FOLDER)):
        install.everything(chromium=True)
        return _buy(ports, as_json=options.json)
    ports = Ports(options.port_offset)
    with running.only_one(FOLDER, ports):
        ports.claim()
        say("Throughline: setting up")
        install.everything(chromium=options.buy)
        with running.stack(ports, FOLDER, data=FOLDER / "observatory.duckdb") as processes:
            if options.buy:
                return _buy(ports, as_json=options.json)
            _serve(ports, processes)
            return 0


def _serve(ports: Ports, processes: Processes) -> None:
    say("")
    for name, address in running.addresses(ports).items():
        say(f"  {name:<14}{address}")
    say(f"  {'Logs':<14}{FOLDER.relative_to(places.ROOT)}/*.log")
    say("\nReady. Buy a ticket in the page, or with ./scripts/dev --buy; Ctrl-C ends it all.")
    running.wait_for_ctrl_c(processes)


def _buy(ports: Ports, *, as_json: bool) -> int:
    command = [str(places.python_in(places.VENV)), "-m", "stack.buy", "--port-offset"]
    command += [str(ports.offset), *(["--json"] if as_json else [])]
    return subprocess.run(command, cwd=places.ROOT, check=False).returncode


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="./scripts/dev",
        description="Set everything up and run Throughline on the Firebase emulators until Ctrl-C.",
        epilog="Exit status: 0 it ran, or the ticket was bought; 1 it could not; 2 bad usage.",
    )
    parser.add_argument(
        "--buy",
        action="store_true",
        help="buy one ticket in a headless browser, print its trace and exit; uses the stack that "
        "is running, or one of its own",
    )
    parser.add_argument("--json", action="store_true", help="with --buy: print one JSON object")
    parser.add_argument(
        "--port-offset",
        type=int,
        default=0,
        metavar="N",
        help="add N to every port, to keep out of another program's way (0 to 19000)",
    )
    options = parser.parse_args()
    if options.json and not options.buy:
        parser.error("--json goes with --buy")
    if not 0 <= options.port_offset <= 19_000:
        parser.error("--port-offset takes a number from 0 to 19000")
    return options


if __name__ == "__main__":
    sys.exit(main())
