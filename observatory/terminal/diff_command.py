"""``./scripts/trace diff``: two traces side by side."""

import argparse
import shutil
from typing import Any

from observatory.client import Observatory
from observatory.terminal.difference import render_difference
from observatory.terminal.printing import HOLDS, print_json
from observatory.terminal.text import wants_colour


def add_to(commands: Any, shared: argparse.ArgumentParser) -> None:
    """Add the command to the parser's ``commands``."""
    diff = commands.add_parser(
        "diff", parents=[shared], help="show two traces side by side: missing, added, slower"
    )
    diff.add_argument(
        "left",
        metavar="A",
        help="a trace id or the start of one, or what it is about, such as an order's id",
    )
    diff.add_argument("right", metavar="B", help="the trace to hold beside it")
    diff.set_defaults(run=_diff)


def _diff(observatory: Observatory, options: argparse.Namespace) -> int:
    ids = [observatory.find_id(name) for name in (options.left, options.right)]
    found = observatory.diff(*ids)
    if options.json:
        print_json(found)
    else:
        width = shutil.get_terminal_size((100, 24)).columns
        print(render_difference(found, width=width, colour=wants_colour()), end="")
    return HOLDS
