"""Writes the input of the site generator: docs/, and a page for each source file linked to.

In the checkout, documentation links to source files. The site has no source files, so each one that
is linked to becomes a page, which also works offline.
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
    """Return the files and folders outside docs/ that pages link to, as sorted paths in `root`."""
    linked = set()
    for page in (root / DOCS).rglob("*.md"):
        at = page.relative_to(root).as_posix()
        for match in _FENCE_OR_LINK.finditer(page.read_text()):
            target = _target(at, match["to"])
            if target and not _is_in_docs(target) and (root / target).exists():
                linked.add(target)
    return sorted(linked)


def config(root: Path) -> str:
    """Return the generator's configuration, with patterns in its navigation replaced by pages.

    Sections without pages are removed.
    """

    def pages(match: re.Match[str]) -> str:
        paths = sorted(path.relative_to(root / DOCS) for path in (root / DOCS).glob(match[1]))
        return ", ".join(f'"{path.as_posix()}"' for path in paths)

    expanded = re.sub(r'"([^"\n]*\*\.md)"', pages, (root / CONFIG).read_text())
    return re.sub(r'^ *\{ "[^"\n]*" = \[\] \},\n', "", expanded, flags=re.MULTILINE)


def write_sources(root: Path, folder: Path) -> None:
    """Write the generator's input into `folder`, which is deleted first."""
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
    """Return the names that the page of a folder lists, sorted."""
    return sorted(inner.name for inner in folder.iterdir() if inner.name[0] not in "._")


def _target(at: str, link: str | None) -> str | None:
    """Return the target of a link in the file at `at` as a path from the root.

    None if the link is not to a file of the checkout.
    """
    path = (link or "").partition("#")[0]
    if not path or "://" in path or path.startswith(("/", "mailto:")):
        return None
    return posixpath.normpath(posixpath.join(posixpath.dirname(at), path))


def _is_in_docs(path: str) -> bool:
    return path.startswith(f"{DOCS}/")


def _page_of(source: str, is_folder: bool) -> str:
    # The generator ignores files whose name starts with a dot.
    plain = "/".join(part.lstrip(".") for part in source.split("/"))
    return f"{SOURCES}/{plain}/index.md" if is_folder else f"{SOURCES}/{plain}.md"


def _relinked(text: str, at: str, shown: dict[str, str]) -> str:
    """Return the text of the file at `at`, with links to the pages of their targets.

    Links whose target is not on the site become plain text.
    """

    def relink(match: re.Match[str]) -> str:
        target = _target(at, match["to"])
        if target is None:
            return match[0]
        page = target.removeprefix(f"{DOCS}/") if _is_in_docs(target) else shown.get(target)
        if page is None:
            return match["words"].strip("[]")
        here = at.removeprefix(f"{DOCS}/") if _is_in_docs(at) else shown[at]
        # An anchor in a source file is a line, which is not a heading on its page.
        anchor = match["to"].partition("#")[2] if target.endswith(".md") else ""
        target_path = posixpath.relpath(page, posixpath.dirname(here) or ".")
        return f"{match['words']}({target_path}{'#' if anchor else ''}{anchor})"

    return _FENCE_OR_LINK.sub(relink, text)


def _source_page(root: Path, source: str, shown: dict[str, str]) -> str:
    """Return the page of a source file or folder.

    These pages are excluded from the search, which is for documentation.
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
