"""Writes small programs to the places where a script looks for real ones."""

from __future__ import annotations

from pathlib import Path


def executable(path: Path, script: str) -> Path:
    """Write an executable shell script, and create its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def java(home: Path, version: str) -> Path:
    """Write a fake Java into `home` that reports `version`."""
    script = f"""echo 'openjdk version "{version}" 2026-01-20' >&2"""
    return executable(home / "bin" / "java", script)
