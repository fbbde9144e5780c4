"""The ports of one stack. Two stacks can run side by side, each shifted by an offset of its own."""

from __future__ import annotations

import json
import socket
from dataclasses import dataclass

from stack import places
from stack.problem import Problem

HOST = "127.0.0.1"
OBSERVATORY = 4318
ACQUIRER = 4320
REDELIVERY = 4322

# What fetch refuses to ask, in browsers and in Node.js, of the ports that an offset may lead to
# (fetch.spec.whatwg.org, "bad port").
REFUSED = {5060, 5061, 6000, 6566, *range(6665, 6670), 6679, 6697, 10080}
# Firestore would be at the last of them.
REFUSED_OFFSET = 2_000
# Far enough apart that no two stacks' ports meet, and below the systems' ephemeral ports.
OFFSETS = [offset for offset in range(0, 20_000, 1_000) if offset != REFUSED_OFFSET]


@dataclass(frozen=True)
class Ports:
    """Every address of one stack."""

    offset: int = 0

    @property
    def emulators(self) -> dict[str, int]:
        """Each emulator's port, by its name in firebase.json."""
        configured = json.loads((places.ROOT / "firebase.json").read_text())["emulators"]
        found = {
            name: settings["port"] + self.offset
            for name, settings in configured.items()
            if isinstance(settings, dict)
        }
        found["websocket"] = configured["firestore"]["websocketPort"] + self.offset
        return found

    @property
    def all(self) -> dict[str, int]:
        """Every port, by what listens there."""
        return {
            **self.emulators,
            "observatory": self.observatory,
            "acquirer": self.acquirer,
            "redelivery": self.redelivery,
        }

    @property
    def observatory(self) -> int:
        return OBSERVATORY + self.offset

    @property
    def acquirer(self) -> int:
        return ACQUIRER + self.offset

    @property
    def redelivery(self) -> int:
        return REDELIVERY + self.offset

    def url(self, name: str) -> str:
        """The address of one part."""
        return f"http://{HOST}:{self.all[name]}"

    def taken(self) -> dict[str, int]:
        """Those of the ports that somebody listens on."""
        return {name: port for name, port in self.all.items() if _is_taken(port)}

    def claim(self) -> None:
        """Make sure that every port is free, and one that can be asked.

        Raises:
            Problem: one is not.
        """
        elsewhere = (self.offset + 1_000) % 20_000
        if elsewhere == REFUSED_OFFSET:
            elsewhere += 1_000
        for name, port in self.all.items():
            if port in REFUSED:
                raise Problem(
                    f"Port {port} (for {name}) is one that browsers and Node.js refuse to ask: "
                    f"take another offset, as in --port-offset {elsewhere}."
                )
        for name, port in self.taken().items():
            raise Problem(
                f"Port {port} (for {name}) is taken by another program: end that program, or move "
                f"Throughline out of its way with --port-offset {elsewhere}."
            )


def free_ports() -> Ports:
    """The first stack's worth of ports that are all free, the default ones left alone.

    Raises:
        Problem: none are.
    """
    for offset in OFFSETS[1:]:
        if not Ports(offset).taken():
            return Ports(offset)
    raise Problem("No free range of ports is left for another stack: end one that is running.")


def _is_taken(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return True
    return False
