"""``python -m observatory``: the server that receives, stores and shows telemetry."""

import argparse
import gc
import logging
import math
import signal
import socket
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Protocol
from urllib.parse import urlsplit

import uvicorn

from observatory.app import SHUTDOWN_SECONDS, create_app
from observatory.configuration import BadConfiguration, Configuration, read_configuration
from observatory.feature_flags.catalogue import BadCatalogue
from observatory.feature_flags.fault_flags import read_fault_flags
from observatory.http2_preface import http_protocol
from observatory.sources import CHECKOUT, EDITORS, Sources
from observatory.store import Limits, Store, StoreRefused
from observatory.store.retention import KEEP_HOURS, KEEP_MB

DEFAULT_DATA = Path(".throughline/observatory.duckdb")
DEFAULT_UI = Path(__file__).parent / "ui" / "dist"
DEFAULT_PORT = 4318
DEFAULT_GRPC_PORT = 4317
WILDCARD_HOSTS = ("", "0.0.0.0", "::")  # noqa: S104
SWITCH_INTERVAL_SECONDS = 0.0001


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


class Welcome(Protocol):
    """Is called with the addresses when the server listens."""

    def __call__(self, url: str, grpc_url: str | None, *, browser: bool) -> None:
        """Greet the person at the terminal."""


def main(arguments: list[str] | None = None) -> int:
    """Serve until SIGINT or SIGTERM. Return the exit code: 0, or 1 if the server cannot start."""
    return serve(sys.argv[1:] if arguments is None else arguments, Defaults())


def serve(arguments: list[str], defaults: Defaults, welcome: Welcome | None = None) -> int:
    """Serve until SIGINT or SIGTERM, as the arguments say; ``mcp`` serves over stdio instead.

    Returns:
        The exit code: 0, or 1 if the server cannot start.
    """
    if arguments[:1] == ["mcp"]:
        from observatory.mcp_server import stdio  # noqa: PLC0415  # only it needs the SDK

        return stdio.main(arguments[1:])
    parser = _parser(defaults)
    options = parser.parse_args(arguments)
    fault_options = (options.faults, options.flags, options.app)
    if any(fault_options) and not all(fault_options):
        parser.error("give --faults, --flags and --app together, or none of them")
    logging.basicConfig(format="observatory: %(message)s", level=logging.WARNING)
    listeners: list[socket.socket] = []
    for option, port in (("--port", options.port), ("--grpc-port", _grpc_port(options))):
        if port is None:
            continue
        try:
            listeners.append(_listen(options.host, port))
        except OSError as error:
            _close(listeners)
            print(
                f"observatory: cannot listen on {options.host}:{port}: {error.strerror}. "
                f"{_hint(error, option)}",
                file=sys.stderr,
            )
            return 1
    listener = listeners[0]
    grpc_listener = listeners[1] if len(listeners) > 1 else None
    try:
        fault_flags = read_fault_flags(*fault_options) if options.faults else None
        configuration = read_configuration(options.config) if options.config else Configuration()
        store = Store(options.data, configuration.promotions)
    except (BadCatalogue, BadConfiguration, StoreRefused) as refused:
        _close(listeners)
        print(f"observatory: {refused}", file=sys.stderr)
        return 1
    own_name = [] if options.host in WILDCARD_HOSTS else [options.host]
    app = create_app(
        store,
        options.ui,
        hosts=[*own_name, *options.allow_host],
        origins=options.allow_origin,
        grpc_listener=grpc_listener,
        limits=Limits(options.keep_hours, options.keep_mb),
        sources=Sources(options.source_root.absolute(), options.editor),
        fault_flags=fault_flags,
        examples=configuration.examples,
    )
    host, port = listener.getsockname()[:2]
    grpc_port = grpc_listener.getsockname()[1] if grpc_listener else None
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            http=http_protocol(port, grpc_port),
            log_level="warning",
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=SHUTDOWN_SECONDS,
        )
    )

    def stop(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
        server.should_exit = True

    # Handles signals that arrive before uvicorn installs its handlers. Also, after it has stopped,
    # uvicorn raises the signals that it handled once more, which would end the process with an
    # error.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    shown = f"[{host}]" if ":" in host else host
    _reduce_garbage_collection()
    _shorten_switch_interval()
    grpc = f" (OTLP/gRPC on port {grpc_port})" if grpc_port else ""
    print(f"Observatory on http://{shown}:{port}/, keeping {options.data}{grpc}", flush=True)
    if welcome is not None:
        local = "127.0.0.1" if host in WILDCARD_HOSTS else shown
        grpc_url = f"http://{local}:{grpc_port}" if grpc_port else None
        welcome(f"http://{local}:{port}", grpc_url, browser=options.browser)
    server.run(sockets=[listener])
    gc.unfreeze()  # DuckDB's bindings warn about objects that are not collected at exit
    return 0


def _reduce_garbage_collection() -> None:
    """Run the cyclic garbage collector rarely.

    Decoding a request creates many small objects without reference cycles; looking for cycles among
    them and all imported modules takes a third of the decoding time.
    """
    gc.freeze()
    gc.set_threshold(100_000, 50, 50)


def _shorten_switch_interval() -> None:
    """Let threads that return from DuckDB or from a socket get the GIL sooner.

    By default they wait up to 5 ms for the decoding thread, several times per commit and request.
    With 0.1 ms, throughput is a third higher.
    """
    sys.setswitchinterval(SWITCH_INTERVAL_SECONDS)


def _parser(defaults: Defaults = Defaults()) -> argparse.ArgumentParser:
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


def _positive(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number above 0")
    return number


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


def _close(listeners: Iterable[socket.socket]) -> None:
    for listener in listeners:
        listener.close()


def _grpc_port(options: argparse.Namespace) -> int | None:
    """Return the port for OTLP/gRPC; None: no gRPC.

    A second Observatory, on a port of its own, must not need the default port for gRPC too.
    """
    if options.grpc_port is not None or options.no_grpc:
        port: int | None = options.grpc_port
        return port
    return DEFAULT_GRPC_PORT if options.port == DEFAULT_PORT else None


def _hint(error: OSError, option: str) -> str:
    if isinstance(error, socket.gaierror):
        return "Give an address of this machine with --host."
    if isinstance(error, PermissionError):
        return f"Give a port above 1023 with {option}."
    without = ", or receive no gRPC with --no-grpc" if option == "--grpc-port" else ""
    return f"Stop the process that uses it, or give another port with {option}{without}."


if __name__ == "__main__":
    sys.exit(main())
