"""`./scripts/scenario`: provoke a failure on the running stack, and check that it can be found."""

from __future__ import annotations

import argparse
import difflib
import sys
from pathlib import Path

from stack import install, own_module, running
from stack.commands import dev
from stack.exit_status import exit_status
from stack.problem import Problem

SCENARIOS = Path(__file__).parents[1] / "scenarios"

DESCRIPTION = """\
Bugs on purpose. `run` turns a fault on, provokes the failure through the real path on the stack
that ./scripts/dev runs, waits for the traces, checks that the symptom is real and that the traces
reveal its cause, and prints where to look at them. With --fixed the fault is off, and neither may
be there. Flags, shows and orders are left as they were, after Ctrl-C too.
"""

EPILOG = """\
The keys of `run NAME --json`:
  scenario         its name
  fixed            whether the fault was off
  symptom_seen     whether what a user would report is so; `symptom` says it
  signature_found  whether the traces reveal the cause; `evidence` says by what
  invariants_broken  which of “no oversell”, “no double charge” and “no lost order” did not hold
  trace_ids, url   the traces, and where to look at the first
  wall_s           how long it took
Of `run --all --json`: `scenarios`, one such object each; `false_matches`, the signatures that are
found in the traces of another scenario; `wall_s`.

Exit status: 0 symptom and signature are there with the fault, or neither is with --fixed, the
invariants that don't hold are those that the fault breaks, and no signature matches another
scenario's traces; 1 it isn't so, or it could not run; 2 bad usage.
"""


@exit_status
def main() -> int:
    """Run the command; returns its exit status."""
    options = _options()
    if options.command == "list":
        install.everything()
        return _rehearse(["--json"] if options.json else [])
    ports = running.running(dev.FOLDER)
    if ports is None:
        raise Problem("No stack is running: start one with ./scripts/dev, and leave it running.")
    install.everything()
    arguments = [*options.names, "--port-offset", str(ports.offset)]
    arguments += [f"--{name}" for name in ("fixed", "json") if getattr(options, name)]
    return _rehearse(arguments)


def names() -> list[str]:
    """Every scenario's name; it is its file's, with hyphens."""
    files = sorted(SCENARIOS.glob("*.py"))
    return [path.stem.replace("_", "-") for path in files if path.stem != "__init__"]


def _rehearse(arguments: list[str]) -> int:
    return own_module.run("stack.rehearsal", arguments)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="./scripts/scenario",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="list | run")
    listing = commands.add_parser("list", help="every scenario, and what its user reports")
    play = commands.add_parser("run", help="play one scenario, or --all of them")
    play.add_argument("names", nargs="*", metavar="NAME", help="the scenarios to play, in turn")
    play.add_argument("--all", action="store_true", help="play every scenario")
    play.add_argument("--fixed", action="store_true", help="play it the right way: the fault off")
    for command in (listing, play):
        command.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    if options.command == "run":
        if options.all == bool(options.names):
            play.error("name a scenario, or say --all")
        options.names = names() if options.all else options.names
        for name in options.names:
            if name not in names():
                near = difflib.get_close_matches(name, names()) or names()
                play.error(f"there is no scenario {name!r}; did you mean {' or '.join(near)}?")
    return options


if __name__ == "__main__":
    sys.exit(main())
