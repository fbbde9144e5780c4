"""Runs the server: `python -m cloud.deployment --port N --folder FOLDER --project P`."""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

import uvicorn

from cloud.deployment.app import create_app


def main() -> None:
    """Serve until the process is signalled to end."""
    parser = argparse.ArgumentParser(prog="python -m cloud.deployment", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--folder", type=Path, required=True, help="stores what is deployed")
    parser.add_argument("--project", required=True)
    options = parser.parse_args()
    logging.basicConfig(format="%(message)s")
    app = create_app(options.folder, options.project)
    uvicorn.run(app, host="127.0.0.1", port=options.port, log_level="info")


if __name__ == "__main__":
    main()
