"""``python -m cloud.delivery``: run the delivery process until SIGINT or SIGTERM."""

from __future__ import annotations

import argparse
import logging
import signal
import sys
from pathlib import Path
from types import FrameType

import uvicorn

from cloud.delivery.app import Stack, create_app
from cloud.delivery.backoff import Backoff

HOST = "127.0.0.1"
DEFAULT_PORT = 4322


def main(arguments: list[str] | None = None) -> int:
    """Serve until a signal arrives; return the exit code."""
    options = _parser().parse_args(arguments)
    logging.basicConfig(format="delivery: %(message)s", level=logging.WARNING)
    app = create_app(
        Stack(options.functions, options.pubsub, options.otlp, options.project),
        Backoff(options.attempts, options.first_seconds, options.max_seconds),
        options.chaos_file,
    )
    config = uvicorn.Config(
        app,
        host=HOST,
        port=options.port,
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=2,
    )
    server = uvicorn.Server(config)

    def stop(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
        server.should_exit = True

    # Without these handlers uvicorn raises the signal again after its shutdown, and the process
    # exits with a failure.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    server.run()
    return 0 if server.started else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m cloud.delivery",
        description="Delivers failed events again, as Eventarc and Pub/Sub do in production.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--port", type=int, default=DEFAULT_PORT, help="TCP port on 127.0.0.1")
    parser.add_argument(
        "--functions", default="http://127.0.0.1:5001", help="URL of the functions emulator"
    )
    parser.add_argument(
        "--pubsub", default="http://127.0.0.1:8085", help="URL of the Pub/Sub emulator"
    )
    parser.add_argument("--otlp", default="http://127.0.0.1:4318", help="OTLP endpoint for spans")
    parser.add_argument("--project", default="demo-throughline", help="project of the emulators")
    parser.add_argument(
        "--chaos-file", type=Path, metavar="FILE", help="create this file while chaos is on"
    )
    parser.add_argument(
        "--attempts",
        type=int,
        default=Backoff.attempts,
        help="attempts before an event is given up",
    )
    parser.add_argument(
        "--first-seconds",
        type=float,
        default=Backoff.first_seconds,
        help="delay before the first retry; it doubles each time",
    )
    parser.add_argument(
        "--max-seconds",
        type=float,
        default=Backoff.max_seconds,
        help="longest delay before a retry",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
