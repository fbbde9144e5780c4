"""Repair strings that contain half a surrogate pair, such as a cut emoji.

JSON can represent them (``"\\ud83d"``), but they are not valid Unicode: protobuf and UTF-8 reject
them.
"""

import re
from typing import Any

REPLACEMENT = "\ufffd"
_LONE = re.compile("[\ud800-\udfff]")
# How JSON can spell a surrogate: an escape, or its UTF-8 encoding, which json.loads accepts.
_MAY_CONTAIN_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]|\xed[\xa0-\xbf]")


def repair(document: Any, body: bytes) -> tuple[Any, int]:
    """Replace lone surrogates with U+FFFD.

    Args:
        document: a decoded JSON document.
        body: the text that it was decoded from.

    Returns:
        The document, and how many of its strings (keys included) were repaired.
    """
    if not _MAY_CONTAIN_SURROGATE.search(body):
        return document, 0
    repairer = _Repairer()
    return repairer.value(document), repairer.count


def repairs(count: int) -> str:
    """Describe ``count`` repairs in a sentence; return an empty string for none."""
    if not count:
        return ""
    strings = "1 string" if count == 1 else f"{count} strings"
    return f"{strings} with half a surrogate pair repaired: the half is now U+FFFD."


class _Repairer:
    def __init__(self) -> None:
        self.count = 0

    def value(self, value: Any) -> Any:
        match value:
            case str():
                return self._text(value)
            case list():
                return [self.value(item) for item in value]
            case dict():
                return {self._text(key): self.value(item) for key, item in value.items()}
        return value

    def _text(self, text: str) -> str:
        repaired = _LONE.sub(REPLACEMENT, text)
        self.count += repaired != text
        return repaired
