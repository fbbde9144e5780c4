"""Convert stored attribute values, which are text with a type letter, to Python values.

============ ====================================== ===========================
letter       text                                   read as
============ ====================================== ===========================
``s``        the string                             ``str``
``i``        the number                             ``int``; ``str`` beyond 2^53
``d``        the shortest exact representation     ``float``; ``str`` of NaN, ±∞
``b``        ``true`` or ``false``                  ``bool``
``n``        empty                                  ``None``
``a``, ``m`` JSON                                   ``list``, ``dict``
``x``        base64                                 ``str`` after ``base64:``
============ ====================================== ===========================
"""

import json
import math
from collections.abc import Mapping
from typing import Any

# JavaScript cannot represent larger integers exactly.
EXACT_IN_JSON = 2**53 - 1
BYTES_PREFIX = "base64:"


def attributes_of(texts: Mapping[str, str], types: str) -> dict[str, Any]:
    """Return the attributes of a row as JSON-compatible values.

    Args:
        texts: the column ``attributes``.
        types: the column ``attribute_types``: a type letter for each attribute, in order.
    """
    return {
        key: text if letter == "s" else value_of(text, letter)
        for (key, text), letter in zip(texts.items(), types, strict=True)
    }


def value_of(text: str, letter: str) -> Any:  # noqa: PLR0911  # one return a type
    """Return the value that ``text`` represents; with an unknown letter, the text itself."""
    match letter:
        case "i":
            number = int(text)
            return number if abs(number) <= EXACT_IN_JSON else text
        case "d":
            double = float(text)
            return double if math.isfinite(double) else text
        case "b":
            return text == "true"
        case "n":
            return None
        case "a" | "m":
            return json.loads(text)
        case "x":
            return BYTES_PREFIX + text
        case _:
            return text
