"""The addresses of one stack. Stacks run side by side, each with its ports shifted by an offset."""

from __future__ import annotations

import json
import socket
from dataclasses import dataclass
from functools import cache

from stack import paths
from stack.errors import UserError

HOST = "127.0.0.1"
# A project id that begins with `demo-` needs no account and cannot reach production.
PROJECT = "demo-throughline"
REGION = "us-central1"

OBSERVATORY = 4318
ACQUIRER = 4320
REDELIVERY = 4322

# Ports that fetch refuses to connect to, in browsers and in Node.js, among those that an offset may
# lead to (fetch.spec.whatwg.org, "bad port").
REFUSED = {5060, 5061, 6000, 6566, *range(6665, 6670), 6679, 6697, 10080}
# It would move Firestore to port 10080, the last of them.
REFUSED_OFFSET = 2_000
OFFSET_MAX = 19_000
# Far enough apart that no two stacks share a port, and below the systems' ephemeral ports.
OFFSETS = [offset for offset in range(0, OFFSET_MAX + 1, 1_000) if offset != REFUSED_OFFSET]


@dataclass(frozen=True)
class StackAddresses:
    """Where the parts of one stack listen: every URL and port follows from the port offset."""

    offset: int = 0
    project: str = PROJECT

    @property
    def ports(self) -> dict[str, int]:
        """Every port, by the name of what listens there."""
        return {name: port + self.offset for name, port in _default_ports().items()}

    def url(self, name: str) -> str:
        """Return the URL of one part."""
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
        """The resource name that Firestore's documents have in common."""
        return f"projects/{self.project}/databases/(default)/documents"

    def function(self, name: str) -> str:
        """Return the URL of a deployed function."""
        return f"{self.functions}/{self.project}/{REGION}/{name}"

    def taken(self) -> dict[str, int]:
        """Return the ports that another program listens on."""
        return {name: port for name, port in self.ports.items() if _is_taken(port)}

    def require_free_ports(self) -> None:
        """Check that every port is free, and that browsers connect to it.

        Raises:
            UserError: one is not; the hint names another offset.
        """
        other_offset = (self.offset + 1_000) % (OFFSET_MAX + 1_000)
        if other_offset == REFUSED_OFFSET:
            other_offset += 1_000
        for name, port in self.ports.items():
            if port in REFUSED:
                raise UserError(
                    f"Browsers and Node.js refuse to connect to port {port} (for {name}).",
                    hint=f"Take another offset, as in --port-offset {other_offset}.",
                )
        for name, port in self.taken().items():
            raise UserError(
                f"Port {port} (for {name}) is taken by another program.",
                hint="End that program, or move Throughline out of its way with "
                f"--port-offset {other_offset}.",
            )


def free_addresses() -> StackAddresses:
    """Return the first offset whose ports are all free; the default ports are left alone.

    Raises:
        UserError: there is none.
    """
    for offset in OFFSETS[1:]:
        if not StackAddresses(offset).taken():
            return StackAddresses(offset)
    raise UserError(
        "No free range of ports is left for another stack.", hint="End a stack that is running."
    )


@cache
def _default_ports() -> dict[str, int]:
    """Read the emulators' ports from firebase.json, and add those of our own services."""
    emulators = json.loads((paths.ROOT / "firebase.json").read_text())["emulators"]
    ports: dict[str, int] = {
        name: settings["port"] for name, settings in emulators.items() if isinstance(settings, dict)
    }
    ports["websocket"] = emulators["firestore"]["websocketPort"]
    return ports | {"observatory": OBSERVATORY, "acquirer": ACQUIRER, "redelivery": REDELIVERY}


def _is_taken(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return True
    return False
