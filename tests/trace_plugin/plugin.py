"""The plugin's fixtures and settings."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from observatory.client import Observatory, url_from_environment
from tests.trace_plugin.trace import Trace
from tests.trace_plugin.waiting import WholeTrace, wait_for_whole

# For each setting: its name in the ini file, its default, and its description.
SETTINGS = (
    ("trace_url", "", "The Observatory's address; if empty, OTEL_EXPORTER_OTLP_ENDPOINT"),
    ("trace_settled_ms", "700", "A trace is complete when no span has arrived for this time"),
    ("trace_deadline_seconds", "40", "A trace that is not complete after this time fails the test"),
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the settings for the ini file and ``-o NAME=VALUE``."""
    for name, default, description in SETTINGS:
        parser.addini(name, description, default=default)


@pytest.fixture(scope="session")
def observatory(request: pytest.FixtureRequest) -> Iterator[Observatory]:
    """A client for the Observatory; a conftest.py may override this fixture."""
    with Observatory(request.config.getini("trace_url") or url_from_environment()) as client:
        yield client


@pytest.fixture
def whole_trace(observatory: Observatory, request: pytest.FixtureRequest) -> WholeTrace:
    """A function that waits until a trace is complete (see waiting.py) and returns it."""
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
        raise pytest.UsageError(f"{name} is {value!r}: it must be a number") from None
