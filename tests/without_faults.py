"""Deletes the faults from a copy of the checkout, as the author of a new app would."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

from tests.docs.markdown import checkout, relative_name

MAIN_BLOCK = re.compile(r"\nif settings\.faults_allowed\(\):\n(?:    .*\n|\n(?=    ))+")
NAVIGATION = re.compile(r'^.*"(?:scenarios/\*|faults)\.md".*\n', re.MULTILINE)
LINK = re.compile(r"\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^)\s:]+)\)")
#: Imports that only tests of faults and scenarios have.
OF_FAULTS = re.compile(
    r"^\s*(?:from|import) (?:faults|stack\.scenarios|tests\.without_faults)\b", re.MULTILINE
)


def copy_checkout(copy: Path) -> None:
    """Copy the checkout's files, uncommitted ones included, into a new Git repository."""
    for path in filter(Path.is_file, checkout()):
        target = copy / relative_name(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, target)
    for arguments in (["init", "--quiet"], ["add", "--all"]):
        subprocess.run(["git", *arguments], cwd=copy, check=True, timeout=60)


def delete_faults(copy: Path) -> None:
    """Delete functions/faults, its block in main.py, and the scenarios with their pages and tests.

    Links to deleted files become plain text.
    """
    shutil.rmtree(copy / "functions" / "faults")
    main = copy / "functions" / "main.py"
    without, count = MAIN_BLOCK.subn("", main.read_text())
    assert count == 1, "main.py has no block that installs faults"
    main.write_text(without)

    for path in (copy / "scripts" / "stack" / "scenarios").glob("*.py"):
        if path.name != "__init__.py":
            path.unlink()
    shutil.rmtree(copy / "tests" / "scenarios")
    for path in (copy / "tests").rglob("*.py"):
        if OF_FAULTS.search(path.read_text()):
            path.unlink()

    shutil.rmtree(copy / "docs" / "scenarios")
    (copy / "docs" / "faults.md").unlink()
    for picture in (copy / "docs" / "pictures").glob("scenario-*.png"):
        picture.unlink()
    site = copy / "zensical.toml"
    site.write_text(NAVIGATION.sub("", site.read_text()))
    for document in [copy / relative_name(path) for path in checkout("*.md")]:
        if document.exists():
            document.write_text(_without_broken_links(document))


def _without_broken_links(document: Path) -> str:
    def unlinked(link: re.Match[str]) -> str:
        path = link[2].partition("#")[0]
        return link[0] if (document.parent / path).exists() else link[1].replace("`", "")

    return LINK.sub(unlinked, document.read_text())
