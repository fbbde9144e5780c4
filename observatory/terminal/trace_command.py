"""``./scripts/trace``: the traces of a running Observatory, in the terminal."""

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
    """Run the command. Returns 0 when what was asked holds and 1 when it doesn't; bad usage exits
    with 2. `default_url` is called where no Observatory is named."""
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
    shared.add_argument(
        "--json", action="store_true", help="print one JSON object on stdout, nothing else"
    )
    shared.add_argument(
        *("--observatory", "--url"),
        dest="url",
        metavar="URL",
        help="the Observatory (default: the one that OTEL_EXPORTER_OTLP_ENDPOINT names, else that "
        "of the stack that runs from this checkout)",
    )
    parser = argparse.ArgumentParser(
        prog="./scripts/trace",
        description="Look at the traces that a running Observatory holds.",
        epilog="Exit code: 0 what was asked holds, 1 it doesn't, 2 bad usage.",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    ls = commands.add_parser("ls", parents=[shared], help="list the newest traces")
    ls.add_argument(
        "--limit", type=_limit, default=20, help="how many, 1 to 500 (default: %(default)s)"
    )
    ls.add_argument(
        "text", nargs="*", help="words to look for: a service, a span's name, what a trace is about"
    )
    ls.set_defaults(run=_ls)
    show = commands.add_parser("show", parents=[shared], help="show one trace as a waterfall")
    show.add_argument(
        "id", help="a trace id or the start of one, or what it is about, such as an order's id"
    )
    show.set_defaults(run=_show)
    coverage = commands.add_parser(
        "coverage",
        parents=[shared],
        help="say whether every span leads to a root, and what each hop carried (exit 1 when not)",
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
    found = observatory.traces(options.limit, text=" ".join(options.text) or None)
    if options.json:
        print_json(found)
        return HOLDS
    if not found["traces"]:
        print(f"No trace has {' '.join(options.text)!r}." if options.text else NO_TRACES)
        return HOLDS
    _print_lines(found["traces"])
    hidden = found["total"] - len(found["traces"])
    if hidden:
        print(f"{hidden} more; see them with --limit.", file=sys.stderr)
    return HOLDS


def _show(observatory: Observatory, options: argparse.Namespace) -> int:
    journey = observatory.find(options.id)
    if options.json:
        print_json(journey)
    else:
        width = shutil.get_terminal_size((100, 24)).columns
        print(render_waterfall(journey, width=width, colour=wants_colour()), end="")
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
    shown = "100" if share == 1 else f"{min(share * 100, 99.99):.2f}"
    print(
        f"Coverage {shown} %: {coverage['covered']} of {count_text(coverage['spans'], 'span')} in "
        f"{count_text(coverage['traces'], 'trace')} lead to a root; "
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
        print("\nNewest traces that break it:")
        _print_lines(coverage["broken"])


def _print_counts(
    what: str, counted: Sequence[str], lines: Sequence[ServiceCoverage] | Sequence[HopCoverage]
) -> None:
    rows: Sequence[Mapping[str, Any]] = lines
    names = [clean(row[what]) for row in rows]
    width = max(map(len, [what, *names]))
    print(f"{what:<{width}}" + "".join(f"  {column:>8}" for column in counted))
    for name, row in zip(names, rows, strict=True):
        print(f"{name:<{width}}" + "".join(f"  {row[column]:>8}" for column in counted))


def _print_lines(traces: list[TraceLine]) -> None:
    print(
        f"{'trace':<32}  {'when':<8}  {'took':>9}  {'spans':>5}  {'errors':>6}  {'orphans':>7}"
        "  what"
    )
    for trace in traces:
        when = datetime.fromisoformat(trace["started_at"]).astimezone().strftime("%H:%M:%S")
        what = trace["root"]
        subject = subject_of(trace)
        if subject is not None:
            what += f" · {subject[1]} · {state_of(trace) or 'no state seen'}"
        print(
            f"{trace['trace_id']}  {when}  {duration_text(trace['duration_ms']):>9}  "
            f"{trace['spans']:>5}  {trace['errors']:>6}  {trace['orphans']:>7}  {clean(what)}"
        )


if __name__ == "__main__":
    sys.exit(main())
