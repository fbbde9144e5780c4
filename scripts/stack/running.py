"""One whole stack: the Observatory, the acquirer and the emulators, started, seeded and ended."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import signal
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from stack import install, parts, places, schedule, seed
from stack.console import say, step
from stack.ports import HOST, Ports
from stack.problem import Problem
from stack.processes import Processes, wait_until

PROJECT = "demo-throughline"
START_SECONDS = 120.0


def page_settings(ports: Ports) -> dict[str, str]:
    """What the page has to know of a stack whose ports are not the default ones."""
    if not ports.offset:
        return {}
    return {
        "VITE_AUTH_EMULATOR_URL": ports.url("auth"),
        "VITE_FIRESTORE_EMULATOR": f"{HOST}:{ports.all['firestore']}",
        "VITE_FUNCTIONS_URL": f"{ports.url('functions')}/{PROJECT}/us-central1",
        "VITE_OTLP_ENDPOINT": ports.url("observatory"),
        "VITE_OBSERVATORY_URL": ports.url("observatory"),
        "VITE_ACQUIRER_URL": ports.url("acquirer"),
    }


@contextmanager
def stack(ports: Ports, folder: Path, *, data: Path | None = None) -> Iterator[Processes]:
    """Run a stack on `ports`, with its logs and run-time files in `folder`, until the block ends.

    `data` is where the Observatory keeps what it is sent; None means in `folder`, begun anew.

    Raises:
        Problem: something it needs is not there, or a part doesn't start.
    """
    folder.mkdir(parents=True, exist_ok=True)
    java = install.java()
    public = places.PAGE if not ports.offset else folder / "page"
    install.page(public, page_settings(ports))
    ports.claim()
    if data is None:
        data = folder / "observatory.duckdb"
        for leftover in folder.glob("observatory.duckdb*"):
            leftover.unlink()
    with _firebase_config(ports, public) as config, Processes() as processes:
        environment = _environment(ports, java)
        with step("Observatory, acquirer, Firebase emulators"):
            _start_observatory(processes, ports, folder, data, environment)
            _start_acquirer(processes, ports, folder, environment)
            _start_firebase(processes, ports, folder, config, environment)
        with schedule.on_schedule(ports.url("functions"), PROJECT):
            yield processes


def addresses(ports: Ports) -> dict[str, str]:
    """What a person may want to open, by what it is."""
    shown = {
        "Box Office": ports.url("hosting"),
        "Observatory": ports.url("observatory"),
        "Acquirer": ports.url("acquirer"),
    }
    if _ui_is_there():
        shown["Emulator UI"] = ports.url("ui")
    return shown


@contextmanager
def only_one(folder: Path, ports: Ports) -> Iterator[None]:
    """Hold `folder` for this stack, and say in it where the stack is, while the block runs.

    Raises:
        Problem: a stack is running from it already.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Problem(
                "Throughline is running from this checkout already: use that one, or end it first."
            ) from None
        state = folder / "stack.json"
        state.write_text(json.dumps({"pid": os.getpid(), "port_offset": ports.offset}))
        try:
            yield
        finally:
            state.unlink(missing_ok=True)


def running(folder: Path) -> Ports | None:
    """The ports of the stack that runs from `folder` and is ready, or None."""
    try:
        offset = json.loads((folder / "stack.json").read_text())["port_offset"]
    except (OSError, ValueError, KeyError):
        return None
    ports = Ports(offset)
    answers = _answers(ports.url("hosting")) and _answers(f"{ports.url('observatory')}/api/health")
    return ports if answers else None


def end_on_signals() -> None:
    """Have SIGTERM and SIGHUP unwind this process as Ctrl-C does, and Ctrl-C in any case.

    A shell starts what it puts in the background with SIGINT ignored.
    """

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupt)


def _environment(ports: Ports, java: Path) -> dict[str, str]:
    """What every process of the stack finds in its environment; what is set outside stays."""
    defaults = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": ports.url("observatory"),
        "ACQUIRER_URL": ports.url("acquirer"),
        "SETTLE_URL": f"{ports.url('functions')}/{PROJECT}/us-central1/settle",
        # The emulator gives each concurrent event a worker of its own, and each new worker costs a
        # second of CPU; more at once than this and a small machine does nothing but start workers.
        "FUNCTIONS_EMULATOR_PARALLEL": str(max(4, 2 * (os.cpu_count() or 2))),
        # So that firebase-tools asks nobody outside whether there is something to announce.
        "FIREBASE_CLI_DISABLE_UPDATE_CHECK": "true",
        "NO_UPDATE_NOTIFIER": "1",
    }
    environment = {**defaults, **os.environ}
    environment.pop("PYTHONPATH", None)  # the scripts' own, no business of the functions
    environment["PATH"] = os.pathsep.join([str(java.parent), os.environ.get("PATH", "")])
    environment["JAVA_HOME"] = str(java.parent.parent)
    for emulator, elsewhere in (
        ("firestore", parts.firestore_emulator),
        ("pubsub", parts.pubsub_emulator),
    ):
        if not parts.is_downloaded(emulator) and (binary := elsewhere()):
            environment[f"{emulator.upper()}_EMULATOR_BINARY_PATH"] = str(binary)
    return environment


def _start_observatory(
    processes: Processes, ports: Ports, folder: Path, data: Path, environment: dict[str, str]
) -> None:
    processes.start(
        "The Observatory",
        [
            *(str(places.python_in(places.VENV)), "-m", "observatory"),
            *("--host", HOST, "--port", str(ports.observatory), "--data", str(data)),
            *("--ui", str(places.OBSERVATORY_UI)),
        ],
        environment,
        folder / "observatory.log",
        places.ROOT,
    )


def _start_acquirer(
    processes: Processes, ports: Ports, folder: Path, environment: dict[str, str]
) -> None:
    book = folder / "acquirer.sqlite"
    book.unlink(missing_ok=True)
    venv = places.ACQUIRER / "venv" / "bin"
    processes.start(
        "The acquirer",
        [
            *(str(venv / "python"), str(venv / "opentelemetry-instrument")),
            *(str(venv / "functions-framework"), "--source", "main.py"),
            *("--target", "acquirer", "--host", HOST, "--port", str(ports.acquirer)),
        ],
        {
            **environment,
            "ACQUIRER_BOOK": str(book),
            "OTEL_SERVICE_NAME": "acquirer",
            "OTEL_METRICS_EXPORTER": "none",
            "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
            # It stays up between requests, so it may deliver from the background, soon.
            "OTEL_BSP_SCHEDULE_DELAY": "200",
            "OTEL_BLRP_SCHEDULE_DELAY": "200",
            # What a browser or a curious merchant asks for belongs to no order's trace.
            "OTEL_PYTHON_FLASK_EXCLUDED_URLS": r"/tokens,/health,/charges\?",
        },
        folder / "acquirer.log",
        places.ACQUIRER,
    )


def _start_firebase(
    processes: Processes, ports: Ports, folder: Path, config: Path, environment: dict[str, str]
) -> None:
    firebase = processes.start(
        "The Firebase emulator suite",
        [
            *(str(parts.node()), str(places.FIREBASE), "emulators:start"),
            *("--project", PROJECT, "--config", str(config)),
        ],
        environment,
        folder / "firebase.log",
        places.ROOT,
    )
    seeds = {"firestore": seed.shows, "auth": seed.organiser}

    def ready() -> bool:
        for emulator, sow in list(seeds.items()):
            if _answers(ports.url(emulator)):
                sow(ports.url(emulator), PROJECT)
                del seeds[emulator]
        return not seeds and b"All emulators ready" in firebase.log.read_bytes()

    wait_until(
        lambda: _answers(f"{ports.url('observatory')}/api/health"),
        "The Observatory",
        processes,
        START_SECONDS,
    )
    wait_until(
        lambda: _answers(f"{ports.url('acquirer')}/health"),
        "The acquirer",
        processes,
        START_SECONDS,
    )
    wait_until(ready, "The Firebase emulator suite", processes, START_SECONDS)
    complaint = _complaint(firebase.log)
    if complaint:
        raise Problem(f"The functions did not load: {complaint} (all of it: {firebase.log})")


def _complaint(log: Path) -> str | None:
    """What firebase-tools said of functions it could not load; it starts without them."""
    said = log.read_text(errors="replace")
    found = re.search(r"Failed to load function definition[^\n]*", said)
    if found is None:
        return None
    raised = re.findall(r"^\w*(?:Error|Exception): .*", said[: found.start()], re.MULTILINE)
    telling: str = (raised or [found[0]])[-1]
    return telling[:300]


@contextmanager
def _firebase_config(ports: Ports, public: Path) -> Iterator[Path]:
    """firebase.json as this stack needs it: its ports, its page, the Python and the UI there are.

    It has to lie beside firebase.json, because firebase-tools takes its folder for the project's.
    """
    config = json.loads((places.ROOT / "firebase.json").read_text())
    version = sys.version_info
    config["functions"][0]["runtime"] = f"python{version.major}{version.minor}"
    config["hosting"]["public"] = os.path.relpath(public, places.ROOT)
    for name, settings in config["emulators"].items():
        if isinstance(settings, dict):
            settings["port"] = ports.all[name]
    config["emulators"]["firestore"]["websocketPort"] = ports.all["websocket"]
    config["emulators"]["ui"]["enabled"] = _ui_is_there()
    path = places.ROOT / f".firebase.{ports.offset}.json"
    path.write_text(json.dumps(config, indent=2))
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)


def _ui_is_there() -> bool:
    return parts.is_downloaded("ui")


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2):  # noqa: S310
            return True
    except (OSError, urllib.error.URLError):
        return False


def wait_for_ctrl_c(processes: Processes) -> None:
    """Return when a person ends the stack.

    Raises:
        Problem: a part of it ended by itself.
    """
    with contextlib.suppress(KeyboardInterrupt):
        while True:
            time.sleep(0.5)
            processes.check()
    say("\nEnding …")
