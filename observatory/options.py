"""The options of the server."""

import argparse
import math
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from observatory.compare.digest.tables import GRACE_SECONDS
from observatory.sources import CHECKOUT, EDITORS, Sources
from observatory.store.retention import KEEP_HOURS, KEEP_MB

DEFAULT_DATA = Path(".throughline/observatory.duckdb")
DEFAULT_UI = Path(__file__).parent / "ui" / "dist"
DEFAULT_PORT = 4318
DEFAULT_GRPC_PORT = 4317


@dataclass(frozen=True)
class Defaults:
    """What differs between the command and ``python -m observatory``.

    Args:
        program: the name of the program.
        data: the file to store telemetry in.
        source_root: the folder that source paths in spans are relative to.
        browser: whether to open the explorer.
    """

    program: str = "python -m observatory"
    data: Path = DEFAULT_DATA
    source_root: Path = CHECKOUT
    browser: bool = False


def create_parser(defaults: Defaults = Defaults()) -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(
        prog=defaults.program,
        description="Receive OTLP over HTTP and gRPC, store it in one DuckDB file, show it at /.",
    )
    parser.add_argument(
        "--host", default="127.0.0.1", help="address to bind (default: %(default)s, loopback only)"
    )
    parser.add_argument(
        "--port", type=_port, default=DEFAULT_PORT, help="TCP port (default: %(default)s)"
    )
    grpc = parser.add_mutually_exclusive_group()
    grpc.add_argument(
        "--grpc-port",
        type=_port,
        metavar="PORT",
        help=f"TCP port for OTLP/gRPC (default: {DEFAULT_GRPC_PORT}; none with another --port than "
        f"{DEFAULT_PORT})",
    )
    grpc.add_argument("--no-grpc", action="store_true", help="do not receive OTLP over gRPC")
    parser.add_argument(
        "--data",
        type=Path,
        default=defaults.data,
        metavar="FILE.duckdb",
        help="the file to store telemetry in (default: %(default)s)",
    )
    parser.add_argument(
        "--keep-hours",
        type=_positive,
        default=KEEP_HOURS,
        metavar="HOURS",
        help="delete traces whose last span arrived this long ago (default: %(default)g, a week)",
    )
    parser.add_argument(
        "--keep-mb",
        type=_positive,
        default=KEEP_MB,
        metavar="MB",
        help="delete the oldest traces when the file exceeds this size (default: %(default)g)",
    )
    parser.add_argument(
        "--grace-seconds",
        type=_not_negative,
        default=GRACE_SECONDS,
        metavar="SECONDS",
        help="how long the parent of a span may arrive after the last span of its trace before it "
        "counts as missing (default: %(default)g)",
    )
    parser.add_argument(
        "--ui",
        type=Path,
        default=DEFAULT_UI,
        metavar="DIR",
        help="the folder of the built explorer (default: observatory/ui/dist)",
    )
    parser.add_argument(
        "--browser",
        action=argparse.BooleanOptionalAction,
        default=defaults.browser,
        help="open the explorer in a browser",
    )
    parser.add_argument(
        "--source-root",
        type=Path,
        default=defaults.source_root,
        metavar="DIR",
        help="the folder that source paths in spans are relative to (default: %(default)s)",
    )
    parser.add_argument(
        "--editor",
        choices=EDITORS,
        default=Sources.editor,
        help="the editor that opens source lines (default: %(default)s)",
    )
    parser.add_argument(
        "--config",
        type=Path,
        metavar="FILE.json",
        help="the app's configuration: span attributes to promote to columns and filter keys, and "
        "example queries (default: none)",
    )
    parser.add_argument(
        "--faults",
        type=Path,
        metavar="FILE.json",
        help="the catalogue of the app's deliberate faults (default: none)",
    )
    parser.add_argument(
        "--flags",
        type=_url,
        metavar="URL",
        help="the collection of the faults' flags in the Firestore emulator's REST API; it ends "
        "in /documents/flags",
    )
    parser.add_argument(
        "--app", type=_url, metavar="URL", help="the origin of the app's page, which has faults too"
    )
    parser.add_argument(
        "--allow-host",
        action="append",
        default=[],
        metavar="NAME",
        help="accept requests to this host name too; repeatable",
    )
    parser.add_argument(
        "--allow-origin",
        action="append",
        default=[],
        metavar="ORIGIN",
        help="accept telemetry from pages of this origin too; repeatable",
    )
    return parser


def grpc_port(options: argparse.Namespace) -> int | None:
    """Return the port for OTLP/gRPC; None: no gRPC.

    A second Observatory, on a port of its own, must not need the default port for gRPC too.
    """
    if options.grpc_port is not None or options.no_grpc:
        port: int | None = options.grpc_port
        return port
    return DEFAULT_GRPC_PORT if options.port == DEFAULT_PORT else None


def _positive(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number above 0")
    return number


def _not_negative(text: str) -> float:
    return 0.0 if text == "0" else _positive(text)


def _url(text: str) -> str:
    try:
        parts = urlsplit(text)
        parts.port  # noqa: B018  # raises when it isn't a port
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise argparse.ArgumentTypeError(f"{text!r} is not a URL such as http://HOST:PORT/…")
    return text.rstrip("/")


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text[:6]) <= 65535):
        raise argparse.ArgumentTypeError(f"{text!r} is not a port from 0 to 65535")
    return int(text)
