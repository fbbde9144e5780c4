"""One whole stack: Observatory, acquirer, redelivery and emulators, started, seeded and ended."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import signal
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from stack import emulators, install, parts, places, schedule, seed
from stack.console import say, step
from stack.ports import HOST, Ports
from stack.problem import Problem
from stack.processes import Processes, wait_until

START_SECONDS = 120.0


def page_settings(ports: Ports) -> dict[str, str]:
    """What the page has to know of a stack whose ports are not the default ones."""
    if not ports.offset:
        return {}
    return {
        "VITE_AUTH_EMULATOR_URL": ports.url("auth"),
        "VITE_FIRESTORE_EMULATOR": f"{HOST}:{ports.all['firestore']}",
        "VITE_FUNCTIONS_URL": f"{ports.url('functions')}/{emulators.PROJECT}/us-central1",
        "VITE_OTLP_ENDPOINT": ports.url("observatory"),
        "VITE_OBSERVATORY_URL": ports.url("observatory"),
        "VITE_ACQUIRER_URL": ports.url("acquirer"),
    }


def environment(ports: Ports, java: Path) -> dict[str, str]:
    """What every process of a stack finds in its environment; what is set outside stays as set."""
    found = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": ports.url("observatory"),
        "ACQUIRER_URL": ports.url("acquirer"),
        "REDELIVERY_URL": ports.url("redelivery"),
        "SETTLE_URL": f"{ports.url('functions')}/{emulators.PROJECT}/us-central1/settle",
        **os.environ,
        **emulators.environment(java),
    }
    found.pop("PYTHONPATH", None)  # the scripts' own, no business of the functions
    return found


@contextmanager
def stack(
    ports: Ports,
    folder: Path,
    *,
    data: Path | None = None,
    functions: Path | None = None,
    settings: Mapping[str, str] | None = None,
) -> Iterator[Processes]:
    """Run a stack on `ports`, with its logs and run-time files in `folder`, until the block ends.

    `data` is where the Observatory keeps what it is sent; None means in `folder`, begun anew.
    `functions` is a folder to run instead of the checkout's own functions, and `settings` goes into
    every process's environment.

    Raises:
        Problem: something it needs is not there, or a part doesn't start.
    """
    folder.mkdir(parents=True, exist_ok=True)
    env = {**environment(ports, install.java()), **(settings or {})}
    public = places.PAGE if not ports.offset else folder / "page"
    install.page(public, page_settings(ports))
    install.docs(public / install.DOCS)
    ports.claim()
    if data is None:
        data = folder / "observatory.duckdb"
        for leftover in folder.glob("observatory.duckdb*"):
            leftover.unlink()
    with emulators.config_for(ports, public, functions) as config, Processes() as processes:
        with step("Observatory, acquirer, redelivery, Firebase emulators"), emulators.starting():
            _start_observatory(processes, ports, folder, data, env)
            _start_acquirer(processes, ports, folder, env)
            env["REDELIVERY_SWITCH"] = str(_start_redelivery(processes, ports, folder, env))
            suite = emulators.start(processes, config, env, folder / "firebase.log")
            _wait_for(processes, "The Observatory", f"{ports.url('observatory')}/api/health")
            _wait_for(processes, "The acquirer", f"{ports.url('acquirer')}/health")
            _wait_for(processes, "Redelivery", f"{ports.url('redelivery')}/state")
            _wait_for(processes, "The Firestore emulator", ports.url("firestore"))
            _start_rules_monitor(processes, ports, folder, env)
            # While the other emulators and the functions load.
            seed.shows(ports.url("firestore"), emulators.PROJECT)
            _wait_for(processes, "The Auth emulator", ports.url("auth"))
            seed.organiser(ports.url("auth"), emulators.PROJECT)
            wait_until(lambda: emulators.are_ready(suite.log), suite.name, processes, START_SECONDS)
        with schedule.on_schedule(ports.url("functions"), emulators.PROJECT):
            yield processes


def addresses(ports: Ports) -> dict[str, str]:
    """What a person may want to open, by what it is."""
    shown = {
        "Box Office": ports.url("hosting"),
        "Organiser": f"{ports.url('hosting')}/organiser",
        "Observatory": ports.url("observatory"),
        "Tutorial": f"{ports.url('hosting')}/{install.DOCS}/",
        "Acquirer": ports.url("acquirer"),
    }
    if parts.is_downloaded("ui"):
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


def wait_for_ctrl_c(processes: Processes) -> None:
    """Return when a person ends the stack.

    The Observatory and the acquirer keep what they hold in files, so one that ends by itself is
    started again. The emulators keep theirs in memory: without them there is nothing to go on with.

    Raises:
        Problem: the emulators ended, or a part ended again as soon as it was started.
    """
    with contextlib.suppress(KeyboardInterrupt):
        while True:
            time.sleep(0.5)
            for service in processes.services:
                if service.name == emulators.NAME:
                    service.check()
                else:
                    service.revive()
    say("")


def _start_observatory(
    processes: Processes, ports: Ports, folder: Path, data: Path, env: Mapping[str, str]
) -> None:
    processes.start(
        "The Observatory",
        [
            *(str(places.python_in(places.VENV)), "-m", "observatory"),
            *("--host", HOST, "--port", str(ports.observatory), "--data", str(data)),
            *("--ui", str(places.OBSERVATORY_UI)),
            *("--config", str(places.OBSERVATORY_CONFIG)),
            *("--faults", str(places.FAULTS), "--flags", _flags(ports)),
            *("--app", ports.url("hosting")),
        ],
        env,
        folder / "observatory.log",
        places.ROOT,
    )


def _flags(ports: Ports) -> str:
    """The faults' flags in Firestore's REST API."""
    database = f"projects/{emulators.PROJECT}/databases/(default)"
    return f"{ports.url('firestore')}/v1/{database}/documents/flags"


def _start_acquirer(
    processes: Processes, ports: Ports, folder: Path, env: Mapping[str, str]
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
            **env,
            "ACQUIRER_BOOK": str(book),
            "OTEL_SERVICE_NAME": "acquirer",
            "OTEL_METRICS_EXPORTER": "none",
            "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
            # It stays up between requests, so it may deliver from the background, soon.
            "OTEL_BSP_SCHEDULE_DELAY": "200",
            "OTEL_BLRP_SCHEDULE_DELAY": "200",
            # What a browser or a curious merchant asks for belongs to no order's trace.
            "OTEL_PYTHON_FLASK_EXCLUDED_URLS": r"/tokens,/health,/usage,/charges\?",
        },
        folder / "acquirer.log",
        places.ACQUIRER,
    )


def _start_rules_monitor(
    processes: Processes, ports: Ports, folder: Path, env: Mapping[str, str]
) -> None:
    processes.start(
        "The rules monitor",
        [
            *(str(places.python_in(places.VENV)), "-m", "observatory.rules_monitor"),
            *("--emulator", f"ws://{HOST}:{ports.all['websocket']}"),
            *("--otlp", ports.url("observatory"), "--rules", "rules/firestore.rules"),
            *("--resource", "orders=boxoffice.order.id"),
        ],
        env,
        folder / "rules_monitor.log",
        places.ROOT,
    )


def _start_redelivery(
    processes: Processes, ports: Ports, folder: Path, env: Mapping[str, str]
) -> Path:
    """Start it, and return the file that is there while it wants every event first."""
    switch = folder.resolve() / "redelivery-chaos"
    processes.start(
        "Redelivery",
        [
            *(str(places.python_in(places.VENV)), "-m", "redelivery"),
            *("--port", str(ports.redelivery), "--project", emulators.PROJECT),
            *("--functions", ports.url("functions"), "--pubsub", ports.url("pubsub")),
            *("--otlp", env["OTEL_EXPORTER_OTLP_ENDPOINT"], "--switch", str(switch)),
        ],
        env,
        folder / "redelivery.log",
        places.ROOT,
    )
    return switch


def _wait_for(processes: Processes, name: str, url: str) -> None:
    wait_until(lambda: _answers(url), name, processes, START_SECONDS)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2):  # noqa: S310
            return True
    except (OSError, urllib.error.URLError):
        return False
