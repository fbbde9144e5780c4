"""`./scripts/scenario`: provoke a failure on the running stack, and find its cause in traces."""

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
List and run scenarios: failures caused by a fault, a deliberate bug that a flag turns on. `run`
turns the fault on, provokes the failure through the real path on the running stack of
./scripts/dev, waits for the traces, checks that the symptom occurs and that the traces reveal its
cause, and prints the address of the trace. With --fixed the fault stays off, and neither may
occur. Flags, shows and orders are restored afterwards, even after Ctrl-C.
"""

EPILOG = """\
The keys of `run NAME --json`:
  scenario           name of the scenario
  fixed              whether the fault was off
  symptom_seen       whether the symptom occurred; `symptom` describes it
  signature_found    whether the traces reveal the cause; `evidence` describes how
  invariants_broken  which of “no oversell”, “no double charge” and “no lost order” did not hold
  trace_ids, url     the traces, and the address of the first
  wall_s             duration in seconds
The keys of `run --all --json`: `scenarios`, a list of such objects; `false_matches`, signatures
that were found in the traces of another scenario; `wall_s`.

Exit status: 0 symptom and signature occurred with the fault, or neither did with --fixed, exactly
the invariants broke that the fault breaks, and no signature matched another scenario's traces;
1 otherwise, or the scenario could not run; 2 bad usage.
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
    """Print every scenario with its report."""
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
    """Run the scenarios in turn, match each signature against the others' traces, and return the
    exit status."""
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
                f"✗ the signature of {match.signature} matches the traces of {match.traces_of}: "
                f"{match.evidence}"
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
    return 0 if all(result.is_as_expected for result in results) and not matches else 1


def _show(result: ScenarioRun) -> None:
    """Print the result of one scenario as text."""
    mark = "✓" if result.is_as_expected else "✗"
    variant = "fixed" if result.fixed else "with the fault"
    print(f"{mark} {result.name}, {variant} ({result.wall_s:.1f} s)")
    print(f"  symptom    {result.symptom or 'none'}")
    print(f"  signature  {result.evidence or 'not found'}")
    if result.broken or result.expected_broken:
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
    listing = commands.add_parser("list", help="list every scenario with the user's report")
    run = commands.add_parser("run", help="run one or more scenarios, or --all")
    run.add_argument("names", nargs="*", metavar="NAME", help="scenarios to run, in this order")
    run.add_argument("--all", action="store_true", help="run every scenario")
    run.add_argument(
        "--fixed", action="store_true", help="keep the fault off, and check that nothing fails"
    )
    add_port_offset(run, "use the stack at this offset (default: this checkout's stack)")
    for command in (listing, run):
        add_json(command)
    options = parser.parse_args(arguments)
    if options.command == "run":
        if options.all == bool(options.names):
            run.error("name one or more scenarios, or pass --all (see ./scripts/scenario list)")
        options.names = scenarios.names() if options.all else options.names
        for name in options.names:
            if name not in scenarios.names():
                near = difflib.get_close_matches(name, scenarios.names())
                suggestion = (
                    f"did you mean {' or '.join(near)}?"
                    if near
                    else "to list the scenarios: ./scripts/scenario list"
                )
                run.error(f"there is no scenario {name!r}; {suggestion}")
    return options
