"""`python -m stack.rehearsal`: lists scenarios, or plays them on the stack that is running.

Runs in the environment that install.py made, not in the bare Python of the other modules.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import httpx

from observatory.client import ObservatoryError
from stack import emulators, running
from stack.console import say
from stack.ports import Ports
from stack.problem import Problem
from stack.rehearsal import scenario as scenarios
from stack.rehearsal.play import FalseMatch, Played, false_matches, play


@dataclass(frozen=True)
class Parts:
    """Where the parts of the stack are, as URLs, and its project."""

    project: str
    hosting: str
    auth: str
    firestore: str
    functions: str
    acquirer: str
    pubsub: str
    observatory: str
    redelivery: str


def parts_at(offset: int) -> Parts:
    """The parts of the stack with that port offset."""
    ports = Ports(offset)
    names = [name for name in Parts.__dataclass_fields__ if name != "project"]
    return Parts(project=emulators.PROJECT, **{name: ports.url(name) for name in names})


def show_list(*, as_json: bool) -> None:
    """Print every scenario."""
    found = scenarios.load_all()
    if as_json:
        keys = ("fault", "report", "reveals", "fix")
        rows = [
            {
                "scenario": name,
                **{key: getattr(scenario, key) for key in keys},
                "breaks": sorted(scenario.breaks),
            }
            for name, scenario in found.items()
        ]
        print(json.dumps({"scenarios": rows}))
        return
    width = max(map(len, found))
    for name, scenario in found.items():
        print(f"{name:<{width}}  “{scenario.report}”")


def show(played: Played) -> None:
    """Print what was seen of one scenario, for a person."""
    mark = "✓" if played.as_it_should_be else "✗"
    way = "the right way" if played.fixed else "with the fault"
    print(f"{mark} {played.name}, {way} ({played.wall_s:.1f} s)")
    print(f"  symptom    {played.symptom or 'none'}")
    print(f"  signature  {played.evidence or 'not found'}")
    if played.broken or played.meant:
        print(f"  broken     {', '.join(sorted(played.broken)) or 'nothing'}")
    print(f"  trace      {played.url}", flush=True)


def run(parts: Parts, names: Sequence[str], *, fixed: bool, as_json: bool) -> int:
    """Play these scenarios one after the other; several of them are held against each other too."""
    began = time.monotonic()
    chosen = {name: scenarios.load(name) for name in names}
    results: list[Played] = []
    for name, scenario in chosen.items():
        results.append(play(parts, name, scenario, fixed=fixed))
        if not as_json:
            show(results[-1])
        elif len(names) > 1:
            say(f"  … {name} ({results[-1].wall_s:.1f} s)")
    false = false_matches(chosen, {result.name: result.journeys for result in results})
    if not as_json:
        _show_false(false)
    elif len(names) == 1:
        print(json.dumps(results[0].as_json()))
    else:
        summary = {
            "scenarios": [result.as_json() for result in results],
            "false_matches": [asdict(match) for match in false],
            "wall_s": round(time.monotonic() - began, 2),
        }
        print(json.dumps(summary))
    return 0 if all(result.as_it_should_be for result in results) and not false else 1


def _show_false(false: Sequence[FalseMatch]) -> None:
    for match in false:
        print(f"✗ {match.signature}'s signature is found in {match.traces_of}: {match.evidence}")


def main(arguments: list[str] | None = None) -> int:
    """Run the command; returns its exit status."""
    parser = argparse.ArgumentParser()
    parser.add_argument("names", nargs="*")
    parser.add_argument("--port-offset", type=int, default=0)
    parser.add_argument("--fixed", action="store_true")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    running.end_on_signals()
    if not options.names:
        show_list(as_json=options.json)
        return 0
    try:
        return run(
            parts_at(options.port_offset),
            options.names,
            fixed=options.fixed,
            as_json=options.json,
        )
    except (Problem, ObservatoryError) as problem:
        say(f"✗ {problem}")
        return 1
    except httpx.HTTPError as error:
        say(f"✗ The stack does not answer ({type(error).__name__}: {error}).")
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
