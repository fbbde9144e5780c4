"""Lets the tests start event loops after tests with a browser."""

from tests.unit.conftest import no_running_loop

__all__ = ["no_running_loop"]
