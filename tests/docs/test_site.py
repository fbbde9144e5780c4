"""The site of the documentation has every page, and loads nothing from another host."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from stack.setup import docs_site
from tests.docs.markdown import FENCE, ROOT, checkout, relative_name

CONFIG = tomllib.loads(docs_site.config(ROOT))["project"]
PAGES = checkout("docs/*.md", "docs/**/*.md")


def pages_in(nav: list[Any]) -> list[str]:
    """Return the pages of a navigation, in its order."""
    pages: list[str] = []
    for entry in nav:
        for target in entry.values() if isinstance(entry, dict) else [entry]:
            pages += pages_in(target) if isinstance(target, list) else [target]
    return pages


def test_the_navigation_has_every_page_once_and_no_other() -> None:
    pages = [page.relative_to(ROOT / "docs").as_posix() for page in PAGES]
    assert sorted(pages_in(CONFIG["nav"])) == sorted(pages)


@pytest.mark.parametrize("page", PAGES, ids=relative_name)
def test_a_page_is_plain_markdown(page: Path) -> None:
    """Extensions of one site generator are shown as raw text elsewhere."""
    text = FENCE.sub("", page.read_text())
    assert re.findall(r"^(?:!!!|\?\?\?|===|:::|--8<--|\{%).*$", text, re.MULTILINE) == []
    # The site would draw it with a script from another host.
    assert "mermaid" not in [language for language, _ in FENCE.findall(page.read_text())]
    pictures_from_elsewhere = re.findall(r"!\[[^\]]*\]\(https?://[^)]*\)|<\w+[^>]*\bsrc=", text)
    assert pictures_from_elsewhere == []


def test_the_site_has_a_page_for_every_linked_source(tmp_path: Path) -> None:
    """A link to a file leads to its source; a link to a folder leads to a list of its files."""
    docs = tmp_path / "docs"
    (docs / "deep").mkdir(parents=True)
    (tmp_path / "zensical.toml").touch()
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "stage.py").write_text("answer = 42\n")
    (docs / "deep" / "page.md").write_text(
        "[`stage`](../../code/stage.py#L1), [folder](../../code), [other](../other.md#there), "
        "[far](https://example.org)\n\n```\n[as it is](../../code)\n```\n"
    )
    folder = tmp_path / "staged"
    docs_site.write_sources(tmp_path, folder)
    assert (folder / "docs" / "deep" / "page.md").read_text() == (
        "[`stage`](../source/code/stage.py.md), [folder](../source/code/index.md), "
        "[other](../other.md#there), [far](https://example.org)\n\n"
        "```\n[as it is](../../code)\n```\n"
    )
    assert "answer = 42" in (folder / "docs" / "source" / "code" / "stage.py.md").read_text()
    assert "- `stage.py`" in (folder / "docs" / "source" / "code" / "index.md").read_text()


def test_links_that_the_site_cannot_follow_become_text(
    tmp_path: Path,
) -> None:
    """A document outside docs/ may link to files to which no page links."""
    (tmp_path / "docs").mkdir()
    (tmp_path / "zensical.toml").touch()
    (tmp_path / "unseen.py").touch()
    (tmp_path / "README.md").write_text("# Whole\n\n[page](docs/page.md), [`code`](unseen.py)\n")
    (tmp_path / "docs" / "page.md").write_text("[all](../README.md)\n")
    folder = tmp_path / "staged"
    docs_site.write_sources(tmp_path, folder)
    shown = (folder / "docs" / "source" / "README.md.md").read_text()
    assert shown.endswith("# Whole\n\n[page](../page.md), `code`\n")


def test_the_site_loads_nothing_from_another_host() -> None:
    """No font, script or analytics. A test in tests/journey checks it in a browser."""
    assert CONFIG["theme"]["font"] is False
    assert {"extra_javascript", "extra", "plugins"} & CONFIG.keys() == set()
