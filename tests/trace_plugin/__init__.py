"""A pytest plugin for traces: wait until a trace is complete, and make assertions about it.

`trace.py` has the assertions, `failure.py` formats their failures, `waiting.py` waits until a trace
is complete, and `plugin.py` has the fixtures and settings. docs/trace-tests.md is the manual.

The plugin depends on nothing of this repository but `observatory`, so it can be copied to another
project together with that.
"""

from tests.trace_plugin.failure import picture
from tests.trace_plugin.plugin import observatory, pytest_addoption, whole_trace
from tests.trace_plugin.trace import Trace
from tests.trace_plugin.waiting import WholeTrace

__all__ = ["Trace", "WholeTrace", "observatory", "picture", "pytest_addoption", "whole_trace"]
