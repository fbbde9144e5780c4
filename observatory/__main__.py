"""``python -m observatory``: the one process that receives, keeps and shows traces."""

import argparse
import gc
import logging
import math
import signal
import socket
import sys
from pathlib import Path
from types import FrameType
from urllib.parse import urlsplit

import uvicorn

from observatory.app import create_app
from observatory.configuration import BadConfiguration, Configuration, read_configuration
from observatory.feature_flags.catalogue import BadCatalogue
from observatory.feature_flags.fault_flags import read_fault_flags
from observatory.sources import CHECKOUT, EDITORS, Sources
from observatory.store import Limits, Store, StoreRefused
from observatory.store.retention import KEEP_HOURS, KEEP_MB

DEFAULT_DATA = Path(".throughline/observatory.duckdb")
DEFAULT_UI = Path(__file__).parent / "ui" / "dist"
DEFAULT_PORT = 4318
WILDCARD_HOSTS = ("", "0.0.0.0", "::")  # noqa: S104
SHUTDOWN_SECONDS = 5
SWITCH_INTERVAL_SECONDS = 0.0001


def main(arguments: list[str] | None = None) -> int:
    """Serve until SIGINT or SIGTERM. Returns the exit code: 0, or 1 when it could not start."""
    parser = _parser()
    options = parser.parse_args(arguments)
    about_faults = (options.faults, options.flags, options.app)
    if any(about_faults) and not all(about_faults):
        parser.error("--faults, --flags and --app go together")
    logging.basicConfig(format="observatory: %(message)s", level=logging.WARNING)
    try:
        listener = _listen(options.host, options.port)
    except OSError as error:
        where = f"{options.host}:{options.port}"
        print(
            f"observatory: cannot listen on {where}: {error.strerror}. {_hint(error)}",
            file=sys.stderr,
        )
        return 1
    try:
        fault_flags = read_fault_flags(*about_faults) if options.faults else None
        configuration = read_configuration(options.config) if options.config else Configuration()
        store = Store(options.data, configuration.promotions)
    except (BadCatalogue, BadConfiguration, StoreRefused) as refused:
        listener.close()
        print(f"observatory: {refused}", file=sys.stderr)
        return 1
    own_name = [] if options.host in WILDCARD_HOSTS else [options.host]
    app = create_app(
        store,
        options.ui,
        hosts=[*own_name, *options.allow_host],
        origins=options.allow_origin,
        limits=Limits(options.keep_hours, options.keep_mb),
        sources=Sources(options.source_root.absolute(), options.editor),
        fault_flags=fault_flags,
        examples=configuration.examples,
    )
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            log_level="warning",
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=SHUTDOWN_SECONDS,
        )
    )

    def stop(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
        server.should_exit = True

    # For a signal that comes before uvicorn listens for it; and uvicorn raises those that it took
    # once more after it has stopped, which would end the process as if it had not been in order.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    host, port = listener.getsockname()[:2]
    shown = f"[{host}]" if ":" in host else host
    _collect_garbage_seldom()
    _share_the_interpreter()
    print(f"Observatory on http://{shown}:{port}/, keeping {options.data}", flush=True)
    server.run(sockets=[listener])
    gc.unfreeze()  # DuckDB's bindings complain of what is not collected at the end
    return 0


def _collect_garbage_seldom() -> None:
    """Rows of a request are many small objects and no circles: to look for circles among them, and
    among all that was imported, takes a third of the time of decoding."""
    gc.freeze()
    gc.set_threshold(100_000, 50, 50)


def _share_the_interpreter() -> None:
    """Let a thread that comes back from DuckDB or from a socket have Python soon.

    By default it waits five milliseconds for the thread that decodes, several times a commit and
    several times a request: with 0.1 ms a third more spans come in.
    """
    sys.setswitchinterval(SWITCH_INTERVAL_SECONDS)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m observatory",
        description="Receives OTLP over HTTP, keeps it in one DuckDB file, shows it at /.",
    )
    parser.add_argument(
        "--host", default="127.0.0.1", help="address to bind (default: %(default)s, loopback only)"
    )
    parser.add_argument(
        "--port", type=_port, default=DEFAULT_PORT, help="TCP port (default: %(default)s)"
    )
    parser.add_argument(
        "--data",
        type=Path,
        default=DEFAULT_DATA,
        metavar="FILE.duckdb",
        help="where to keep spans and logs (default: %(default)s)",
    )
    parser.add_argument(
        "--keep-hours",
        type=_positive,
        default=KEEP_HOURS,
        metavar="HOURS",
        help="delete traces that nothing arrived of for so long (default: %(default)g, a week)",
    )
    parser.add_argument(
        "--keep-mb",
        type=_positive,
        default=KEEP_MB,
        metavar="MB",
        help="delete the oldest traces when the file grows beyond this (default: %(default)g)",
    )
    parser.add_argument(
        "--ui",
        type=Path,
        default=DEFAULT_UI,
        metavar="DIR",
        help="the built explorer (default: observatory/ui/dist)",
    )
    parser.add_argument(
        "--source-root",
        type=Path,
        default=CHECKOUT,
        metavar="DIR",
        help="where the source files lie that spans name (default: this checkout)",
    )
    parser.add_argument(
        "--editor",
        choices=EDITORS,
        default=Sources.editor,
        help="what opens a source line (default: %(default)s)",
    )
    parser.add_argument(
        "--config",
        type=Path,
        metavar="FILE.json",
        help="attributes of the app's spans to promote to columns and filter keys, and example "
        "questions (default: none)",
    )
    parser.add_argument(
        "--faults",
        type=Path,
        metavar="FILE.json",
        help="the catalogue of the faults that the app has on purpose (default: none)",
    )
    parser.add_argument(
        "--flags",
        type=_address,
        metavar="URL",
        help="the collection of their flags in the Firestore emulator's REST API, which ends in "
        "/documents/flags",
    )
    parser.add_argument(
        "--app", type=_address, metavar="URL", help="where the app's page is, which has faults too"
    )
    parser.add_argument(
        "--allow-host",
        action="append",
        default=[],
        metavar="NAME",
        help="answer to this host name too; repeatable",
    )
    parser.add_argument(
        "--allow-origin",
        action="append",
        default=[],
        metavar="ORIGIN",
        help="accept telemetry from pages of this origin too; repeatable",
    )
    return parser


def _positive(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number above 0")
    return number


def _address(text: str) -> str:
    try:
        parts = urlsplit(text)
        parts.port  # noqa: B018  # raises when it isn't a port
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise argparse.ArgumentTypeError(f"{text!r} is not an address: http://HOST:PORT/…")
    return text.rstrip("/")


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text[:6]) <= 65535):
        raise argparse.ArgumentTypeError(f"{text!r} is not a port: 0 to 65535")
    return int(text)


def _listen(host: str, port: int) -> socket.socket:
    family, kind, protocol, _, address = socket.getaddrinfo(
        host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(1024)
    except OSError:
        listener.close()
        raise
    return listener


def _hint(error: OSError) -> str:
    if isinstance(error, socket.gaierror):
        return "Name an address of this machine with --host."
    if isinstance(error, PermissionError):
        return "Name a port above 1023 with --port."
    return "Stop what uses it, or name another port with --port."


if __name__ == "__main__":
    sys.exit(main())
