"""``python -m observatory``: the one process that receives, keeps and shows traces."""

import argparse
import logging
import signal
import socket
import sys
from pathlib import Path
from types import FrameType

import uvicorn

from observatory.app import create_app
from observatory.store import Store, StoreRefused

DEFAULT_DATA = Path(".throughline/observatory.duckdb")
DEFAULT_UI = Path(__file__).parent / "ui" / "dist"
DEFAULT_PORT = 4318
WILDCARD_HOSTS = ("", "0.0.0.0", "::")  # noqa: S104
SHUTDOWN_SECONDS = 5


def main(arguments: list[str] | None = None) -> int:
    """Serve until SIGINT or SIGTERM. Returns the exit code: 0, or 1 when it could not start."""
    options = _parser().parse_args(arguments)
    logging.basicConfig(format="observatory: %(message)s", level=logging.WARNING)
    try:
        listener = _listen(options.host, options.port)
    except OSError as error:
        where = f"{options.host}:{options.port}"
        print(
            f"observatory: cannot listen on {where}: {error.strerror}. {_mend(error)}",
            file=sys.stderr,
        )
        return 1
    try:
        store = Store(options.data)
    except StoreRefused as refused:
        listener.close()
        print(f"observatory: {refused}", file=sys.stderr)
        return 1
    own_name = [] if options.host in WILDCARD_HOSTS else [options.host]
    app = create_app(
        store,
        options.ui,
        hosts=[*own_name, *options.allow_host],
        origins=options.allow_origin,
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
    print(f"Observatory on http://{shown}:{port}/, keeping {options.data}", flush=True)
    server.run(sockets=[listener])
    return 0


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
        "--ui",
        type=Path,
        default=DEFAULT_UI,
        metavar="DIR",
        help="the built explorer (default: observatory/ui/dist)",
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


def _mend(error: OSError) -> str:
    if isinstance(error, socket.gaierror):
        return "Name an address of this machine with --host."
    if isinstance(error, PermissionError):
        return "Name a port above 1023 with --port."
    return "Stop what uses it, or name another port with --port."


if __name__ == "__main__":
    sys.exit(main())
