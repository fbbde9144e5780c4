"""Tests of the firing of scheduled functions."""

from __future__ import annotations

import pytest

from stack.local import schedule
from tests.unit.local_server import serving


def test_a_scheduled_function_is_fired_repeatedly(monkeypatch: pytest.MonkeyPatch) -> None:
    """The request goes to the emulator's address for the function."""
    monkeypatch.setattr(schedule, "EVERY_SECONDS", {"sweep": 0.02})
    with serving() as server:
        with schedule.on_schedule(server.url, "demo-throughline"):
            first, second = server.wait_for(2)[:2]
        assert (first.method, first.path) == ("POST", "/demo-throughline/us-central1/sweep-0")
        assert second.path == first.path


def test_nothing_is_fired_at_the_start() -> None:
    """The first call is after one interval."""
    with serving() as server:
        with schedule.on_schedule(server.url, "demo-throughline"):
            pass
        assert server.requests == []


def test_of_failures_in_a_row_only_the_first_is_printed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    results = iter(["status 500", "status 500", None, "status 500"])
    fired = []

    def fail(url: str) -> str | None:
        fired.append(url)
        return next(results)

    class FourIntervals:
        """A fake of the event that ends the schedule: set after four calls, without waiting."""

        def wait(self, _seconds: float) -> bool:
            return len(fired) == 4

        def is_set(self) -> bool:
            return False

    monkeypatch.setattr(schedule, "fire", fail)
    schedule._keep_firing("sweep", "http://nowhere", 60, FourIntervals())  # type: ignore[arg-type]
    printed = capsys.readouterr()
    assert (printed.out + printed.err).count("sweep failed: status 500") == 2
