"""The documents as the site's generator takes them: docs/, and each source that a page links to.

On disk a page links to the code beside it. A site has no code beside it, so the sources that are
linked to become pages too, which can be read without a network and without a host for them.
"""

from __future__ import annotations

import posixpath
import re
import shutil
from pathlib import Path

DOCS = "docs"
CONFIG = "zensical.toml"
SOURCES = "source"

_FENCE_OR_LINK = re.compile(
    r"^(?P<fence>```+|~~~+).*?^(?P=fence)$"
    r"|(?P<words>!?\[(?:[^\[\]]|\[[^\]]*\])*\])\((?P<to>[^)\s]+)\)",
    re.MULTILINE | re.DOTALL,
)
_LANGUAGES = {
    ".css": "css",
    ".html": "html",
    ".json": "json",
    ".py": "python",
    ".rules": "javascript",
    ".toml": "toml",
    ".ts": "typescript",
    ".tsx": "tsx",
}


def sources(root: Path) -> list[str]:
    """The files and folders outside docs/ that its pages link to: paths from `root`, sorted."""
    found = set()
    for page in (root / DOCS).rglob("*.md"):
        at = page.relative_to(root).as_posix()
        for match in _FENCE_OR_LINK.finditer(page.read_text()):
            target = _target(at, match["to"])
            if target and not _is_in_docs(target) and (root / target).exists():
                found.add(target)
    return sorted(found)


def config(root: Path) -> str:
    """The generator's configuration, with the pages that a pattern in its navigation stands for.

    A section without any is left out; it would be a link to nowhere.
    """

    def pages(match: re.Match[str]) -> str:
        found = sorted(path.relative_to(root / DOCS) for path in (root / DOCS).glob(match[1]))
        return ", ".join(f'"{path.as_posix()}"' for path in found)

    said = re.sub(r'"([^"\n]*\*\.md)"', pages, (root / CONFIG).read_text())
    return re.sub(r'^ *\{ "[^"\n]*" = \[\] \},\n', "", said, flags=re.MULTILINE)


def stage(root: Path, folder: Path) -> None:
    """Write into `folder`, which is made anew, what the site is built from."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(root / DOCS, folder / DOCS)
    (folder / CONFIG).write_text(config(root))
    shown = {source: _page_of(source, (root / source).is_dir()) for source in sources(root)}
    for page in (folder / DOCS).rglob("*.md"):
        at = page.relative_to(folder).as_posix()
        page.write_text(_relinked(page.read_text(), at, shown))
    for source, page_name in shown.items():
        page = folder / DOCS / page_name
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text(_source_page(root, source, shown))


def names_in(folder: Path) -> list[str]:
    """What the page of a folder says is in it."""
    return sorted(inner.name for inner in folder.iterdir() if inner.name[0] not in "._")


def _target(at: str, link: str | None) -> str | None:
    """Where a link of the file at `at` leads, as a path from the root; None where to no file."""
    path = (link or "").partition("#")[0]
    if not path or "://" in path or path.startswith(("/", "mailto:")):
        return None
    return posixpath.normpath(posixpath.join(posixpath.dirname(at), path))


def _is_in_docs(path: str) -> bool:
    return path.startswith(f"{DOCS}/")


def _page_of(source: str, is_folder: bool) -> str:
    # What begins with a dot is no page to the generator.
    plain = "/".join(part.lstrip(".") for part in source.split("/"))
    return f"{SOURCES}/{plain}/index.md" if is_folder else f"{SOURCES}/{plain}.md"


def _relinked(text: str, at: str, shown: dict[str, str]) -> str:
    """The text of the file at `at`, with its links leading to where the site shows their targets.

    Of a link to what the site doesn't show the words are left.
    """

    def lead(match: re.Match[str]) -> str:
        target = _target(at, match["to"])
        if target is None:
            return match[0]
        page = target.removeprefix(f"{DOCS}/") if _is_in_docs(target) else shown.get(target)
        if page is None:
            return match["words"].strip("[]")
        here = at.removeprefix(f"{DOCS}/") if _is_in_docs(at) else shown[at]
        # A line of a source is no heading of its page.
        anchor = match["to"].partition("#")[2] if target.endswith(".md") else ""
        led = posixpath.relpath(page, posixpath.dirname(here) or ".")
        return f"{match['words']}({led}{'#' if anchor else ''}{anchor})"

    return _FENCE_OR_LINK.sub(lead, text)


def _source_page(root: Path, source: str, shown: dict[str, str]) -> str:
    """A page that shows a file, or names what is in a folder.

    Searching is for what was written to be read, so it does not find these.
    """
    head = "---\nsearch:\n  exclude: true\n---\n\n"
    path = root / source
    if path.is_dir():
        return f"{head}# {source}\n\n" + "".join(f"- `{name}`\n" for name in names_in(path))
    text = path.read_text()
    if path.suffix == ".md":
        return head + _relinked(text, source, shown)
    language = _LANGUAGES.get(path.suffix, "text")
    return f'{head}# {source}\n\n~~~~ {{ .{language} linenums="1" }}\n{text.rstrip()}\n~~~~\n'
