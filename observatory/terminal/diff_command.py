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
        "diff",
        parents=[shared],
        help="compare two traces span by span: missing, added, slower, faster",
    )
    diff.add_argument(
        "left",
        metavar="A",
        help="a trace id or a prefix of one, or the trace's subject, such as an order id",
    )
    diff.add_argument("right", metavar="B", help="the trace to compare it with")
    diff.set_defaults(run=_diff)


def _diff(observatory: Observatory, options: argparse.Namespace) -> int:
    ids = [observatory.find_id(name) for name in (options.left, options.right)]
    difference = observatory.diff(*ids)
    if options.json:
        print_json(difference)
    else:
        width = shutil.get_terminal_size((100, 24)).columns
        print(render_difference(difference, width=width, colour=wants_colour()), end="")
    return HOLDS
