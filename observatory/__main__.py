"""``python -m observatory``: the server that receives, stores and shows telemetry."""

import gc
import logging
import signal
import sys
import threading
import webbrowser
from collections.abc import Callable
from types import FrameType

import uvicorn

from observatory.app import SHUTDOWN_SECONDS, create_app
from observatory.configuration import BadConfiguration, Configuration, read_configuration
from observatory.feature_flags.catalogue import BadCatalogue
from observatory.feature_flags.fault_flags import read_fault_flags
from observatory.http2_preface import http_protocol
from observatory.listening import CannotListen, close, listen_on
from observatory.options import Defaults, create_parser, grpc_port
from observatory.sources import Sources
from observatory.store import Limits, Store, StoreRefused

WILDCARD_HOSTS = ("", "0.0.0.0", "::")  # noqa: S104
SWITCH_INTERVAL_SECONDS = 0.0001


# Is called with the addresses for HTTP and for gRPC, if that is on, when the server listens.
Welcome = Callable[[str, str | None], None]


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
    parser = create_parser(defaults)
    options = parser.parse_args(arguments)
    fault_options = (options.faults, options.flags, options.app)
    if any(fault_options) and not all(fault_options):
        parser.error("give --faults, --flags and --app together, or none of them")
    logging.basicConfig(format="observatory: %(message)s", level=logging.WARNING)
    ports = {"--port": options.port}
    if (port_for_grpc := grpc_port(options)) is not None:
        ports["--grpc-port"] = port_for_grpc
    try:
        listeners = listen_on(options.host, ports)
    except CannotListen as error:
        print(f"observatory: {error}", file=sys.stderr)
        return 1
    listener = listeners[0]
    grpc_listener = listeners[1] if len(listeners) > 1 else None
    try:
        fault_flags = read_fault_flags(*fault_options) if options.faults else None
        configuration = read_configuration(options.config) if options.config else Configuration()
        store = Store(options.data, configuration.promotions)
    except (BadCatalogue, BadConfiguration, StoreRefused) as refused:
        close(listeners)
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
        conventions=configuration.conventions,
        grace_seconds=options.grace_seconds,
    )
    host, port = listener.getsockname()[:2]
    bound_grpc_port = grpc_listener.getsockname()[1] if grpc_listener else None
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            http=http_protocol(port, bound_grpc_port),
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
    grpc = f" (OTLP/gRPC on port {bound_grpc_port})" if bound_grpc_port else ""
    print(f"Observatory on http://{shown}:{port}/, keeping {options.data}{grpc}", flush=True)
    local = "127.0.0.1" if host in WILDCARD_HOSTS else shown
    url = f"http://{local}:{port}"
    if welcome is not None:
        welcome(url, f"http://{local}:{bound_grpc_port}" if bound_grpc_port else None)
    if options.browser:
        # In a thread, because the launchers of some browsers wait.
        threading.Thread(target=webbrowser.open, args=(url,), daemon=True).start()
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


if __name__ == "__main__":
    sys.exit(main())
