"""The checkout's commit as `service.version`."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from stack import paths
from stack.setup.commit import commit, resource_attributes


def git(folder: Path, *arguments: str) -> None:
    """Run Git in a folder, as an author without a name."""
    author = ["-c", "user.name=none", "-c", "user.email=none"]
    subprocess.run(["git", *author, *arguments], cwd=folder, check=True, timeout=30)


def test_the_commit_is_described_and_marked_if_files_differ(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two traces with the same version are then of the same code."""
    monkeypatch.setattr(paths, "ROOT", tmp_path)
    git(tmp_path, "init", "--quiet")
    (tmp_path / "file").write_text("1")
    git(tmp_path, "add", "file")
    git(tmp_path, "commit", "--quiet", "--message", "First")
    first = commit()
    assert len(first) >= 7
    (tmp_path / "file").write_text("2")
    assert commit() == f"{first}-dirty"


def test_there_is_no_version_outside_a_repository(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A downloaded archive also starts."""
    monkeypatch.setattr(paths, "ROOT", tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert commit() == ""


@pytest.mark.parametrize(
    ("given", "version", "expected"),
    [
        ("", "6b9f8c3", "service.version=6b9f8c3"),
        ("team=a", "6b9f8c3", "team=a,service.version=6b9f8c3"),
        ("team=a, service.version=7", "6b9f8c3", "team=a, service.version=7"),
        ("team=a", "", "team=a"),
        ("", "v1,2=3", "service.version=v1%2C2%3D3"),
    ],
)
def test_the_version_joins_what_the_user_has_set(given: str, version: str, expected: str) -> None:
    """A version of the user's own wins."""
    assert resource_attributes(given, version) == expected
