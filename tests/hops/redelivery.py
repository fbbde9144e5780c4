"""The redelivery process as a person at its controls sees it."""

from __future__ import annotations

import time
from typing import Any

import httpx

#: How often the stack's redelivery tries before it gives up.
ATTEMPTS = 5


class Redelivery:
    """Turns chaos on and off, and waits until nothing is under way."""

    def __init__(self, url: str) -> None:
        self._http = httpx.Client(base_url=url, trust_env=False, timeout=10)

    def chaos(self, **asked: float) -> dict[str, Any]:
        """Ask for chaos; nothing asked for is none."""
        answer = self._http.post("/chaos", json=asked)
        answer.raise_for_status()
        said: dict[str, Any] = answer.json()
        return said

    def state(self) -> dict[str, int]:
        """What is under way, and the counts of the rest."""
        state: dict[str, int] = self._http.get("/state").raise_for_status().json()
        return state

    def wait_until_quiet(self, seconds: float = 60) -> dict[str, int]:
        """The state once nothing is pending; fails when it isn't in time."""
        deadline = time.monotonic() + seconds
        while (state := self.state())["pending"]:
            assert time.monotonic() < deadline, f"not quiet after {seconds} s: {state}"
            time.sleep(0.05)
        return state

    def dead(self) -> list[dict[str, Any]]:
        """The events that were set aside."""
        dead: list[dict[str, Any]] = self._http.get("/dead").raise_for_status().json()["dead"]
        return dead

    def close(self) -> None:
        """Close the connections."""
        self._http.close()
