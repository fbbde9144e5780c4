"""Strict parsing of JSON from untrusted clients.

Python's `json` raises RecursionError for a body that is nested too deeply, and accepts values that
Firestore and OpenTelemetry cannot store: text with lone surrogates, NaN and infinities. Here such a
body is refused like malformed JSON, with a reason that quotes nothing of it.
"""

from __future__ import annotations

import json
import re
from typing import Any, NoReturn

# Firestore stores maps to a depth of 20. Python's own parser fails near its recursion limit, which
# depends on the depth of the call stack.
DEPTH_MAX = 100

_SURROGATE_ESCAPE = re.compile(r"\\u[dD][89a-fA-F]")
_SURROGATE = re.compile("[\ud800-\udfff]")


class InvalidJson(ValueError):
    """Raised for a body that is not usable JSON; the message gives the client the reason."""


def parse_json(body: bytes, *, repair: bool = False) -> Any:
    """Return the value of a JSON text in UTF-8 (RFC 8259); a byte order mark is skipped.

    With `repair`, U+FFFD replaces half a surrogate pair, which a page sends if it cuts a text
    within an emoji.

    Raises:
        InvalidJson: it is malformed, is not UTF-8, is nested deeper than 100 levels, or contains an
            integer of more than 4,300 digits (Python's limit) or half a surrogate pair.
    """
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidJson("The body is not UTF-8.") from error
    try:
        value = json.loads(text, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        raise InvalidJson(
            f"The body is not JSON: see line {error.lineno}, column {error.colno}."
        ) from error
    except RecursionError as error:
        raise InvalidJson(_TOO_DEEP) from error
    except InvalidJson:
        raise
    except ValueError as error:
        raise InvalidJson("The body has an integer with too many digits.") from error
    # Both are rare, and checking every value takes longer than parsing.
    has_escapes = _SURROGATE_ESCAPE.search(text) is not None
    if has_escapes and repair:
        value = _without_surrogates(value)
    if text.count("[") + text.count("{") > DEPTH_MAX or has_escapes:
        _check(value)
    return value


_TOO_DEEP = f"The body is nested deeper than {DEPTH_MAX} levels."


def _refuse_constant(name: str) -> NoReturn:
    raise InvalidJson(f"The body is not JSON: {name} is not a JSON number.")


def _without_surrogates(value: object) -> Any:
    """Return a parsed JSON value with U+FFFD for each half of a surrogate pair."""
    try:
        text = json.dumps(value, ensure_ascii=False)
    except RecursionError as error:
        raise InvalidJson(_TOO_DEEP) from error
    return json.loads(text.encode("utf-16", "surrogatepass").decode("utf-16", "replace"))


def _check(value: object) -> None:
    """Refuse a value that is nested too deeply or contains a lone surrogate."""
    level, depth = [value], 0
    while level:
        below: list[object] = []
        for item in level:
            if isinstance(item, str):
                if _SURROGATE.search(item):
                    raise InvalidJson("The body has a string with half a surrogate pair.")
            elif isinstance(item, dict | list):
                if depth == DEPTH_MAX:
                    raise InvalidJson(_TOO_DEEP)
                below += [*item, *item.values()] if isinstance(item, dict) else item
        level, depth = below, depth + 1
