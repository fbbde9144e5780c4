"""The command ``observatory``, which the wheel installs: the server, for a person at a terminal.

It keeps its data in the home folder, opens the explorer if there is a browser, and says how to send
telemetry to it. ``python -m observatory`` is the same server without that, for scripts.
"""

import os
import sys
from pathlib import Path

from observatory.__main__ import serve
from observatory.options import Defaults

DATA = Path.home() / ".observatory" / "observatory.duckdb"


def main() -> int:
    """Run the command line; return the exit code."""
    defaults = Defaults("observatory", DATA, Path.cwd(), browser=_has_browser())
    return serve(sys.argv[1:], defaults, welcome)


def welcome(url: str, grpc_url: str | None) -> None:
    """Say how to send telemetry to a server that listens.

    Args:
        url: the address of the explorer and of OTLP over HTTP.
        grpc_url: the address of OTLP over gRPC; None if it is off.
    """
    lines = [
        "",
        "Send an app's telemetry here with the environment variables of OpenTelemetry:",
        "",
    ]
    protocols = [("http/protobuf", url)]
    if grpc_url is not None:
        protocols.append(("grpc", grpc_url))
    for protocol, endpoint in protocols:
        lines.append(
            f"  export OTEL_EXPORTER_OTLP_PROTOCOL={protocol} "
            f"OTEL_EXPORTER_OTLP_ENDPOINT={endpoint}"
        )
    lines += ["", f"Assistants (MCP) connect to {url}/mcp, or run `observatory mcp`."]
    print("\n".join(lines), flush=True)


def _has_browser() -> bool:
    """Return whether a browser can open a window: text browsers would take over the terminal."""
    if not sys.stdout.isatty():
        return False
    graphical = sys.platform in ("darwin", "win32")
    return graphical or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


if __name__ == "__main__":
    sys.exit(main())
