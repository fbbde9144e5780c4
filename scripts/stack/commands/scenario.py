"""`./scripts/scenario`: provoke a failure on the running stack, and check that it can be found."""

from __future__ import annotations

import argparse
import difflib
import json
import time
from collections.abc import Sequence
from dataclasses import asdict

from stack.clients.errors import stack_errors
from stack.commands.options import add_json, add_port_offset
from stack.console import print_line
from stack.local import current
from stack.local.addresses import StackAddresses
from stack.scenario_runner import scenario as scenarios
from stack.scenario_runner.run import ScenarioRun, false_matches, run_scenario
from stack.setup import install

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


def main(arguments: Sequence[str]) -> int:
    """Run the command; return its exit status."""
    options = _parse(arguments)
    if options.command == "list":
        _list(as_json=options.json)
        return 0
    addresses = current.require(options.port_offset)
    install.everything()
    with stack_errors():
        return _run(addresses, options.names, fixed=options.fixed, as_json=options.json)


def _list(*, as_json: bool) -> None:
    """Print every scenario."""
    by_name = scenarios.load_all()
    if as_json:
        keys = ("fault", "report", "reveals", "fix")
        rows = [
            {
                "scenario": name,
                **{key: getattr(scenario, key) for key in keys},
                "breaks": sorted(scenario.breaks),
            }
            for name, scenario in by_name.items()
        ]
        print(json.dumps({"scenarios": rows}))
        return
    width = max(map(len, by_name))
    for name, scenario in by_name.items():
        print(f"{name:<{width}}  “{scenario.report}”")


def _run(addresses: StackAddresses, names: Sequence[str], *, fixed: bool, as_json: bool) -> int:
    """Run these scenarios in turn, and hold the signatures of several against each other.

    Returns the exit status.
    """
    began = time.monotonic()
    by_name = {name: scenarios.load(name) for name in names}
    results: list[ScenarioRun] = []
    for name, scenario in by_name.items():
        results.append(run_scenario(addresses, name, scenario, fixed=fixed))
        if not as_json:
            _show(results[-1])
        elif len(names) > 1:
            print_line(f"  … {name} ({results[-1].wall_s:.1f} s)")
    matches = false_matches(by_name, {result.name: result.journeys for result in results})
    if not as_json:
        for match in matches:
            print(
                f"✗ {match.signature}'s signature is found in {match.traces_of}: {match.evidence}"
            )
    elif len(names) == 1:
        print(json.dumps(results[0].as_json()))
    else:
        summary = {
            "scenarios": [result.as_json() for result in results],
            "false_matches": [asdict(match) for match in matches],
            "wall_s": round(time.monotonic() - began, 2),
        }
        print(json.dumps(summary))
    return 0 if all(result.as_it_should_be for result in results) and not matches else 1


def _show(result: ScenarioRun) -> None:
    """Print what was seen of one scenario, for a person."""
    mark = "✓" if result.as_it_should_be else "✗"
    way = "the right way" if result.fixed else "with the fault"
    print(f"{mark} {result.name}, {way} ({result.wall_s:.1f} s)")
    print(f"  symptom    {result.symptom or 'none'}")
    print(f"  signature  {result.evidence or 'not found'}")
    if result.broken or result.meant:
        print(f"  broken     {', '.join(sorted(result.broken)) or 'nothing'}")
    print(f"  trace      {result.url}", flush=True)


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="./scripts/scenario",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="list | run")
    listing = commands.add_parser("list", help="every scenario, and what its user reports")
    run = commands.add_parser("run", help="run one scenario, or --all of them")
    run.add_argument("names", nargs="*", metavar="NAME", help="the scenarios to run, in turn")
    run.add_argument("--all", action="store_true", help="run every scenario")
    run.add_argument("--fixed", action="store_true", help="run it the right way: the fault off")
    add_port_offset(run, "use the stack that runs at this offset; this checkout's if left out")
    for command in (listing, run):
        add_json(command)
    options = parser.parse_args(arguments)
    if options.command == "run":
        if options.all == bool(options.names):
            run.error("name a scenario, or say --all")
        options.names = scenarios.names() if options.all else options.names
        for name in options.names:
            if name not in scenarios.names():
                near = difflib.get_close_matches(name, scenarios.names()) or scenarios.names()
                run.error(f"there is no scenario {name!r}; did you mean {' or '.join(near)}?")
    return options
