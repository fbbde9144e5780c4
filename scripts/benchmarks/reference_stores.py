"""Measures two products for comparison with the Observatory: rotel and Phoenix.

rotel is an agent in Rust whose blackhole exporter discards spans: it shows the highest rate that
the same senders reach on this machine. Phoenix (arize-phoenix) is a common choice of Python users.
Both are installed from the Python package registry into a separate virtual environment.
"""

from __future__ import annotations

import os
import socket
import sqlite3
import time
from pathlib import Path
from typing import Any

from benchmarks.load_process import LoadProcess
from stack import paths
from stack.console import print_line
from stack.errors import UserError
from stack.local.addresses import HOST
from stack.local.processes import Processes, wait_until
from stack.setup import python_environment
from stack.setup.steps import setup_lock

FOLDER = paths.MADE / "bench" / "references"
REQUIREMENTS = Path(__file__).with_name("requirements.txt")
START_SECONDS = 180.0
# Phoenix acknowledges spans at once and stores them later.
STORE_SECONDS = 300.0
ROTEL_SPANS = 204_800
PHOENIX_SPANS = 2_048


def measure() -> dict[str, Any]:
    """Return the spans per second of each product, or the reason why there is no figure."""
    figures: dict[str, Any] = {}
    for name, spans_per_s in (("rotel_blackhole", _rotel), ("phoenix", _phoenix)):
        try:
            figures[f"{name}_spans_per_s"] = round(spans_per_s(environment()))
        except UserError as problem:
            print_line(f"  {name} could not be measured: {problem}")
            figures[f"{name}_missing"] = str(problem)
    return figures


def environment() -> Path:
    """Return the virtual environment with rotel and Phoenix; create it the first time.

    Raises:
        UserError: a package can't be installed.
    """
    venv = FOLDER / "venv"
    with setup_lock():
        python_environment.make(
            "venv-references", venv, REQUIREMENTS, "rotel and Phoenix, for comparison"
        )
    return venv


def _rotel(venv: Path) -> float:
    port, grpc = _free_port(), _free_port()
    agents = list(venv.glob("lib/python*/site-packages/rotel/rotel-agent"))
    if not agents:
        raise UserError("The package rotel contains no agent for this platform.")
    with Processes() as processes:
        processes.start(
            "rotel",
            [
                *(str(agents[0]), "start", "--exporter", "blackhole"),
                *("--otlp-http-endpoint", f"{HOST}:{port}"),
                *("--otlp-grpc-endpoint", f"{HOST}:{grpc}"),
            ],
            os.environ,
            FOLDER / "rotel.log",
            FOLDER,
        )
        wait_until(lambda: _listens(port), "rotel", processes, START_SECONDS)
        with LoadProcess(f"http://{HOST}:{port}", ROTEL_SPANS) as load:
            done = load.send()
    return done["spans"] / done["seconds"]


def _phoenix(venv: Path) -> float:
    port, grpc = _free_port(), _free_port()
    home = FOLDER / "phoenix"
    home.mkdir(parents=True, exist_ok=True)
    for old in home.glob("phoenix.db*"):
        old.unlink()
    env = {
        **os.environ,
        "PHOENIX_HOST": HOST,
        "PHOENIX_PORT": str(port),
        "PHOENIX_GRPC_PORT": str(grpc),
        "PHOENIX_WORKING_DIR": str(home),
        "PHOENIX_TELEMETRY_ENABLED": "false",
    }
    database = home / "phoenix.db"
    with Processes() as processes:
        command = [str(venv / "bin" / "phoenix"), "serve"]
        processes.start("Phoenix", command, env, FOLDER / "phoenix.log", FOLDER)
        wait_until(lambda: _listens(port), "Phoenix", processes, START_SECONDS)
        with LoadProcess(f"http://{HOST}:{port}", PHOENIX_SPANS) as load:
            began = time.monotonic()
            done = load.send()
        if done["spans"] == 0:
            raise UserError(f"Phoenix rejected the spans (full log: {FOLDER / 'phoenix.log'}).")
        wait_until(
            lambda: _spans_in(database) >= done["spans"],
            "Phoenix's store",
            processes,
            STORE_SECONDS,
        )
        return done["spans"] / (time.monotonic() - began)


def _spans_in(database: Path) -> int:
    try:
        connection = sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True)
        try:
            return int(connection.execute("select count(*) from spans").fetchone()[0])
        finally:
            connection.close()
    except sqlite3.Error:  # the database is being created, or is locked
        return 0


def _free_port() -> int:
    with socket.create_server((HOST, 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def _listens(port: int) -> bool:
    try:
        socket.create_connection((HOST, port), timeout=1).close()
    except OSError:
        return False
    return True
