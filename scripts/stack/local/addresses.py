"""The addresses of a stack. Several stacks can run at once, each with its own port offset."""

from __future__ import annotations

import json
import socket
from dataclasses import dataclass
from functools import cache

from stack import paths
from stack.errors import UserError

HOST = "127.0.0.1"
# The emulators need no account for a project id that starts with `demo-`, and never contact
# production.
PROJECT = "demo-throughline"
REGION = "us-central1"

OBSERVATORY = 4318
OBSERVATORY_GRPC = 4317
ACQUIRER = 4320
REDELIVERY = 4322

# Ports to which fetch refuses to connect, in browsers and in Node.js (fetch.spec.whatwg.org, "bad
# port"). Only those that an offset can reach are listed.
REFUSED = {5060, 5061, 6000, 6566, *range(6665, 6670), 6679, 6697, 10080}
# This offset would move Firestore to port 10080.
REFUSED_OFFSET = 2_000
OFFSET_MAX = 19_000
# Far enough apart that stacks share no port, and below the operating systems' ephemeral ports.
OFFSETS = [offset for offset in range(0, OFFSET_MAX + 1, 1_000) if offset != REFUSED_OFFSET]


@dataclass(frozen=True)
class StackAddresses:
    """The addresses of the services of a stack, derived from its port offset."""

    offset: int = 0
    project: str = PROJECT

    @property
    def ports(self) -> dict[str, int]:
        """Return every port, by the name of the service."""
        return {name: port + self.offset for name, port in _default_ports().items()}

    def url(self, name: str) -> str:
        """Return the URL of a service."""
        return f"http://{HOST}:{self.ports[name]}"

    @property
    def hosting(self) -> str:
        return self.url("hosting")

    @property
    def auth(self) -> str:
        return self.url("auth")

    @property
    def firestore(self) -> str:
        return self.url("firestore")

    @property
    def functions(self) -> str:
        return self.url("functions")

    @property
    def pubsub(self) -> str:
        return self.url("pubsub")

    @property
    def observatory(self) -> str:
        return self.url("observatory")

    @property
    def acquirer(self) -> str:
        return self.url("acquirer")

    @property
    def redelivery(self) -> str:
        return self.url("redelivery")

    @property
    def documents(self) -> str:
        """Return the prefix of the resource names of Firestore documents."""
        return f"projects/{self.project}/databases/(default)/documents"

    def function(self, name: str) -> str:
        """Return the URL of a deployed function."""
        return f"{self.functions}/{self.project}/{REGION}/{name}"

    def taken(self) -> dict[str, int]:
        """Return the ports that are in use, by the name of the service."""
        return {name: port for name, port in self.ports.items() if _is_taken(port)}

    def require_free_ports(self) -> None:
        """Check that every port is free, and that browsers can connect to it.

        Raises:
            UserError: a port is in use or refused; the hint names another offset.
        """
        other_offset = (self.offset + 1_000) % (OFFSET_MAX + 1_000)
        if other_offset == REFUSED_OFFSET:
            other_offset += 1_000
        for name, port in self.ports.items():
            if port in REFUSED:
                raise UserError(
                    f"Browsers and Node.js refuse to connect to port {port} (for {name}).",
                    hint=f"Use another offset: --port-offset {other_offset}",
                )
        for name, port in self.taken().items():
            raise UserError(
                f"Port {port} (for {name}) is in use by another program.",
                hint=f"Stop that program, or use other ports: --port-offset {other_offset}",
            )


def free_addresses() -> StackAddresses:
    """Return the addresses of the first offset above 0 whose ports are all free.

    Raises:
        UserError: no offset has only free ports.
    """
    for offset in OFFSETS[1:]:
        if not StackAddresses(offset).taken():
            return StackAddresses(offset)
    raise UserError(
        f"No port offset from {OFFSETS[1]} to {OFFSETS[-1]} has only free ports.",
        hint="Stop a stack that is running, and try again.",
    )


@cache
def _default_ports() -> dict[str, int]:
    """Return the emulators' ports from firebase.json, and those of our own services."""
    emulators = json.loads((paths.ROOT / "firebase.json").read_text())["emulators"]
    ports: dict[str, int] = {
        name: settings["port"] for name, settings in emulators.items() if isinstance(settings, dict)
    }
    ports["websocket"] = emulators["firestore"]["websocketPort"]
    return ports | {
        "observatory": OBSERVATORY,
        "observatory_grpc": OBSERVATORY_GRPC,
        "acquirer": ACQUIRER,
        "redelivery": REDELIVERY,
    }


def _is_taken(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return True
    return False
