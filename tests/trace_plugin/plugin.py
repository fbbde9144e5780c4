"""The fixtures, and the settings that they go by."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from observatory.client import Observatory, url_from_environment
from tests.trace_plugin.trace import Trace
from tests.trace_plugin.waiting import WholeTrace, wait_for_whole

# One row a setting: its name in the ini file, its default, what it is.
SETTINGS = (
    ("trace_url", "", "The Observatory's address; OTEL_EXPORTER_OTLP_ENDPOINT where it is empty"),
    ("trace_settled_ms", "700", "A trace is complete when nothing came for so long, in ms"),
    ("trace_deadline_seconds", "40", "A trace that isn't complete after so long fails the test"),
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let the ini file, or -o NAME=VALUE, say where the Observatory is and how long to wait."""
    for name, default, says in SETTINGS:
        parser.addini(name, says, default=default)


@pytest.fixture(scope="session")
def observatory(request: pytest.FixtureRequest) -> Iterator[Observatory]:
    """The Observatory that is asked; a conftest.py may have a fixture of this name instead."""
    with Observatory(request.config.getini("trace_url") or url_from_environment()) as client:
        yield client


@pytest.fixture
def whole_trace(observatory: Observatory, request: pytest.FixtureRequest) -> WholeTrace:
    """Waits for a trace to be complete, and returns it; waiting.py says what that is."""
    settled = _number(request.config, "trace_settled_ms")
    deadline = _number(request.config, "trace_deadline_seconds")

    def wait(
        trace_id: str,
        *,
        until: Callable[[Trace], object] = lambda trace: True,
        orphans: int = 0,
        settled_ms: float | None = None,
        deadline_seconds: float | None = None,
    ) -> Trace:
        __tracebackhide__ = True
        return wait_for_whole(
            observatory,
            trace_id,
            until,
            orphans,
            settled if settled_ms is None else settled_ms,
            deadline if deadline_seconds is None else deadline_seconds,
        )

    return wait


def _number(config: pytest.Config, name: str) -> float:
    value = config.getini(name)
    try:
        return float(value)
    except ValueError:
        raise pytest.UsageError(f"{name} is {value!r}: it is a number") from None
