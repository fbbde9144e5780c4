"""A pytest plugin for tests of traces: wait until one is complete, and say what it must look like.

`trace.py` is what a test may say of a trace, `failure.py` what is shown where it isn't so,
`waiting.py` when a trace is complete, `plugin.py` the fixtures and settings. docs/trace-tests.md is
for who writes tests.

It needs nothing of this repository but `observatory`, so the folder can be taken elsewhere with it.
"""

from tests.trace_plugin.failure import picture
from tests.trace_plugin.plugin import observatory, pytest_addoption, whole_trace
from tests.trace_plugin.trace import Trace
from tests.trace_plugin.waiting import WholeTrace

__all__ = ["Trace", "WholeTrace", "observatory", "picture", "pytest_addoption", "whole_trace"]
