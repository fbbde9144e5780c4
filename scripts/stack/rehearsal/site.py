"""Runs a deployment: emulators, acquirer, Observatory, and cloud.runtime between them."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from stack import paths, proxies
from stack.local import emulators, running, seed
from stack.local.addresses import HOST, StackAddresses
from stack.local.processes import Processes, wait_until
from stack.rehearsal import tree
from stack.setup import install, python_environment, toolchain

# Building the environment of the functions' requirements for the first time is part of the start.
START_SECONDS = 420.0
# The Authentication emulator needs 20 s of CPU time to start.
EMULATORS_SECONDS = 240.0
FIRESTORE = "The Firestore emulator"
RUNTIME = "The rehearsed platform"
STATUS_SECONDS = 5.0
# The function that passes the page's telemetry on.
RELAY = "telemetry"


@dataclass(frozen=True)
class Site:
    """The addresses of a rehearsed site, which reuses the ports of a local stack.

    The front end has the port of the emulated functions and the runtime that of redelivery, so that
    the clients of the local stack work here too.
    """

    addresses: StackAddresses

    @property
    def internal(self) -> str:
        """Return where the emulators and the stack reach the runtime."""
        return self.addresses.redelivery

    @property
    def server_port(self) -> int:
        """Return the port of the stand-in that is deployed to."""
        return self.addresses.ports["ui"]

    def status(self) -> dict[str, Any]:
        """Return what the runtime reports; empty while it does not answer."""
        try:
            response = httpx.get(f"{self.internal}/status", timeout=STATUS_SECONDS, trust_env=False)
            status: dict[str, Any] = response.json() if response.is_success else {}
        except (httpx.HTTPError, ValueError):
            return {}
        return status


def page_settings(addresses: StackAddresses) -> dict[str, str]:
    """Return the settings of the page's build.

    They are those of production, but for the emulators of Firestore and Authentication. The page's
    telemetry goes through its own site, if a rewrite leads to a function for it.
    """
    rewrites = json.loads((paths.ROOT / "firebase.json").read_text())["hosting"]["rewrites"]
    relay = next(
        (
            rewrite["source"].removesuffix("/**")
            for rewrite in rewrites
            if rewrite.get("function", {}).get("functionId") == RELAY
        ),
        None,
    )
    return {
        **tree.example_of(paths.ROOT / "frontend"),
        "VITE_FIREBASE_PROJECT_ID": addresses.project,
        "VITE_FIREBASE_API_KEY": "rehearsal",
        "VITE_FIREBASE_AUTH_DOMAIN": f"{addresses.project}.firebaseapp.com",
        "VITE_AUTH_EMULATOR_URL": addresses.auth,
        "VITE_FIRESTORE_EMULATOR": f"{HOST}:{addresses.ports['firestore']}",
        "VITE_FUNCTIONS_URL": f"{addresses.functions}/{addresses.project}/us-central1",
        "VITE_OTLP_ENDPOINT": relay or addresses.observatory,
        "VITE_OBSERVATORY_URL": addresses.observatory,
        "VITE_ACQUIRER_URL": addresses.acquirer,
        "VITE_APP_CHECK_KEY": "",
    }


def start_backends(processes: Processes, site: Site, folder: Path) -> None:
    """Start the Observatory, the acquirer and the emulators of Firestore, Auth and Pub/Sub.

    Raises:
        UserError: one of them does not start.
    """
    addresses, java = site.addresses, install.java()
    env = running.environment(addresses, java)
    running.start_observatory(processes, addresses, folder, folder / "observatory.duckdb", env)
    running.start_acquirer(processes, addresses, folder, env)
    _start_firestore(processes, addresses, java, env, folder)
    # firebase-tools looks through the folder of its configuration; it must not find the tree there.
    config = folder / "emulators" / "firebase.json"
    config.parent.mkdir(exist_ok=True)
    config.write_text(json.dumps(_emulator_config(addresses)))
    processes.start(
        emulators.NAME,
        [
            *(str(toolchain.node()), str(paths.FIREBASE), "emulators:start"),
            *("--project", addresses.project, "--config", str(config), "--only", "auth,pubsub"),
        ],
        proxies.without_proxies(env),
        folder / "emulators.log",
        config.parent,
    )


def wait_for_backends(processes: Processes, site: Site, folder: Path) -> None:
    """Wait until the backends answer, and write the shows and the organiser.

    Raises:
        UserError: one of them ended or is not ready in time.
    """
    addresses = site.addresses
    running.wait_for(processes, "The Observatory", f"{addresses.observatory}/api/health")
    running.wait_for(processes, "The acquirer", f"{addresses.acquirer}/health")
    running.wait_for(processes, FIRESTORE, addresses.firestore)
    log = folder / "emulators.log"
    wait_until(
        lambda: "All emulators ready" in log.read_text(errors="replace"),
        emulators.NAME,
        processes,
        EMULATORS_SECONDS,
    )
    seed.shows(addresses.firestore, addresses.project)
    running.start_rules_monitor(
        processes, addresses, folder, running.environment(addresses, install.java())
    )


def start_runtime(processes: Processes, site: Site, deployment: Path, folder: Path) -> None:
    """Run what is stored in `deployment`, and wait until it is ready.

    Raises:
        UserError: it can't be run.
    """
    addresses, ports = site.addresses, site.addresses.ports
    processes.start(
        RUNTIME,
        [
            *(str(paths.python_in(paths.VENV)), "-m", "cloud.runtime"),
            *("--deployment", str(deployment), "--project", addresses.project),
            *("--folder", str(folder / "runtime"), "--cache", str(paths.MADE / "built")),
            *("--uv", python_environment.uv_command()),
            *("--python", python_environment.base_python()),
            *("--front-end", str(ports["functions"]), "--hosting", str(ports["hosting"])),
            *("--internal", str(ports["redelivery"]), "--apis", str(ports["tasks"])),
            *("--proxy", str(ports["eventarc"])),
            *("--firestore", f"{HOST}:{ports['firestore']}"),
            *("--auth", f"{HOST}:{ports['auth']}", "--pubsub", f"{HOST}:{ports['pubsub']}"),
        ],
        proxies.without_proxies(os.environ),
        folder / "runtime.log",
        paths.ROOT,
    )
    wait_until(lambda: bool(site.status().get("ready")), RUNTIME, processes, START_SECONDS)
    seed.organiser(addresses.auth, addresses.project)


def _start_firestore(
    processes: Processes,
    addresses: StackAddresses,
    java: Path,
    env: Mapping[str, str],
    folder: Path,
) -> None:
    """Start the Firestore emulator itself: firebase-tools can't send its events to us."""
    binary = toolchain.downloaded_emulator("firestore") or toolchain.firestore_emulator()
    processes.start(
        FIRESTORE,
        [
            *(str(java), "-Duser.language=en", "-jar", str(binary)),
            *("--host", HOST, "--port", str(addresses.ports["firestore"])),
            *("--websocket_port", str(addresses.ports["websocket"])),
            *("--project_id", addresses.project, "--single_project_mode", "true"),
            *("--functions_emulator", f"{HOST}:{addresses.ports['redelivery']}"),
        ],
        env,
        folder / "firestore.log",
        folder,
    )


def _emulator_config(addresses: StackAddresses) -> dict[str, Any]:
    names = ("auth", "pubsub", "hub", "logging")
    return {
        "emulators": {
            **{name: {"host": HOST, "port": addresses.ports[name]} for name in names},
            "ui": {"enabled": False},
            "singleProjectMode": True,
        }
    }
