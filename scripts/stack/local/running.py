"""Starts, seeds and stops a stack: Observatory, acquirer, redelivery and Firebase emulators."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from stack import paths
from stack.console import print_line, step
from stack.local import emulators, schedule, seed
from stack.local.addresses import HOST, PROJECT, REGION, StackAddresses
from stack.local.http import answers
from stack.local.processes import Processes, wait_until
from stack.setup import install, toolchain
from stack.setup.commit import commit, resource_attributes

START_SECONDS = 180.0


def page_settings(addresses: StackAddresses) -> dict[str, str]:
    """Return the page's build settings for a stack that does not use the default ports."""
    if not addresses.offset:
        return {}
    return {
        "VITE_AUTH_EMULATOR_URL": addresses.auth,
        "VITE_FIRESTORE_EMULATOR": f"{HOST}:{addresses.ports['firestore']}",
        "VITE_FUNCTIONS_URL": f"{addresses.functions}/{PROJECT}/{REGION}",
        "VITE_OTLP_ENDPOINT": addresses.observatory,
        "VITE_OBSERVATORY_URL": addresses.observatory,
        "VITE_ACQUIRER_URL": addresses.acquirer,
    }


def environment(addresses: StackAddresses, java: Path) -> dict[str, str]:
    """Return the environment of a stack's processes.

    Variables that are already set take precedence, except over those of the emulators.
    """
    attributes = resource_attributes(os.environ.get("OTEL_RESOURCE_ATTRIBUTES", ""), commit())
    return {
        "OTEL_EXPORTER_OTLP_ENDPOINT": addresses.observatory,
        "ACQUIRER_URL": addresses.acquirer,
        "CLOUD_DELIVERY_URL": addresses.redelivery,
        "CLOUD_FIRESTORE_INDEXES": str(paths.ROOT / "rules" / "firestore.indexes.json"),
        "SETTLE_URL": addresses.function("settle"),
        **os.environ,
        "OTEL_RESOURCE_ATTRIBUTES": attributes,
        **emulators.environment(java),
    }


@contextmanager
def stack(
    addresses: StackAddresses,
    folder: Path,
    *,
    data: Path | None = None,
    functions: Path = paths.FUNCTIONS,
    settings: Mapping[str, str] | None = None,
) -> Iterator[Processes]:
    """Run a stack until the block ends.

    Args:
        addresses: the stack's addresses.
        folder: for logs and run-time files.
        data: the Observatory's database; None: a new one in `folder`.
        functions: the folder of the functions.
        settings: additional environment variables of all processes.

    Raises:
        UserError: something that the stack needs is missing, or a service does not start.
    """
    folder.mkdir(parents=True, exist_ok=True)
    env = {**environment(addresses, install.java()), **(settings or {})}
    public = paths.PAGE if not addresses.offset else folder / "page"
    install.page(public, page_settings(addresses))
    install.docs(public / install.DOCS)
    addresses.require_free_ports()
    if data is None:
        data = folder / "observatory.duckdb"
        for leftover in folder.glob("observatory.duckdb*"):
            leftover.unlink()
    config_of_stack = emulators.config_for(addresses, public, folder, env, functions)
    with config_of_stack as config, Processes() as processes:
        with step("Observatory, acquirer, redelivery, Firebase emulators"), emulators.starting():
            start_observatory(processes, addresses, folder, data, env)
            start_acquirer(processes, addresses, folder, env)
            chaos_file = _start_redelivery(processes, addresses, folder, env)
            env["CLOUD_DELIVERY_CHAOS_FILE"] = str(chaos_file)
            suite = emulators.start(processes, config, env, folder / "firebase.log")
            wait_for(processes, "The Observatory", f"{addresses.observatory}/api/health")
            wait_for(processes, "The acquirer", f"{addresses.acquirer}/health")
            wait_for(processes, "Redelivery", f"{addresses.redelivery}/state")
            wait_for(processes, "The Firestore emulator", addresses.firestore)
            start_rules_monitor(processes, addresses, folder, env)
            # Meanwhile the other emulators and the functions load.
            seed.shows(addresses.firestore, PROJECT)
            wait_for(processes, "The Auth emulator", addresses.auth)
            seed.organiser(addresses.auth, PROJECT)
            wait_until(lambda: emulators.are_ready(suite.log), suite.name, processes, START_SECONDS)
        with schedule.on_schedule(addresses.functions, PROJECT):
            yield processes


def pages(addresses: StackAddresses) -> dict[str, str]:
    """Return the addresses to open in a browser, by title."""
    urls = {
        "Box Office": addresses.hosting,
        "Organiser": f"{addresses.hosting}/organiser",
        "Observatory": addresses.observatory,
        "Tutorial": f"{addresses.hosting}/{install.DOCS}/",
        "Acquirer": addresses.acquirer,
    }
    if toolchain.is_downloaded("ui"):
        urls["Emulator UI"] = addresses.url("ui")
    return urls


def wait_for_ctrl_c(processes: Processes) -> None:
    """Wait until Ctrl-C; restart services that end.

    The emulators keep their data in memory, so if they end, the stack ends. The other services are
    restarted.

    Raises:
        UserError: the emulators ended, or another service ended soon after its start.
    """
    with contextlib.suppress(KeyboardInterrupt):
        while True:
            time.sleep(0.5)
            for service in processes.services:
                if service.name == emulators.NAME:
                    service.check()
                else:
                    service.revive()
    print_line("")


def start_observatory(
    processes: Processes,
    addresses: StackAddresses,
    folder: Path,
    data: Path,
    env: Mapping[str, str],
) -> None:
    """Start the Observatory with its database at `data`."""
    processes.start(
        "The Observatory",
        [
            *(str(paths.python_in(paths.VENV)), "-m", "observatory"),
            *("--host", HOST, "--port", str(addresses.ports["observatory"])),
            *("--grpc-port", str(addresses.ports["observatory_grpc"]), "--data", str(data)),
            *("--ui", str(paths.OBSERVATORY_UI)),
            *("--config", str(paths.OBSERVATORY_CONFIG)),
            *("--faults", str(paths.FAULTS), "--flags", _flags(addresses)),
            *("--app", addresses.hosting),
        ],
        env,
        folder / "observatory.log",
        paths.ROOT,
    )


def _flags(addresses: StackAddresses) -> str:
    """Return the URL of the faults' flags in Firestore's REST API."""
    return f"{addresses.firestore}/v1/{addresses.documents}/flags"


def start_acquirer(
    processes: Processes, addresses: StackAddresses, folder: Path, env: Mapping[str, str]
) -> None:
    """Start the card processor with an empty book."""
    book = folder / "acquirer.sqlite"
    book.unlink(missing_ok=True)
    venv = paths.ACQUIRER / "venv" / "bin"
    processes.start(
        "The acquirer",
        [
            *(str(venv / "python"), str(venv / "opentelemetry-instrument")),
            *(str(venv / "functions-framework"), "--source", "main.py"),
            *("--target", "acquirer", "--host", HOST, "--port", str(addresses.ports["acquirer"])),
        ],
        {
            **env,
            "ACQUIRER_BOOK": str(book),
            "OTEL_SERVICE_NAME": "acquirer",
            "OTEL_METRICS_EXPORTER": "none",
            "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
            # It runs between requests, so it can export in the background; the default is 5 s.
            "OTEL_BSP_SCHEDULE_DELAY": "200",
            "OTEL_BLRP_SCHEDULE_DELAY": "200",
            # Requests of the page's card form and of administrators belong to no order's trace.
            "OTEL_PYTHON_FLASK_EXCLUDED_URLS": r"/tokens,/health,/usage,/charges\?",
        },
        folder / "acquirer.log",
        paths.ACQUIRER,
    )


def start_rules_monitor(
    processes: Processes, addresses: StackAddresses, folder: Path, env: Mapping[str, str]
) -> None:
    """Start the process that turns the emulator's rules decisions into spans."""
    processes.start(
        "The rules monitor",
        [
            *(str(paths.python_in(paths.VENV)), "-m", "observatory.rules_monitor"),
            *("--emulator", f"ws://{HOST}:{addresses.ports['websocket']}"),
            *("--otlp", addresses.observatory, "--rules", "rules/firestore.rules"),
            *("--resource", "orders=boxoffice.order.id"),
            *("--mask-ids", "roles", "--mask-ids", "buyers"),
        ],
        env,
        folder / "rules_monitor.log",
        paths.ROOT,
    )


def _start_redelivery(
    processes: Processes, addresses: StackAddresses, folder: Path, env: Mapping[str, str]
) -> Path:
    """Start redelivery, and return the path of its chaos file."""
    chaos_file = folder.resolve() / "redelivery-chaos"
    processes.start(
        "Redelivery",
        [
            *(str(paths.python_in(paths.VENV)), "-m", "cloud.delivery"),
            *("--port", str(addresses.ports["redelivery"]), "--project", PROJECT),
            *("--functions", addresses.functions, "--pubsub", addresses.pubsub),
            *("--otlp", env["OTEL_EXPORTER_OTLP_ENDPOINT"], "--chaos-file", str(chaos_file)),
        ],
        env,
        folder / "redelivery.log",
        paths.ROOT,
    )
    return chaos_file


def wait_for(processes: Processes, name: str, url: str) -> None:
    """Wait until a service answers at `url`.

    Raises:
        UserError: a process ended, or the service does not answer in time.
    """
    wait_until(lambda: answers(url), name, processes, START_SECONDS)
