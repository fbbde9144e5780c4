"""How a consumer ended, in an attribute of the app's that no consumer's span lacks.

A consumer is a function started by a document, a message, a task, an event or a schedule. It has no
caller and no status, so without an outcome one that did nothing looks like one that did its work.
"""

from __future__ import annotations

from opentelemetry.trace import Span

#: The outcome of a consumer that raised an exception.
FAILED = "failed"
#: The outcome of a consumer that returned without having set one.
UNREPORTED = "unreported"

_attribute: list[str] = []


def require(attribute: str | None) -> None:
    """Have each consumer's span say in `attribute` how it ended; None requires nothing."""
    _attribute[:] = [attribute] if attribute else []


def complete(span: Span, error: Exception | None = None) -> None:
    """Set the outcome of a consumer that raised `error`, or that has not set any."""
    for attribute in _attribute:
        if error is not None:
            span.set_attribute(attribute, FAILED)
        elif span.is_recording() and attribute not in (getattr(span, "attributes", None) or ()):
            span.set_attribute(attribute, UNREPORTED)
