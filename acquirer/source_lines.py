"""Sets `code.*` attributes to the source line that started a span, as no instrumentation does.

The functions and cloud/ have frame walks of their own. The processor is a third party's service: it
is deployed alone and cannot import either.
"""

from __future__ import annotations

import sys
from pathlib import Path

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.trace import Span, SpanProcessor, TracerProvider

_THIS_FILE = Path(__file__)


def install() -> None:
    """Add source lines to every span; do nothing if no tracer provider is set up."""
    provider = trace.get_tracer_provider()
    if isinstance(provider, TracerProvider):
        provider.add_span_processor(SourceLines())


def nearest() -> dict[str, str | int]:
    """Return the `code.*` attributes of the innermost frame in this folder, except in this file.

    The result is empty if no frame is in this folder, as before the server calls the function.
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
    """Sets the nearest source line on each span when it starts."""

    def on_start(
        self,
        span: Span,
        parent_context: Context | None = None,  # noqa: ARG002  (the SDK passes it by name)
    ) -> None:
        span.set_attributes(nearest())
