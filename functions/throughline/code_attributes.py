"""Where in the app's source a span was begun, in `code.*`: its function, its file, its line."""

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
# Files are named from here, so that a checkout has its folder of functions in their names.
_PROJECT_DIR = _THROUGHLINE.parents[1]
# Beside throughline: the standard library, and the commands that start servers.
_NOT_THE_APPS = {
    _THROUGHLINE,
    Path(os.__file__).resolve().parent,
    *(Path(sys.prefix, name).resolve() for name in ("bin", "Scripts")),
}
# By name, because packages lie in many places: in a venv, a buildpack's layer, with the user.
_PACKAGES = frozenset({"site-packages", "dist-packages"})


class CodeAttributes(SpanProcessor):
    """Puts on a starting span the line of the app that began it, unless the span names one already.

    It is the innermost line on the stack that is neither of throughline nor of a package nor of
    Python itself. So a span that a library makes, as of a Firestore call, names who called the
    library. One that is begun in a library's own thread has no such line, and is left alone. Only
    spans that record come here: those that aren't sampled cost nothing.
    """

    def on_start(
        self,
        span: Span,
        parent_context: Context | None = None,  # noqa: ARG002  (the SDK passes it by name)
    ) -> None:
        if LINE in (span.attributes or ()):
            return
        # Not by `inspect.stack`: it looks into every source file, which takes milliseconds.
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
    """The attributes that say where a function is defined, whatever decorators are around it."""
    inner = inspect.unwrap(function)
    return {
        FUNCTION: f"{inner.__module__}.{inner.__qualname__}",
        FILE: _name_of(Path(inner.__code__.co_filename).resolve()),
        LINE: inner.__code__.co_firstlineno,
    }


@functools.cache
def _path_in_app(filename: str) -> str:
    """What spans call the file of a code object; empty where the file is none of the app's."""
    # Code without a file is called <string>, <frozen importlib._bootstrap> and the like.
    if filename.startswith("<"):
        return ""
    path = Path(filename).resolve()
    if not _NOT_THE_APPS.isdisjoint(path.parents) or not _PACKAGES.isdisjoint(path.parts):
        return ""
    return _name_of(path)


def _name_of(path: Path) -> str:
    if path.is_relative_to(_PROJECT_DIR):
        path = path.relative_to(_PROJECT_DIR)
    return path.as_posix()
