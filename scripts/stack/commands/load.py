"""`./scripts/load`: many orders at once; did every invariant hold, and every span arrive?"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from stack import paths
from stack.clients.errors import stack_errors
from stack.commands.options import add_json, positive, rate
from stack.console import print_line
from stack.load import load_generator
from stack.load.load_generator import Load
from stack.load.load_report import broken
from stack.local import current, running
from stack.local.addresses import StackAddresses, free_addresses
from stack.local.current import DEV_FOLDER
from stack.setup import install

FOLDER = paths.MADE / "load"

# The rates of --chaos, unless an option names another.
CHAOS = {"duplicates": 0.1, "reorder": 0.1, "fail": 0.05}

DESCRIPTION = """\
Place many orders at once, each with an anonymous buyer of its own, through the security rules, on
shows of its own of which one has less stock than is asked of it; wait until everything is quiet,
and compare. It uses the stack that ./scripts/dev runs, which nobody else should be buying on
meanwhile, or starts one of its own.
"""

EPILOG = """\
The keys of --json:
  orders          how many were asked for
  final           how many of them are in a final state
  oversold        seats sold beyond a show's stock
  double_charged  orders with more than one succeeded charge in the acquirer's book
  lost            orders not final at the deadline (3 minutes and 2 s an order), or paid for without
                  all their tickets
  dead_letters    events that redelivery gave up on
  coverage        share of the spans of the orders' traces whose parents lead to a declared root
  orphans         spans of those traces whose parent is not stored
  spans_expected  counted without looking at the store: 2 spans for each order, which the load sends
                  as the page would (buy, create orders), and one for each 'Finished' line that the
                  functions emulator logged meanwhile for reserve, charge, settle, issue or audit,
                  less those invocations that only handed their event to redelivery (its `untried`)
  spans_stored    of those, how many the Observatory holds in the orders' traces: buy, create
                  orders, the functions' own spans, and redelivery's `deliver` spans, which stand
                  for the invocations that chaos failed before the function ran
  p50_s, p95_s    from placed to final, by Firestore's clock

Exit status: 0 every invariant held; 1 one did not, or it could not run; 2 bad usage.
"""


def main(arguments: Sequence[str]) -> int:
    """Run the command; return its exit status."""
    options = _parse(arguments)
    if running_stack := current.find():
        install.everything(chromium=False)
        return _place(options, running_stack, DEV_FOLDER)
    print_line("Throughline: setting up")
    install.everything(chromium=False)
    addresses = free_addresses()
    with current.only_one(FOLDER, addresses), running.stack(addresses, FOLDER):
        return _place(options, addresses, FOLDER)


def _place(options: argparse.Namespace, addresses: StackAddresses, folder: Path) -> int:
    """Place the orders, print what became of them, and return the exit status."""
    with stack_errors():
        report = load_generator.run(addresses, folder / "firebase.log", _load(options))
    for line in (*report.details, *broken(report.figures)):
        print_line(f"✗ {line}")
    if options.json:
        print(json.dumps(report.figures))
    else:
        print("\n".join(f"{name:<16}{value}" for name, value in report.figures.items()))
    return 1 if broken(report.figures) else 0


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
        "--orders", type=positive, default=100, metavar="N", help="how many in all; 100"
    )
    parser.add_argument(
        "--concurrency", type=positive, default=10, metavar="K", help="how many at a time; 10"
    )
    parser.add_argument(
        "--seats",
        type=positive,
        metavar="N",
        help="the stock of the show that sells out; half of what is ordered if left out",
    )
    rates = ", ".join(f"--{name} {rate:g}" for name, rate in CHAOS.items())
    parser.add_argument("--chaos", action="store_true", help=f"{rates}; or as named")
    parser.add_argument("--duplicates", type=rate, metavar="R", help="share of events doubled")
    parser.add_argument("--reorder", type=rate, metavar="R", help="share of events overtaken")
    parser.add_argument("--fail", type=rate, metavar="R", help="share of first deliveries failed")
    parser.add_argument("--seed", type=int, default=1, metavar="S", help="the chaos's luck; 1")
    add_json(parser)
    return parser.parse_args(arguments)
