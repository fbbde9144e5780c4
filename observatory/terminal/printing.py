"""How every command ends, and how it prints for a program."""

import json
from collections.abc import Mapping
from typing import Any

HOLDS, DOES_NOT_HOLD, BAD_USAGE = 0, 1, 2


def print_json(document: Mapping[str, Any]) -> None:
    """``document`` as one line on stdout."""
    print(json.dumps(document, ensure_ascii=False))
