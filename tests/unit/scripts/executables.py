"""Small programs for a test to put where a script looks for real ones."""

from __future__ import annotations

from pathlib import Path


def executable(path: Path, script: str) -> Path:
    """Write a shell script that can be run, its folder included."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def java(home: Path, version: str) -> Path:
    """A Java that says it is of `version`, in `home`."""
    said = f"""echo 'openjdk version "{version}" 2026-01-20' >&2"""
    return executable(home / "bin" / "java", said)
