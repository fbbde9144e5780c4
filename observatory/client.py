"""A client of the Observatory's JSON API, for scripts and tests."""

import os
import time
from collections.abc import Callable
from typing import Any, Self, cast

import httpx

from observatory.shapes import Coverage, Health, Journey, TraceList

DEFAULT_URL = "http://127.0.0.1:4318"
START_HINT = "./scripts/dev"
REQUEST_TIMEOUT_SECONDS = 10.0
POLL_SECONDS = 0.1


class ObservatoryError(Exception):
    """The Observatory could not answer; the message says why and what to do."""


class NotRunning(ObservatoryError):
    """Nothing answers at the URL, or what answers is no Observatory."""


class TraceNotFound(ObservatoryError):
    """No span of the trace is stored."""


class Ambiguous(ObservatoryError):
    """A prefix fits more than one trace."""


def url_from_environment() -> str:
    """``OTEL_EXPORTER_OTLP_ENDPOINT`` when it is set: where spans go is where they are read."""
    return os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT") or DEFAULT_URL


class Observatory:
    """The Observatory at ``url``; a context manager, or closed with ``close``.

    Every method raises ``NotRunning`` when nothing answers there, and ``ObservatoryError`` for an
    answer it doesn't expect.
    """

    def __init__(self, url: str = DEFAULT_URL) -> None:
        self.url = url.rstrip("/")
        # trust_env: a proxy in the environment must not come between this machine and itself.
        self._http = httpx.Client(timeout=REQUEST_TIMEOUT_SECONDS, trust_env=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def health(self) -> Health:
        """That it runs, and how much it holds."""
        health = self._get("/api/health")
        if health.get("service") != "throughline-observatory":
            raise NotRunning(self._not_running("another program answers there"))
        return cast("Health", health)

    def traces(
        self,
        limit: int = 50,
        *,
        order_id: str | None = None,
        trace_id_prefix: str | None = None,
        service: str | None = None,
        text: str | None = None,
    ) -> TraceList:
        """The newest ``limit`` (1 to 500) traces that match all that is given, newest first."""
        asked = {
            "limit": str(limit),
            "order_id": order_id,
            "trace_id_prefix": trace_id_prefix,
            "service": service,
            "q": text,
        }
        given = {name: value for name, value in asked.items() if value is not None}
        return cast("TraceList", self._get("/api/traces", given))

    def trace(self, trace_id: str) -> Journey:
        """One trace as a journey.

        Raises:
            TraceNotFound: none of its spans is stored (yet).
        """
        return cast("Journey", self._get(f"/api/traces/{trace_id}"))

    def coverage(self) -> Coverage:
        """Context coverage over everything stored."""
        return cast("Coverage", self._get("/api/coverage"))

    def find(self, name: str) -> Journey:
        """The trace that ``name`` names: a trace id, an order id, or the start of a trace id.

        An order may occur in several traces (a sweep touches many orders); its own is the first.

        Raises:
            TraceNotFound: nothing fits.
            Ambiguous: several traces begin so.
        """
        of_order = self.traces(500, order_id=name)["traces"]
        if of_order:
            return self.trace(of_order[-1]["trace_id"])
        if 1 <= len(name) <= 32 and all(digit in "0123456789abcdef" for digit in name.lower()):
            found = self.traces(5, trace_id_prefix=name)
            if found["total"] > 1:
                ids = ", ".join(line["trace_id"] for line in found["traces"])
                raise Ambiguous(f"{found['total']} traces begin with {name}: {ids}, …"[:400])
            if found["traces"]:
                return self.trace(found["traces"][0]["trace_id"])
        raise TraceNotFound(f"No trace or order {name} is stored at {self.url}.")

    def wait_for_trace(
        self,
        trace_id: str,
        until: Callable[[Journey], bool] = lambda journey: journey["orphans"] == 0,
        timeout_seconds: float = 15.0,
    ) -> Journey:
        """Ask for a trace until ``until`` holds of it.

        Args:
            trace_id: 32 hexadecimal digits.
            until: what to wait for; by default, that no parent is missing.
            timeout_seconds: how long, in all.

        Raises:
            TimeoutError: it didn't come to hold; the message says what was there.
        """
        deadline = time.monotonic() + timeout_seconds
        while True:
            try:
                journey = self.trace(trace_id)
                seen = (
                    f"{journey['spans']} spans of {', '.join(journey['services'])}, "
                    f"{journey['orphans']} orphans, order {journey['order_state']}"
                )
                if until(journey):
                    return journey
            except TraceNotFound:
                seen = "no span"
            if time.monotonic() > deadline:
                raise TimeoutError(
                    f"After {timeout_seconds:g} s trace {trace_id} isn't as expected: {seen}."
                )
            time.sleep(POLL_SECONDS)

    def _get(self, path: str, query: dict[str, str] | None = None) -> dict[str, Any]:
        try:
            answer = self._http.get(self.url + path, params=query)
            body = answer.json()
        except httpx.InvalidURL as error:
            raise ObservatoryError(f"{self.url!r} is not a URL: {error}") from error
        except httpx.HTTPError as error:
            raise NotRunning(self._not_running(str(error) or type(error).__name__)) from error
        except ValueError as error:
            raise NotRunning(self._not_running("another program answers there")) from error
        if answer.status_code == 200 and isinstance(body, dict):
            return body
        code, message = _error_in(body)
        if code == "trace_not_found":
            raise TraceNotFound(message)
        raise ObservatoryError(f"{self.url}{path} answered {answer.status_code}: {message}")

    def _not_running(self, why: str) -> str:
        return f"No Observatory at {self.url} ({why}). Start it with {START_HINT}."


def _error_in(body: Any) -> tuple[str, str]:
    error = body.get("error") if isinstance(body, dict) else None
    if isinstance(error, dict):
        return str(error.get("code", "")), str(error.get("message", ""))
    return "", str(body)[:200]
