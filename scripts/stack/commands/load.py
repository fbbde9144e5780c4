"""`./scripts/load`: place many orders at once; check the invariants, and that no span is lost."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from stack import paths
from stack.clients.errors import stack_errors
from stack.commands.options import add_json, positive, rate
from stack.console import print_line
from stack.load import load_generator
from stack.load.load_generator import Load
from stack.load.load_report import LoggedInvocations, broken
from stack.load.process_kills import ProcessKills, plan
from stack.local import current, running
from stack.local.addresses import StackAddresses, free_addresses
from stack.local.current import DEV_FOLDER
from stack.setup import install

FOLDER = paths.MADE / "load"

# Default rates of --chaos.
CHAOS = {"duplicates": 0.1, "reorder": 0.1, "fail": 0.05}

DESCRIPTION = """\
Place many orders at once, each as a new anonymous buyer, through the security rules. The command
creates its own shows, one of which has less stock than is ordered. It waits until no event is
pending, and checks the invariants. It uses the running stack of ./scripts/dev, or starts one; do
not buy on that stack meanwhile.
"""

EPILOG = """\
The keys of --json:
  orders          number of orders requested
  final           orders in a final state
  oversold        seats sold beyond a show's stock
  double_charged  orders with more than one succeeded charge in the acquirer's book
  lost            orders not final at the deadline (3 minutes, plus 2 s for each order and 2
                  minutes for each kill), or paid for without all their tickets
  killed          processes that --kill killed
  failed          orders that a stage gave up; the cards used here are approved or declined
  dead_letters    events that redelivery gave up
  coverage        share of the spans of the orders' traces that reach a declared root
  orphans         spans of those traces whose parent is not stored
  spans_expected  counted independently of the store: 2 spans for each order (buy, create orders),
                  which the command sends as the page would, and one for each 'Finished' line that
                  the functions emulator logged for reserve, charge, settle, issue or audit, minus
                  the invocations that only handed their event to redelivery (its `untried`)
  spans_stored    how many of these spans the Observatory has stored: buy, create orders, the spans
                  of the functions, and redelivery's `deliver` spans, one for each invocation that
                  chaos failed before the function ran
  p50_s, p95_s    seconds from placed to the final state, by Firestore's clock

With --kill, spans that a killed process had not sent are missing, and events can be dead-lettered
while a service restarts; the sweep resumes their orders. So the command then checks only final,
oversold, double_charged and lost, and that every planned process was killed.

Exit status: 0 every invariant held; 1 one did not, or the command could not run; 2 bad usage.
"""


def main(arguments: Sequence[str]) -> int:
    """Run the command; return its exit status."""
    options = _parse(arguments)
    if not options.kill and (running_stack := current.find()):
        install.everything(chromium=False)
        return _place(options, running_stack, DEV_FOLDER)
    print_line("Throughline: setting up")
    install.everything(chromium=False)
    addresses = free_addresses()
    with (
        current.exclusive_stack(FOLDER, addresses),
        running.stack(addresses, FOLDER) as processes,
    ):
        kills = None
        if options.kill:
            kills = ProcessKills(
                processes, addresses, plan(options.kill, options.seed), options.seed
            )
        return _place(options, addresses, FOLDER, kills)


def _place(
    options: argparse.Namespace,
    addresses: StackAddresses,
    folder: Path,
    kills: ProcessKills | None = None,
) -> int:
    """Place the orders, print the report, and return the exit status."""
    if kills:
        print_line(f"Killing {kills.planned} processes during the run; the seed is {options.seed}")
    with stack_errors():
        invocations = LoggedInvocations(folder / "firebase.log")
        report = load_generator.run(addresses, invocations, _load(options), kills)
    problems = broken(report.figures)
    if kills and len(kills.done) < kills.planned:
        problems.append(f"only {len(kills.done)} of {kills.planned} processes were killed")
    for line in (*report.details, *problems):
        print_line(f"✗ {line}")
    if options.json:
        print(json.dumps(report.figures))
    else:
        print("\n".join(f"{name:<16}{value}" for name, value in report.figures.items()))
    return 1 if problems else 0


def _load(options: argparse.Namespace) -> Load:
    rates = CHAOS if options.chaos else dict.fromkeys(CHAOS, 0.0)
    named_rates = {name: getattr(options, name) for name in CHAOS}
    rates = {name: rates[name] if rate is None else rate for name, rate in named_rates.items()}
    return Load(
        orders=options.orders,
        concurrency=options.concurrency,
        seats=options.seats,
        chaos={
            "seed": options.seed,
            "duplicate_rate": rates["duplicates"],
            "reorder_rate": rates["reorder"],
            "fail_rate": rates["fail"],
        },
    )


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="./scripts/load",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--orders", type=positive, default=100, metavar="N", help="number of orders (default: 100)"
    )
    parser.add_argument(
        "--concurrency",
        type=positive,
        default=10,
        metavar="K",
        help="orders in progress at a time (default: 10)",
    )
    parser.add_argument(
        "--seats",
        type=positive,
        metavar="N",
        help="stock of the show that sells out (default: half of the seats ordered)",
    )
    rates = ", ".join(f"--{name} {rate:g}" for name, rate in CHAOS.items())
    parser.add_argument("--chaos", action="store_true", help=f"same as {rates}")
    parser.add_argument(
        "--duplicates", type=rate, metavar="R", help="share of events delivered twice"
    )
    parser.add_argument(
        "--reorder", type=rate, metavar="R", help="share of events delivered out of order"
    )
    parser.add_argument(
        "--fail", type=rate, metavar="R", help="share of first deliveries that fail"
    )
    parser.add_argument(
        "--kill",
        type=positive,
        metavar="N",
        help="kill N processes with SIGKILL during the run: workers of functions, the acquirer, "
        "the Observatory and redelivery in random order; on a stack of its own, on Linux",
    )
    parser.add_argument(
        "--seed",
        type=int,
        default=1,
        metavar="S",
        help="seed of the chaos, and of what is killed when (default: 1)",
    )
    add_json(parser)
    options = parser.parse_args(arguments)
    if options.kill and sys.platform != "linux":
        parser.error("--kill finds the workers in /proc, which only Linux has")
    return options
