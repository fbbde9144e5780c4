"""Exit codes and JSON output of the commands."""

import json
from collections.abc import Mapping
from typing import Any

HOLDS, DOES_NOT_HOLD, BAD_USAGE = 0, 1, 2


def print_json(document: Mapping[str, Any]) -> None:
    """Print ``document`` as one line of JSON on stdout."""
    print(json.dumps(document, ensure_ascii=False))
