"""Which line of this folder a span comes from: the one thing that no instrumentation says."""

from __future__ import annotations

import sys
from pathlib import Path

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.trace import Span, SpanProcessor, TracerProvider

_THIS_FILE = Path(__file__)


def install() -> None:
    """Have each span name the line that began it; does nothing where nobody set tracing up."""
    provider = trace.get_tracer_provider()
    if isinstance(provider, TracerProvider):
        provider.add_span_processor(SourceLines())


def nearest() -> dict[str, str | int]:
    """The innermost line of this folder that is being run, but for this file's, as attributes.

    Empty where there is none, as when a server is about to call the function.
    """
    frame = sys._getframe(1)
    while not _is_of_this_folder(path := Path(frame.f_code.co_filename)):
        if frame.f_back is None:
            return {}
        frame = frame.f_back
    return {
        "code.function.name": f"{frame.f_globals['__name__']}.{frame.f_code.co_qualname}",
        "code.file.path": f"{path.parent.name}/{path.name}",
        "code.line.number": frame.f_lineno,
    }


def _is_of_this_folder(path: Path) -> bool:
    return path.parent == _THIS_FILE.parent and path != _THIS_FILE


class SourceLines(SpanProcessor):
    """Puts on each starting span the nearest line, where there is one."""

    def on_start(
        self,
        span: Span,
        parent_context: Context | None = None,  # noqa: ARG002  (the SDK passes it by name)
    ) -> None:
        span.set_attributes(nearest())
