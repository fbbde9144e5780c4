"""Query the Observatory's JSON API from scripts and tests."""

import os
import ssl
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Self, cast

import httpx

from observatory.promoted import state_of
from observatory.schemas.ask import SqlResult, SqlSchema
from observatory.schemas.comparison import Diff, UnusualSteps
from observatory.schemas.health import Health
from observatory.schemas.import_export import ImportResult
from observatory.schemas.journey import Journey
from observatory.schemas.map import Map
from observatory.schemas.overview import Contrast
from observatory.schemas.signals import LogPage
from observatory.schemas.storage import Cleared
from observatory.schemas.traces import Coverage, TraceList

DEFAULT_URL = "http://127.0.0.1:4318"
START_HINT = "./scripts/dev"
REQUEST_TIMEOUT_SECONDS = 10.0
# An SQL query may take 10 s, and an import waits for the disk.
LONG_REQUEST_TIMEOUT_SECONDS = 60.0
POLL_SECONDS = 0.1


# Error codes whose messages are shown as they are.
REFUSALS = frozenset({"bad_request", "bad_sql", "bad_filter", "bad_file", "too_large", "try_later"})


class ObservatoryError(Exception):
    """The request failed; the message says why and what to do."""


class NotRunning(ObservatoryError):
    """No Observatory is running at the URL."""


class TraceNotFound(ObservatoryError):
    """No span of the trace is stored."""


class Refused(ObservatoryError):
    """The Observatory rejected the request as invalid; the message says how to correct it."""


class Ambiguous(ObservatoryError):
    """A prefix matches more than one trace id."""


def url_from_environment() -> str:
    """Return ``OTEL_EXPORTER_OTLP_ENDPOINT``, to which spans are exported, else the default."""
    return os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT") or DEFAULT_URL


class Observatory:
    """A client for the Observatory at ``url``. Use it as a context manager, or call ``close``.

    Every method raises ``NotRunning`` if no Observatory runs there, and ``ObservatoryError`` for an
    unexpected response.

    Args:
        url: where the Observatory runs.
        start_hint: the command that starts it, for the message of ``NotRunning``.
        transport: how requests are sent; None for the network.
    """

    def __init__(
        self,
        url: str = DEFAULT_URL,
        *,
        start_hint: str = START_HINT,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self.url = url.rstrip("/")
        self._start_hint = start_hint
        # trust_env: requests within this machine must not go through a proxy.
        # verify: loading the system's certificates takes longer than most requests, and plain HTTP
        # does not need them.
        secure = self.url.startswith("https:")
        self._http = httpx.Client(
            timeout=REQUEST_TIMEOUT_SECONDS,
            trust_env=False,
            transport=transport,
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
        """Return the server's health: its boot id, and how much it has stored."""
        health = self._get("/api/health")
        if health.get("service") != "throughline-observatory":
            raise NotRunning(self._not_running("another program responds there"))
        return cast("Health", health)

    def traces(  # noqa: PLR0913  # one for each of the API's parameters
        self,
        limit: int = 50,
        *,
        subject: str | None = None,
        trace_id_prefix: str | None = None,
        service: str | None = None,
        text: str | None = None,
        last_seconds: float | None = None,
        sort: str | None = None,
        order: str | None = None,
        cursor: str | None = None,
    ) -> TraceList:
        """Return ``limit`` (1 to 500) traces that match every filter, by default the newest.

        Args:
            limit: the maximum number of traces.
            subject: the traces' subject, such as an order.
            trace_id_prefix: the beginning of the trace id.
            service: a service with a span in the trace.
            text: a filter.
            last_seconds: only traces that began in the last this many seconds.
            sort: ``start``, ``duration``, ``spans`` or ``errors``.
            order: ``desc`` or ``asc``.
            cursor: the ``next_cursor`` of the previous page.
        """
        query = _query(
            limit=limit,
            subject=subject,
            trace_id_prefix=trace_id_prefix,
            service=service,
            q=text,
            last=last_seconds,
            sort=sort,
            order=order,
            cursor=cursor,
        )
        return cast("TraceList", self._get("/api/traces", query))

    def compare(
        self, inside: str, text: str | None = None, last_seconds: float | None = None
    ) -> Contrast:
        """Compare the attributes of the traces that match ``inside`` with those of the rest.

        Args:
            inside: a filter for the subset.
            text: a filter for all traces of the comparison.
            last_seconds: only traces that began in the last this many seconds.
        """
        query = _query(q=text, last=last_seconds) | {"in": inside}
        return cast("Contrast", self._get("/api/compare", query))

    def service_map(self, text: str | None = None, last_seconds: float | None = None) -> Map:
        """Return the graph of services and hops of the traces that match a filter."""
        return cast("Map", self._get("/api/map", _query(q=text, last=last_seconds)))

    def logs(  # noqa: PLR0913  # one for each of the API's parameters
        self,
        limit: int,
        *,
        text: str | None = None,
        words: str | None = None,
        severity_at_least: int | None = None,
        trace_id: str | None = None,
        last_seconds: float | None = None,
        before: str | None = None,
    ) -> LogPage:
        """Return ``limit`` (1 to 1000) log records, newest first.

        Args:
            limit: the maximum number of records.
            text: a filter for the records' traces.
            words: words that must occur in a record.
            severity_at_least: the lowest severity number: 9 is INFO, 13 WARN, 17 ERROR.
            trace_id: the records' trace.
            last_seconds: only records of the last this many seconds.
            before: the ``next`` of the previous page.
        """
        query = _query(
            limit=limit,
            q=text,
            text=words,
            severity_at_least=severity_at_least,
            trace=trace_id,
            last=last_seconds,
            before=before,
        )
        return cast("LogPage", self._get("/api/logs", query))

    def trace(self, trace_id: str) -> Journey:
        """Return one trace.

        Raises:
            TraceNotFound: no span of it is stored yet.
        """
        return cast("Journey", self._get(f"/api/traces/{trace_id}"))

    def unusual(self, trace_id: str) -> UnusualSteps:
        """Compare a trace's steps with those of recent traces with the same root."""
        return cast("UnusualSteps", self._get(f"/api/traces/{trace_id}/unusual"))

    def diff(self, left: str, right: str) -> Diff:
        """Compare two traces, given by their ids, step by step."""
        return cast("Diff", self._get(f"/api/diff/{left}/{right}"))

    def ask(self, sql: str, limit: int | None = None) -> SqlResult:
        """Run a read-only SQL query and return at most ``limit`` rows.

        Raises:
            Refused: ``sql`` is not a single read-only statement, or DuckDB rejects it.
        """
        query = {"sql": sql} if limit is None else {"sql": sql, "limit": limit}
        return cast("SqlResult", self._post("/api/ask", query))

    def ask_schema(self) -> SqlSchema:
        """Return the views that SQL queries may use, and example queries."""
        return cast("SqlSchema", self._get("/api/ask/schema"))

    def export(self, trace_ids: Sequence[str] = (), text: str | None = None) -> Iterator[bytes]:
        """Yield the bytes of an OTLP/JSON document.

        Args:
            trace_ids: the traces to export; without these and ``text``, everything is exported.
            text: a filter for the traces to export.
        """
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
            ) as response,
        ):
            if response.status_code != 200:
                response.read()
                self._checked("/api/export", response)
            yield from response.iter_bytes()

    def import_document(self, document: Mapping[str, Any]) -> ImportResult:
        """Store the telemetry of an OTLP/JSON or Jaeger JSON document of up to 16 MiB.

        Raises:
            Refused: the document is too large, or an item in it is invalid.
        """
        return cast("ImportResult", self._post("/api/import", document))

    def clear(self) -> Cleared:
        """Delete all stored telemetry."""
        return cast("Cleared", self._post("/api/clear", {"confirm": "clear"}))

    def coverage(self) -> Coverage:
        """Return the context coverage of all stored traces."""
        return cast("Coverage", self._get("/api/coverage"))

    def find(self, name: str) -> Journey:
        """Return the trace with this subject, id or prefix of an id.

        A subject, such as an order, may occur in several traces; the first one is returned.

        Raises:
            TraceNotFound: no trace matches.
            Ambiguous: the prefix matches several traces.
        """
        return self.trace(self.find_id(name))

    def find_id(self, name: str) -> str:
        """Return the id of the trace that ``find`` returns.

        Raises:
            TraceNotFound: no trace matches.
            Ambiguous: the prefix matches several traces.
        """
        of_subject = self.traces(500, subject=name)["traces"]
        if of_subject:
            return of_subject[-1]["trace_id"]
        if 1 <= len(name) <= 32 and all(digit in "0123456789abcdef" for digit in name.lower()):
            matches = self.traces(5, trace_id_prefix=name)
            if matches["total"] > 1:
                ids = ", ".join(line["trace_id"] for line in matches["traces"])
                listed = f"{ids}, …" if matches["total"] > len(matches["traces"]) else ids
                raise Ambiguous(
                    f"The ids of {matches['total']} traces begin with {name}; give more digits of "
                    f"one of them: {listed}"
                )
            if matches["traces"]:
                return matches["traces"][0]["trace_id"]
        raise TraceNotFound(
            f"No trace with the id or subject {name} is stored at {self.url}. List the stored "
            "traces with `trace ls`."
        )

    def wait_for_trace(
        self,
        trace_id: str,
        until: Callable[[Journey], bool] = lambda journey: journey["orphans"] == 0,
        timeout_seconds: float = 15.0,
    ) -> Journey:
        """Poll a trace until the condition ``until`` holds, and return it.

        Args:
            trace_id: 32 hexadecimal digits.
            until: the condition; by default, that no parent is missing.
            timeout_seconds: the time limit.

        Raises:
            TimeoutError: the condition did not hold in time; the message describes the trace.
        """
        deadline = time.monotonic() + timeout_seconds
        while True:
            try:
                journey = self.trace(trace_id)
                state = (
                    f"{journey['spans']} spans of {', '.join(journey['services'])}, "
                    f"{journey['orphans']} orphans, state {state_of(journey)}"
                )
                if until(journey):
                    return journey
            except TraceNotFound:
                state = "no span"
            if time.monotonic() > deadline:
                raise TimeoutError(
                    f"After {timeout_seconds:g} s trace {trace_id} is not as expected: {state}."
                )
            time.sleep(POLL_SECONDS)

    def _get(self, path: str, query: dict[str, str] | None = None) -> dict[str, Any]:
        with self._translated():
            return self._checked(path, self._http.get(self.url + path, params=query))

    def _post(self, path: str, document: Mapping[str, Any]) -> dict[str, Any]:
        with self._translated():
            response = self._http.post(
                self.url + path, json=document, timeout=LONG_REQUEST_TIMEOUT_SECONDS
            )
            return self._checked(path, response)

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except httpx.InvalidURL as error:
            raise ObservatoryError(f"{self.url!r} is not a URL: {error}") from error
        except httpx.HTTPError as error:
            raise NotRunning(self._not_running(str(error) or type(error).__name__)) from error

    def _checked(self, path: str, response: httpx.Response) -> dict[str, Any]:
        try:
            body = response.json()
        except ValueError as error:
            raise NotRunning(self._not_running("another program responds there")) from error
        if response.status_code == 200 and isinstance(body, dict):
            return body
        code, message = _error_in(body)
        if code == "trace_not_found":
            raise TraceNotFound(message)
        if code in REFUSALS:
            raise Refused(message)
        raise ObservatoryError(
            f"{self.url}{path} responded with status {response.status_code}: {message}"
        )

    def _not_running(self, reason: str) -> str:
        return f"No Observatory at {self.url} ({reason}). Start it with {self._start_hint}."


def _query(**parameters: str | float | None) -> dict[str, str]:
    return {name: str(value) for name, value in parameters.items() if value is not None}


def _error_in(body: Any) -> tuple[str, str]:
    error = body.get("error") if isinstance(body, dict) else None
    if isinstance(error, dict):
        return str(error.get("code", "")), str(error.get("message", ""))
    return "", str(body)[:200]
