"""What a document says that can be checked: its links, headings, pictures, paths and commands."""

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
    """A line of a fenced block that a reader types; its words are as the shell takes them."""

    line: str

    @property
    def words(self) -> list[str]:
        return shlex.split(self.line, comments=True)


@dataclass(frozen=True)
class Snippet:
    """A fenced block of Python; its text is at the lines that it has in its document, so that a
    traceback names them."""

    document: Path
    text: str

    def run(self, **given: object) -> dict[str, object]:
        """Run it with the names that are given, and return all that it then has."""
        exec(compile(self.text, str(self.document), "exec"), given)  # noqa: S102
        return given


def checkout(*patterns: str) -> list[Path]:
    """The checkout's files, those not yet committed too."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", *patterns],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    return [ROOT / name for name in listed if (ROOT / name).exists()]


def named(path: Path) -> str:
    """A document's name, for the test's."""
    return path.relative_to(ROOT).as_posix()


def links(document: Path) -> list[tuple[str, str]]:
    """The links to files, or into this one: each a path from the document, and an anchor."""
    found = [link.partition("#") for link in _LINK.findall(_without_code(document))]
    return [(path, anchor) for path, _, anchor in found if not re.match(r"\w+:", path)]


def pictures(document: Path) -> list[Path]:
    """The pictures that a document shows."""
    found = _PICTURE.findall(_without_code(document))
    return [(document.parent / path).resolve() for path in found if "://" not in path]


def anchors(document: Path) -> set[str]:
    """What a link to a heading of the document can say, as sites that show Markdown make it."""
    return {_slug(heading) for heading in _HEADING.findall(_without_code(document))}


def paths(document: Path) -> list[str]:
    """The files and folders of the checkout that it names in its text."""
    return [path.rstrip("/.") for path in _PATH.findall(_without_code(document))]


def commands(document: Path) -> list[Command]:
    """The commands in its fenced blocks, in order; of a console's, those behind a prompt."""
    found = []
    for language, text in FENCE.findall(document.read_text()):
        if language not in SHELL:
            continue
        lines = text.replace("\\\n", " ").splitlines()
        if language == "console":
            lines = [line[2:] for line in lines if line.startswith("$ ")]
        found += [Command(line) for line in _whole(lines)]
    return found


def snippets(document: Path) -> list[Snippet]:
    """The Python in its fenced blocks, in order."""
    text = document.read_text()
    return [
        Snippet(document, "\n" * text.count("\n", 0, block.start(2)) + block[2])
        for block in FENCE.finditer(text)
        if block[1] == "python"
    ]


def _whole(lines: Iterable[str]) -> Iterator[str]:
    """The lines that are commands, those joined that a quotation goes on over."""
    begun = ""
    for line in lines:
        begun = f"{begun}\n{line}" if begun else line.strip()
        try:
            words = shlex.split(begun, comments=True)
        except ValueError:
            continue
        if words:
            yield begun
        begun = ""
    assert not begun, f"no end to the quotation in {begun!r}"


def _without_code(document: Path) -> str:
    return FENCE.sub("", document.read_text())


def _slug(heading: str) -> str:
    plain = re.sub(r"\[([^\]]*)\]\([^)]*\)|[`*]", r"\1", heading).strip().lower()
    return re.sub(r"\s", "-", re.sub(r"[^\w\s-]", "", plain))
