"""The checkout's commit, which spans have as `service.version`."""

from __future__ import annotations

import subprocess
from urllib.parse import quote

from stack import paths

SECONDS_MAX = 10.0


def commit() -> str:
    """Describe the checkout's commit, such as `v1.2-3-g6b9f8c3` or `6b9f8c3`.

    `-dirty` follows if files differ from it. The result is empty outside a Git repository.
    """
    try:
        described = subprocess.run(
            ["git", "describe", "--always", "--dirty"],
            cwd=paths.ROOT,
            capture_output=True,
            text=True,
            timeout=SECONDS_MAX,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return described.stdout.strip()


def resource_attributes(given: str, version: str) -> str:
    """Return OTEL_RESOURCE_ATTRIBUTES with `version` as `service.version`, unless `given` has one.

    Values are percent-encoded, as OpenTelemetry's specification of the variable requires.
    """
    names = [pair.partition("=")[0].strip() for pair in given.split(",")]
    if not version or "service.version" in names:
        return given
    return ",".join(filter(None, [given, f"service.version={quote(version, safe='')}"]))
