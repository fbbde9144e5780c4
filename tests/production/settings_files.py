"""A settings file with a value for each setting that the functions declare."""

from __future__ import annotations

import json
from functools import cache

from stack.deploy import manifest
from stack.deploy.tree import Tree

# Values for the settings that have no default; the others get their default.
_EXAMPLES = {
    "ACQUIRER_URL": "https://processor.example",
    "ORGANISER_EMAILS": '["organiser@example.org"]',
}


@cache
def settings_file() -> str:
    """Return the text of the file."""
    lines = []
    for codebase in manifest.discover(Tree()).codebases:
        for param in codebase.params:
            if param["type"] != "secret":
                value = _EXAMPLES.get(param["name"], param.get("default", ""))
                text = value if isinstance(value, str) else json.dumps(value)
                lines.append(f"{param['name']}={text}\n")
    return "".join(lines)
