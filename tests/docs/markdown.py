"""Reads links, headings, pictures, paths and commands from a Markdown document."""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
FENCE = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SHELL = ("sh", "console")

_LINK = re.compile(r"!?\[(?:[^\[\]]|\[[^\]]*\])*\]\(([^)\s]+)\)")
_PICTURE = re.compile(r"!\[[^\]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#{1,6} (.+)$", re.MULTILINE)
_PATH = re.compile(
    r"`((?:\.ci|acquirer|docs|frontend|functions|design-tokens|observatory|cloud|rules|scripts|tests)"
    r"/[\w./-]+)`"
)


@dataclass(frozen=True)
class Command:
    """A command in a fenced block."""

    line: str

    @property
    def words(self) -> list[str]:
        """The words into which a shell splits the command, without its comment."""
        return shlex.split(self.line, comments=True)


@dataclass(frozen=True)
class Snippet:
    """A fenced block of Python.

    `text` begins with as many empty lines as precede the block, so that a traceback has the
    document's line numbers.
    """

    document: Path
    text: str

    def run(self, **variables: object) -> dict[str, object]:
        """Run the snippet with these variables, and return its variables at the end."""
        exec(compile(self.text, str(self.document), "exec"), variables)  # noqa: S102
        return variables


def checkout(*patterns: str) -> list[Path]:
    """Return the files of the checkout that match, including those not yet committed."""
    names = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", *patterns],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    return [ROOT / name for name in names if (ROOT / name).exists()]


def relative_name(path: Path) -> str:
    """Return a document's path from the root of the checkout, to identify a test by."""
    return path.relative_to(ROOT).as_posix()


def links(document: Path) -> list[tuple[str, str]]:
    """Return the relative links: path from the document, empty for itself, and anchor."""
    targets = [link.partition("#") for link in _LINK.findall(_without_code(document))]
    return [(path, anchor) for path, _, anchor in targets if not re.match(r"\w+:", path)]


def pictures(document: Path) -> list[Path]:
    """Return the paths of the pictures that a document shows."""
    targets = _PICTURE.findall(_without_code(document))
    return [(document.parent / path).resolve() for path in targets if "://" not in path]


def anchors(document: Path) -> set[str]:
    """Return the anchors of the document's headings, as GitHub generates them."""
    return {_slug(heading) for heading in _HEADING.findall(_without_code(document))}


def paths(document: Path) -> list[str]:
    """Return the files and folders of the checkout that the document's text names."""
    return [path.rstrip("/.") for path in _PATH.findall(_without_code(document))]


def commands(document: Path) -> list[Command]:
    """Return the commands in the fenced blocks: in console blocks, those after a prompt."""
    result = []
    for language, text in FENCE.findall(document.read_text()):
        if language not in SHELL:
            continue
        lines = text.replace("\\\n", " ").splitlines()
        if language == "console":
            lines = [line[2:] for line in lines if line.startswith("$ ")]
        result += [Command(line) for line in _join_quoted(lines)]
    return result


def snippets(document: Path) -> list[Snippet]:
    """Return the Python in the fenced blocks, in order."""
    text = document.read_text()
    return [
        Snippet(document, "\n" * text.count("\n", 0, block.start(2)) + block[2])
        for block in FENCE.finditer(text)
        if block[1] == "python"
    ]


def _join_quoted(lines: Iterable[str]) -> Iterator[str]:
    """Yield the commands, joining lines while a quotation is open."""
    pending = ""
    for line in lines:
        pending = f"{pending}\n{line}" if pending else line.strip()
        try:
            words = shlex.split(pending, comments=True)
        except ValueError:
            continue
        if words:
            yield pending
        pending = ""
    assert not pending, f"unclosed quotation in {pending!r}"


def _without_code(document: Path) -> str:
    return FENCE.sub("", document.read_text())


def _slug(heading: str) -> str:
    plain = re.sub(r"\[([^\]]*)\]\([^)]*\)|[`*]", r"\1", heading).strip().lower()
    return re.sub(r"\s", "-", re.sub(r"[^\w\s-]", "", plain))
