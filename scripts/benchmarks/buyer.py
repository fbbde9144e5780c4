"""Buys a ticket for each line it reads, "with" or "without" the page's tracing code.

Runs in the environment that install.py made, like buy.py. One line of JSON is printed per purchase,
or `{"problem": …}` where one did not go through.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict

from playwright.sync_api import Browser

from stack.buy import Purchase, browser, buy_a_ticket
from stack.console import say
from stack.problem import Problem

TRACING_CODE = "**/assets/tracing-*.js"


def buy(chromium: Browser, box_office: str, *, tracing: bool) -> Purchase:
    """Buy one ticket as somebody who was never here before."""
    context = chromium.new_context()
    try:
        if not tracing:
            context.route(TRACING_CODE, lambda route: route.abort())
        return buy_a_ticket(context.new_page(), box_office)
    finally:
        context.close()


def main() -> int:
    """Buy until the input ends; the one argument is the Box Office's address."""
    try:
        with browser() as chromium:
            for line in sys.stdin:
                try:
                    said = asdict(buy(chromium, sys.argv[1], tracing=line.strip() == "with"))
                except Problem as problem:
                    said = {"problem": str(problem)}
                print(json.dumps(said), flush=True)
    except Problem as problem:
        say(f"✗ {problem}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
