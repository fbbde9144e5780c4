"""`./scripts/indexes`: check each query that ran against the indexes that production will have."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence

from observatory.client import Observatory
from stack import index_check
from stack.clients.errors import stack_errors
from stack.commands.options import add_json, add_port_offset
from stack.local import current
from stack.setup import install

DESCRIPTION = """\
Firestore's emulator answers every query; in production one that lacks its composite index is
refused. This takes every query that the running Observatory has seen, the functions' and the
pages' listeners', and looks for the index of each in rules/firestore.indexes.json. Queries that
ran while a bug on purpose was on are left out, unless --all says otherwise.
"""


def main(arguments: Sequence[str]) -> int:
    """Run the command; return its exit status."""
    options = _parse(arguments)
    addresses = current.require(options.port_offset)
    install.everything()
    with stack_errors(), Observatory(addresses.observatory) as observatory:
        queries = index_check.queries(observatory, every=options.all)
    if options.json:
        print(json.dumps({"queries": [query.__dict__ for query in queries]}))
    else:
        index_check.show(queries)
    return 1 if any(query.missing for query in queries) else 0


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="./scripts/indexes",
        description=DESCRIPTION,
        epilog="Exit status: 0 every query has its index; 1 one lacks it, or it could not be found "
        "out; 2 bad usage.",
    )
    parser.add_argument("--all", action="store_true", help="check queries of bugs on purpose too")
    add_json(parser)
    add_port_offset(parser, "ask the stack that runs at this offset; this checkout's if left out")
    return parser.parse_args(arguments)
