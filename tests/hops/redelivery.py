"""A client of the redelivery process."""

from __future__ import annotations

import time
from typing import Any

import httpx

#: The number of attempts before the stack's redelivery gives an event up.
ATTEMPTS = 5


class Redelivery:
    """Sets chaos, and reads the state of the redelivery process."""

    def __init__(self, url: str) -> None:
        self._http = httpx.Client(base_url=url, trust_env=False, timeout=10)

    def chaos(self, **settings: float) -> dict[str, Any]:
        """Set chaos, and return the settings; without arguments, turn it off."""
        response = self._http.post("/chaos", json=settings)
        response.raise_for_status()
        payload: dict[str, Any] = response.json()
        return payload

    def state(self) -> dict[str, int]:
        """Return the numbers of pending, delivered and dead events, and further counts."""
        state: dict[str, int] = self._http.get("/state").raise_for_status().json()
        return state

    def wait_until_quiet(self, seconds: float = 60) -> dict[str, int]:
        """Wait until no event is pending, and return the state; fail after `seconds`."""
        deadline = time.monotonic() + seconds
        while (state := self.state())["pending"]:
            assert time.monotonic() < deadline, f"not quiet after {seconds} s: {state}"
            time.sleep(0.05)
        return state

    def dead(self) -> list[dict[str, Any]]:
        """Return the events that were dead-lettered."""
        dead: list[dict[str, Any]] = self._http.get("/dead").raise_for_status().json()["dead"]
        return dead

    def close(self) -> None:
        """Close the connections."""
        self._http.close()
