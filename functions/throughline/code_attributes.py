"""The line of the app's source that started a span: `code.function.name`, file and line."""

from __future__ import annotations

import functools
import inspect
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from opentelemetry.context import Context
from opentelemetry.sdk.trace import Span, SpanProcessor
from opentelemetry.util.types import AttributeValue

FUNCTION = "code.function.name"
FILE = "code.file.path"
LINE = "code.line.number"

_THROUGHLINE = Path(__file__).resolve().parent
# File names are relative to this folder, so that they begin with the functions' folder.
_PROJECT_DIR = _THROUGHLINE.parents[1]
# This package, the standard library, and the commands that start servers.
_FOREIGN_FOLDERS = {
    _THROUGHLINE,
    Path(os.__file__).resolve().parent,
    *(Path(sys.prefix, name).resolve() for name in ("bin", "Scripts")),
}
# By name, because packages are installed in many places: a venv, a buildpack's layer, a home.
_PACKAGES = frozenset({"site-packages", "dist-packages"})


class CodeAttributes(SpanProcessor):
    """Sets on each span the line of the app that started it, unless the span already has one.

    That is the innermost stack frame outside throughline, packages and Python itself. So the span
    of a library, such as a Firestore call's, has the line that called the library. A span started
    in a library's own thread gets no line. Unsampled spans do not reach a processor and cost
    nothing.

    The acquirer walks the stack with code of its own, because it is a separate deployable that must
    not import this package.
    """

    def on_start(
        self,
        span: Span,
        parent_context: Context | None = None,  # noqa: ARG002  (the SDK passes it by name)
    ) -> None:
        if LINE in (span.attributes or ()):
            return
        # `inspect.stack` would read every source file, which takes milliseconds.
        frame = sys._getframe(1)
        while not (path := _path_in_app(frame.f_code.co_filename)):
            if frame.f_back is None:
                return
            frame = frame.f_back
        span.set_attributes(
            {
                FUNCTION: f"{frame.f_globals.get('__name__', '')}.{frame.f_code.co_qualname}",
                FILE: path,
                LINE: frame.f_lineno,
            }
        )


def of_function(function: Callable[..., Any]) -> Mapping[str, AttributeValue]:
    """Return the `code.*` attributes of a function's definition, below its decorators."""
    inner = inspect.unwrap(function)
    return {
        FUNCTION: f"{inner.__module__}.{inner.__qualname__}",
        FILE: _name_of(Path(inner.__code__.co_filename).resolve()),
        LINE: inner.__code__.co_firstlineno,
    }


@functools.cache
def _path_in_app(filename: str) -> str:
    """Return the name of an app's file as spans show it; empty for any other file."""
    # Code without a file has a name such as <string> or <frozen importlib._bootstrap>.
    if filename.startswith("<"):
        return ""
    path = Path(filename).resolve()
    if not _FOREIGN_FOLDERS.isdisjoint(path.parents) or not _PACKAGES.isdisjoint(path.parts):
        return ""
    return _name_of(path)


def _name_of(path: Path) -> str:
    if path.is_relative_to(_PROJECT_DIR):
        path = path.relative_to(_PROJECT_DIR)
    return path.as_posix()
