"""`./scripts/indexes`: check that rules/firestore.indexes.json has the index of each query."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence

from observatory.client import Observatory
from stack import index_check, paths
from stack.clients.errors import stack_errors
from stack.commands.options import add_json, add_port_offset
from stack.deploy import recorded_queries
from stack.local import current
from stack.setup import install

DESCRIPTION = """\
In production Firestore rejects a query whose composite index is missing; the emulator does not.
This command takes every query that the running Observatory has recorded, of the functions and of
the pages' listeners, and looks for its index in rules/firestore.indexes.json. Queries of faults
(deliberate bugs) are left out unless you pass --all.
"""


def main(arguments: Sequence[str]) -> int:
    """Run the command; return its exit status."""
    options = _parse(arguments)
    addresses = current.require(options.port_offset)
    install.everything()
    with stack_errors(), Observatory(addresses.observatory) as observatory:
        queries = index_check.queries(observatory, every=options.all)
    if options.record:
        file = paths.ROOT / recorded_queries.FILE
        recorded = file.read_text() if file.is_file() else ""
        file.write_text(recorded_queries.merged(recorded, (query.text for query in queries)))
    if options.json:
        print(json.dumps({"queries": [query.__dict__ for query in queries]}))
    else:
        index_check.show(queries)
    return 1 if any(query.missing for query in queries) else 0


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="./scripts/indexes",
        description=DESCRIPTION,
        epilog="Exit status: 0 every query has its index; 1 an index is missing, or the check "
        "could not run; 2 bad usage.",
    )
    parser.add_argument("--all", action="store_true", help="also check the queries of faults")
    parser.add_argument(
        "--record",
        action="store_true",
        help=f"add the queries to {recorded_queries.FILE}, which ./scripts/deploy --check reads",
    )
    add_json(parser)
    add_port_offset(parser, "use the stack at this offset (default: this checkout's stack)")
    options = parser.parse_args(arguments)
    if options.record and options.all:
        parser.error("--record does not go with --all: queries of faults are not deployed")
    return options
