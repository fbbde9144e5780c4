"""Tests that scripts have LF line endings in every clone."""

from __future__ import annotations

import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[3]


def test_scripts_have_lf_even_with_autocrlf(tmp_path: Path) -> None:
    """With CRLF the kernel would look for an interpreter whose name ends in CR."""
    clone = tmp_path / "clone"
    command = ["git", "-c", "core.autocrlf=true", "clone", "--quiet", "--depth", "1"]
    subprocess.run([*command, ROOT.as_uri(), str(clone)], check=True)
    (clone / ".gitattributes").write_bytes((ROOT / ".gitattributes").read_bytes())
    checkout = ["git", "-c", "core.autocrlf=true", "-C", str(clone), "checkout", "--quiet"]
    for script in (clone / "scripts").rglob("*"):
        if script.is_file():
            script.unlink()
    subprocess.run([*checkout, "--", "scripts"], check=True)
    scripts = [each for each in (clone / "scripts").rglob("*") if each.is_file()]
    assert len(scripts) > 10
    assert [each.name for each in scripts if b"\r" in each.read_bytes()] == []
