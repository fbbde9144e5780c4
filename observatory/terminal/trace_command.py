"""``./scripts/trace``: query the traces of a running Observatory."""

import argparse
import os
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from observatory.client import Observatory, ObservatoryError, url_from_environment
from observatory.promoted import state_of, subject_of
from observatory.schemas.traces import Coverage, HopCoverage, ServiceCoverage, TraceLine
from observatory.terminal import diff_command, file_commands, sql_command
from observatory.terminal.printing import DOES_NOT_HOLD, HOLDS, print_json
from observatory.terminal.text import clean, wants_colour
from observatory.terminal.waterfall import render_waterfall
from observatory.text_format import count_text, duration_text

NO_TRACES = "No traces yet. Buy a ticket on the page, or run ./scripts/dev --buy."


def main(
    arguments: list[str] | None = None, default_url: Callable[[], str] = url_from_environment
) -> int:
    """Run the command.

    Args:
        arguments: the command line; None for that of the process.
        default_url: returns the Observatory's URL if no option gives one.

    Returns:
        0 if the requested condition holds, 1 if it does not or the command failed. Bad usage exits
        with 2.
    """
    options = _parser().parse_args(arguments)
    try:
        with Observatory(options.url or default_url()) as observatory:
            code: int = options.run(observatory, options)
        sys.stdout.flush()
    except ObservatoryError as error:
        print(f"trace: {error}", file=sys.stderr)
        return DOES_NOT_HOLD
    except BrokenPipeError:  # `trace ls | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return HOLDS
    return code


def _parser() -> argparse.ArgumentParser:
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--json", action="store_true", help="print only one JSON object on stdout")
    shared.add_argument(
        *("--observatory", "--url"),
        dest="url",
        metavar="URL",
        help="the Observatory's URL (default: OTEL_EXPORTER_OTLP_ENDPOINT, else that of the stack "
        "running from this checkout)",
    )
    parser = argparse.ArgumentParser(
        prog="./scripts/trace",
        description="Query the traces that a running Observatory has stored.",
        epilog="Exit code: 0 success, 1 the condition does not hold or the command failed, 2 bad "
        "usage.",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    ls = commands.add_parser("ls", parents=[shared], help="list the newest traces")
    ls.add_argument(
        "--limit",
        type=_limit,
        default=20,
        help="the maximum number of traces, 1 to 500 (default: %(default)s)",
    )
    ls.add_argument(
        "text", nargs="*", help="words to search for in services, span names and subjects"
    )
    ls.set_defaults(run=_ls)
    show = commands.add_parser("show", parents=[shared], help="show one trace as a waterfall")
    show.add_argument(
        "id", help="a trace id or a prefix of one, or the trace's subject, such as an order id"
    )
    show.add_argument(
        "--all-rows",
        action="store_true",
        help="show each repeat of a step, instead of their number",
    )
    show.set_defaults(run=_show)
    coverage = commands.add_parser(
        "coverage",
        parents=[shared],
        help="check that every span reaches a root, and show what each hop carried",
        description="Show the context coverage, and what each hop carried. Exit 1 if a span does "
        "not reach a root.",
    )
    coverage.set_defaults(run=_coverage)
    for command in (diff_command, sql_command, file_commands):
        command.add_to(commands, shared)
    return parser


def _limit(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= 500):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 to 500")
    return int(text)


def _ls(observatory: Observatory, options: argparse.Namespace) -> int:
    result = observatory.traces(options.limit, text=" ".join(options.text) or None)
    if options.json:
        print_json(result)
        return HOLDS
    if not result["traces"]:
        print(f"No trace matches {' '.join(options.text)!r}." if options.text else NO_TRACES)
        return HOLDS
    _print_lines(result["traces"])
    hidden = result["total"] - len(result["traces"])
    if hidden:
        print(f"{hidden} more traces: show them with --limit.", file=sys.stderr)
    return HOLDS


def _show(observatory: Observatory, options: argparse.Namespace) -> int:
    journey = observatory.find(options.id)
    if options.json:
        print_json(journey)
    else:
        width = shutil.get_terminal_size((100, 24)).columns
        waterfall = render_waterfall(
            journey, width=width, colour=wants_colour(), all_rows=options.all_rows
        )
        print(waterfall, end="")
    return HOLDS if journey["orphans"] == 0 and journey["coverage"] == 1 else DOES_NOT_HOLD


def _coverage(observatory: Observatory, options: argparse.Namespace) -> int:
    coverage = observatory.coverage()
    if options.json:
        print_json(coverage)
    elif coverage["coverage"] is None:
        print(NO_TRACES)
    else:
        _print_coverage(coverage, coverage["coverage"])
    return HOLDS if coverage["coverage"] == 1 and coverage["orphans"] == 0 else DOES_NOT_HOLD


def _print_coverage(coverage: Coverage, share: float) -> None:
    percent = "100" if share == 1 else f"{min(share * 100, 99.99):.2f}"
    print(
        f"Coverage {percent} %: {coverage['covered']} of {count_text(coverage['spans'], 'span')} "
        f"in {count_text(coverage['traces'], 'trace')} reach a root; "
        f"{count_text(coverage['orphans'], 'orphan')}.\n"
    )
    _print_counts("service", ("spans", "covered", "orphans"), coverage["services"])
    if coverage["hops"]:
        print()
        _print_counts("hop", ("carried", "absent", "invalid", "orphans"), coverage["hops"])
    if coverage["roots"]:
        roots = (f"{clean(kind)} {count}" for kind, count in coverage["roots"].items())
        print(f"\nDeclared roots: {', '.join(roots)}.")
    if coverage["broken"]:
        print("\nNewest traces with broken context:")
        _print_lines(coverage["broken"])


def _print_counts(
    kind: str, columns: Sequence[str], lines: Sequence[ServiceCoverage] | Sequence[HopCoverage]
) -> None:
    rows: Sequence[Mapping[str, Any]] = lines
    names = [clean(row[kind]) for row in rows]
    width = max(map(len, [kind, *names]))
    print(f"{kind:<{width}}" + "".join(f"  {column:>8}" for column in columns))
    for name, row in zip(names, rows, strict=True):
        print(f"{name:<{width}}" + "".join(f"  {row[column]:>8}" for column in columns))


def _print_lines(traces: list[TraceLine]) -> None:
    print(
        f"{'trace':<32}  {'started':<8}  {'duration':>9}  {'spans':>5}  {'errors':>6}  "
        f"{'orphans':>7}  root"
    )
    for trace in traces:
        started = datetime.fromisoformat(trace["started_at"]).astimezone().strftime("%H:%M:%S")
        root = trace["root"]
        subject = subject_of(trace)
        if subject is not None:
            root += f" · {subject[1]} · {state_of(trace) or 'no state seen'}"
        print(
            f"{trace['trace_id']}  {started}  {duration_text(trace['duration_ms']):>9}  "
            f"{trace['spans']:>5}  {trace['errors']:>6}  {trace['orphans']:>7}  {clean(root)}"
        )


if __name__ == "__main__":
    sys.exit(main())
