"""``./scripts/trace sql``: run SQL queries."""

import argparse
import csv
import json
import shutil
import sys
from collections.abc import Iterable, Sequence
from typing import Any

from observatory.client import Observatory
from observatory.schemas.ask import ROWS_LIMIT, SqlResult, SqlSchema
from observatory.terminal.printing import HOLDS, print_json
from observatory.terminal.text import BOLD, DIM, Ink, fit, pad, wants_colour, width_of
from observatory.text_format import count_text

CELL_WIDTH_MAX = 48
NUMBERS = ("INT", "DOUBLE", "FLOAT", "DECIMAL")


def add_to(commands: Any, shared: argparse.ArgumentParser) -> None:
    """Add the command to the parser's ``commands``."""
    sql = commands.add_parser(
        "sql",
        parents=[shared],
        help="run a read-only SQL query",
        description="Run a read-only SQL query; --schema lists the views and their columns.",
    )
    sql.add_argument("sql", nargs="?", help='such as "select * from traces limit 5"; - for stdin')
    sql.add_argument("--csv", action="store_true", help="print only CSV on stdout")
    sql.add_argument(
        "--schema", action="store_true", help="list the views and their columns instead"
    )
    sql.add_argument(
        "--limit",
        type=_limit,
        default=ROWS_LIMIT,
        help=f"the maximum number of rows, 1 to {ROWS_LIMIT} (default: %(default)s)",
    )
    sql.set_defaults(run=_sql, usage_error=sql.error)


def _limit(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= ROWS_LIMIT):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 to {ROWS_LIMIT}")
    return int(text)


def _sql(observatory: Observatory, options: argparse.Namespace) -> int:
    if options.schema:
        schema = observatory.ask_schema()
        if options.json:
            print_json(schema)
        else:
            _print_schema(schema)
        return HOLDS
    if options.sql is None:
        options.usage_error("give a query; --schema lists the views and their columns")
    query = sys.stdin.read() if options.sql == "-" else options.sql
    answer = observatory.ask(query, options.limit)
    if options.json:
        print_json(answer)
    elif options.csv:
        _print_csv(answer)
    else:
        width = shutil.get_terminal_size((100, 24)).columns if sys.stdout.isatty() else None
        for line in render_table(answer, width, wants_colour()):
            print(line)
    if answer["truncated"]:
        shown = count_text(len(answer["rows"]), "row")
        print(f"trace: the result was cut after {shown}.", file=sys.stderr)
    return HOLDS


def _print_csv(answer: SqlResult) -> None:
    out = csv.writer(sys.stdout, lineterminator="\n")
    out.writerow([column["name"] for column in answer["columns"]])
    out.writerows([["" if cell is None else _text(cell) for cell in row] for row in answer["rows"]])


def render_table(answer: SqlResult, width: int | None, colour: bool = False) -> Iterable[str]:
    """Yield the lines of a table with the result of a query.

    Args:
        answer: what ``Observatory.ask`` returns.
        width: columns of the terminal, at which lines are cut; None not to cut them.
        colour: whether to use ANSI colours.
    """
    ink = Ink(colour)
    names = [column["name"] for column in answer["columns"]]
    if names == ["plan", "text"]:  # an EXPLAIN, whose text is a diagram
        yield from (line for row in answer["rows"] for line in str(row[1]).splitlines())
        return
    cell_max = CELL_WIDTH_MAX if width is not None else 10_000
    cells = [[fit(_text(cell), cell_max) for cell in row] for row in answer["rows"]]
    right_aligned = [
        any(kind in column["type"] for kind in NUMBERS) for column in answer["columns"]
    ]
    widths = [
        max([width_of(fit(name, cell_max)), *(width_of(row[index]) for row in cells)])
        for index, name in enumerate(names)
    ]
    heads = [fit(name, cell_max) for name in names]
    for number, row in enumerate([heads, *cells]):
        line = "  ".join(
            " " * (size - width_of(cell)) + cell if to_right else pad(cell, size)
            for cell, size, to_right in zip(row, widths, right_aligned, strict=True)
        ).rstrip()
        line = fit(line, width) if width is not None else line
        yield ink(line, BOLD) if number == 0 else line
    rows = len(answer["rows"])
    if width is not None:
        yield ink(f"({count_text(rows, 'row')}, {answer['elapsed_ms']:.0f} ms)", DIM)


def _text(cell: Any) -> str:
    if cell is None:
        return "null"
    return cell if isinstance(cell, str) else json.dumps(cell, ensure_ascii=False)


def _print_schema(schema: SqlSchema) -> None:
    ink = Ink(wants_colour())
    for view in schema["views"]:
        print(ink(view["name"], BOLD) + f": {view['says']}")
        rows: list[Sequence[str]] = [
            (column["name"], column["type"], column["says"]) for column in view["columns"]
        ]
        name, type_ = (max(len(row[index]) for row in rows) for index in (0, 1))
        for row in rows:
            print(f"  {row[0]:<{name}}  {ink(f'{row[1]:<{type_}}', DIM)}  {row[2]}")
        print()
    print(ink("Example queries", BOLD))
    for example in schema["examples"]:
        print(f"\n  {example['question']}")
        print("\n".join(f"    {line}" for line in example["sql"].splitlines()))
