"""`./scripts/load`: many orders at once; did every invariant hold, and every span arrive?"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from stack import install, own_module, places, running
from stack.commands import dev
from stack.console import say
from stack.exit_status import exit_status
from stack.ports import Ports, free_ports

FOLDER = places.MADE / "load"

# What --chaos asks for where nothing more is said.
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


@exit_status
def main() -> int:
    """Run the command; returns its exit status."""
    options = _options()
    if ports := running.running(dev.FOLDER):
        install.everything(chromium=False)
        return _load(options, ports, dev.FOLDER)
    say("Throughline: setting up")
    install.everything(chromium=False)
    ports = free_ports()
    with running.only_one(FOLDER, ports), running.stack(ports, FOLDER):
        return _load(options, ports, FOLDER)


def _load(options: argparse.Namespace, ports: Ports, folder: Path) -> int:
    rates = CHAOS if options.chaos else dict.fromkeys(CHAOS, 0.0)
    given = {name: getattr(options, name) for name in CHAOS}
    rates = {name: rates[name] if rate is None else rate for name, rate in given.items()}
    chaos = {
        "seed": options.seed,
        "duplicate_rate": rates["duplicates"],
        "reorder_rate": rates["reorder"],
        "fail_rate": rates["fail"],
    }
    load = {
        "orders": options.orders,
        "concurrency": options.concurrency,
        "seats": options.seats,
        "chaos": chaos,
    }
    arguments = ["--port-offset", str(ports.offset), "--load", json.dumps(load)]
    arguments += ["--functions-log", str(folder / "firebase.log")]
    arguments += ["--json"] if options.json else []
    return own_module.run("stack.crowd", arguments)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="./scripts/load",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--orders", type=_positive, default=100, metavar="N", help="how many in all; 100"
    )
    parser.add_argument(
        "--concurrency", type=_positive, default=10, metavar="K", help="how many at a time; 10"
    )
    parser.add_argument(
        "--seats",
        type=_positive,
        metavar="N",
        help="the stock of the show that sells out; half of what is asked of it if not said",
    )
    said = ", ".join(f"--{name} {rate:g}" for name, rate in CHAOS.items())
    parser.add_argument("--chaos", action="store_true", help=f"{said}, where not said otherwise")
    parser.add_argument("--duplicates", type=_rate, metavar="R", help="share of events doubled")
    parser.add_argument("--reorder", type=_rate, metavar="R", help="share of events overtaken")
    parser.add_argument("--fail", type=_rate, metavar="R", help="share of first deliveries failed")
    parser.add_argument("--seed", type=int, default=1, metavar="S", help="the chaos's luck; 1")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    return parser.parse_args()


def _positive(text: str) -> int:
    number = int(text) if text.isascii() and text.isdigit() else 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a number from 1 on")
    return number


def _rate(text: str) -> float:
    try:
        rate = float(text)
    except ValueError:
        rate = -1.0
    if not 0 <= rate <= 1:
        raise argparse.ArgumentTypeError(f"{text} is not a number from 0 to 1")
    return rate


if __name__ == "__main__":
    sys.exit(main())
