"""A client of the Observatory's JSON API, for scripts and tests."""

import os
import ssl
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Self, cast

import httpx

from observatory.promoted import state_of
from observatory.schemas.ask import Answer, AskSchema
from observatory.schemas.comparison import Diff, UnusualShape
from observatory.schemas.health import Health
from observatory.schemas.import_export import ImportResult
from observatory.schemas.journey import Journey
from observatory.schemas.storage import Cleared
from observatory.schemas.traces import Coverage, TraceList

DEFAULT_URL = "http://127.0.0.1:4318"
START_HINT = "./scripts/dev"
REQUEST_TIMEOUT_SECONDS = 10.0
# A question in SQL has 10 s, and a large piece of a file waits for the disk.
LONG_REQUEST_TIMEOUT_SECONDS = 60.0
POLL_SECONDS = 0.1


# Errors whose message needs no more said about it.
REFUSALS = frozenset({"bad_sql", "bad_filter", "bad_file", "too_large", "try_later"})


class ObservatoryError(Exception):
    """The Observatory could not answer; the message says why and what to do."""


class NotRunning(ObservatoryError):
    """Nothing answers at the URL, or what answers is no Observatory."""


class TraceNotFound(ObservatoryError):
    """No span of the trace is stored."""


class Refused(ObservatoryError):
    """What was asked, or sent, is wrong; the message says what would be right."""


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
        # verify: to read all of the system's certificates takes longer than most requests, and
        # plain HTTP has no use for them.
        secure = self.url.startswith("https:")
        self._http = httpx.Client(
            timeout=REQUEST_TIMEOUT_SECONDS,
            trust_env=False,
            verify=True if secure else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
        )

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
        subject: str | None = None,
        trace_id_prefix: str | None = None,
        service: str | None = None,
        text: str | None = None,
    ) -> TraceList:
        """The newest ``limit`` (1 to 500) traces that match every filter, newest first."""
        filters = {
            "limit": str(limit),
            "subject": subject,
            "trace_id_prefix": trace_id_prefix,
            "service": service,
            "q": text,
        }
        query = {name: value for name, value in filters.items() if value is not None}
        return cast("TraceList", self._get("/api/traces", query))

    def trace(self, trace_id: str) -> Journey:
        """One trace as a journey.

        Raises:
            TraceNotFound: none of its spans is stored (yet).
        """
        return cast("Journey", self._get(f"/api/traces/{trace_id}"))

    def unusual(self, trace_id: str) -> UnusualShape:
        """What sets one trace apart from recent ones that began the same way."""
        return cast("UnusualShape", self._get(f"/api/traces/{trace_id}/unusual"))

    def diff(self, left: str, right: str) -> Diff:
        """Two traces, named by their ids, side by side."""
        return cast("Diff", self._get(f"/api/diff/{left}/{right}"))

    def ask(self, sql: str, limit: int | None = None) -> Answer:
        """What a question in SQL answers, at most ``limit`` rows of it.

        Raises:
            Refused: it is not one statement that reads, or DuckDB refuses it.
        """
        question = {"sql": sql} if limit is None else {"sql": sql, "limit": limit}
        return cast("Answer", self._post("/api/ask", question))

    def ask_schema(self) -> AskSchema:
        """The views to ask of in SQL."""
        return cast("AskSchema", self._get("/api/ask/schema"))

    def export(self, trace_ids: Sequence[str] = (), text: str | None = None) -> Iterator[bytes]:
        """The pieces of an OTLP/JSON document with these traces, with those that match a filter,
        or, when neither is given, with everything."""
        query: dict[str, list[str] | str] = {"trace": list(trace_ids)}
        if text is not None:
            query["q"] = text
        with (
            self._translated(),
            self._http.stream(
                "GET",
                f"{self.url}/api/export",
                params=query,
                timeout=LONG_REQUEST_TIMEOUT_SECONDS,
            ) as answer,
        ):
            if answer.status_code != 200:
                answer.read()
                self._checked("/api/export", answer)
            yield from answer.iter_bytes()

    def bring(self, document: Mapping[str, Any]) -> ImportResult:
        """Store what an OTLP/JSON or a Jaeger JSON document of up to 16 MiB holds.

        Raises:
            Refused: something in it is wrong.
        """
        return cast("ImportResult", self._post("/api/import", document))

    def clear(self) -> Cleared:
        """Delete everything."""
        return cast("Cleared", self._post("/api/clear", {"confirm": "clear"}))

    def coverage(self) -> Coverage:
        """Context coverage over everything stored."""
        return cast("Coverage", self._get("/api/coverage"))

    def find(self, name: str) -> Journey:
        """Return the trace with this id, with this subject, or whose id begins so.

        A subject, such as an order, may occur in several traces; its own is the first.

        Raises:
            TraceNotFound: nothing fits.
            Ambiguous: several traces begin so.
        """
        return self.trace(self.find_id(name))

    def find_id(self, name: str) -> str:
        """The id of the trace that ``name`` names, as ``find`` does.

        Raises:
            TraceNotFound: nothing fits.
            Ambiguous: several traces begin so.
        """
        of_subject = self.traces(500, subject=name)["traces"]
        if of_subject:
            return of_subject[-1]["trace_id"]
        if 1 <= len(name) <= 32 and all(digit in "0123456789abcdef" for digit in name.lower()):
            found = self.traces(5, trace_id_prefix=name)
            if found["total"] > 1:
                ids = ", ".join(line["trace_id"] for line in found["traces"])
                raise Ambiguous(f"{found['total']} traces begin with {name}: {ids}, …"[:400])
            if found["traces"]:
                return found["traces"][0]["trace_id"]
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
                    f"{journey['orphans']} orphans, state {state_of(journey)}"
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
        with self._translated():
            return self._checked(path, self._http.get(self.url + path, params=query))

    def _post(self, path: str, document: Mapping[str, Any]) -> dict[str, Any]:
        with self._translated():
            answer = self._http.post(
                self.url + path, json=document, timeout=LONG_REQUEST_TIMEOUT_SECONDS
            )
            return self._checked(path, answer)

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except httpx.InvalidURL as error:
            raise ObservatoryError(f"{self.url!r} is not a URL: {error}") from error
        except httpx.HTTPError as error:
            raise NotRunning(self._not_running(str(error) or type(error).__name__)) from error

    def _checked(self, path: str, answer: httpx.Response) -> dict[str, Any]:
        try:
            body = answer.json()
        except ValueError as error:
            raise NotRunning(self._not_running("another program answers there")) from error
        if answer.status_code == 200 and isinstance(body, dict):
            return body
        code, message = _error_in(body)
        if code == "trace_not_found":
            raise TraceNotFound(message)
        if code in REFUSALS:
            raise Refused(message)
        raise ObservatoryError(f"{self.url}{path} answered {answer.status_code}: {message}")

    def _not_running(self, why: str) -> str:
        return f"No Observatory at {self.url} ({why}). Start it with {START_HINT}."


def _error_in(body: Any) -> tuple[str, str]:
    error = body.get("error") if isinstance(body, dict) else None
    if isinstance(error, dict):
        return str(error.get("code", "")), str(error.get("message", ""))
    return "", str(body)[:200]
