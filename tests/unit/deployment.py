"""Resolves manifests of functions with the pinned Firebase CLI, as a deployment does."""

from __future__ import annotations

import json
import subprocess
import tempfile
from pathlib import Path
from typing import Any

_RESOLVE = Path(__file__).with_name("resolve_manifest.cjs")


def resolved(manifest: str, example: str = "", **settings: str) -> list[dict[str, Any]]:
    """Return the functions that the CLI would deploy to the project box-office.

    Args:
        manifest: the manifest, as YAML or JSON.
        example: the text of a dotenv file.
        settings: settings, which take precedence over the file's.
    """
    with tempfile.NamedTemporaryFile("w", suffix=".env") as dotenv:
        assignments = (f"{name}={value}" for name, value in settings.items())
        dotenv.write("\n".join([example, *assignments, ""]))
        dotenv.flush()
        done = subprocess.run(
            ["node", _RESOLVE, dotenv.name],
            input=manifest,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    endpoints: list[dict[str, Any]] = json.loads(done.stdout)
    return endpoints
