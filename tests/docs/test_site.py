"""The documents' site: every page is in it, and it needs nothing from elsewhere."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from stack.setup import docs_site
from tests.docs.markdown import FENCE, ROOT, checkout, named

CONFIG = tomllib.loads(docs_site.config(ROOT))["project"]
PAGES = checkout("docs/*.md", "docs/**/*.md")


def listed(nav: list[Any]) -> list[str]:
    """The pages of a navigation, in its order."""
    found: list[str] = []
    for entry in nav:
        for target in entry.values() if isinstance(entry, dict) else [entry]:
            found += listed(target) if isinstance(target, list) else [target]
    return found


def test_every_page_is_in_the_navigation_once() -> None:
    """And the navigation names no page that isn't there."""
    pages = [page.relative_to(ROOT / "docs").as_posix() for page in PAGES]
    assert sorted(listed(CONFIG["nav"])) == sorted(pages)


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_a_page_is_plain_markdown(page: Path) -> None:
    """What one site's generator alone understands shows as rubbish everywhere else."""
    text = FENCE.sub("", page.read_text())
    assert re.findall(r"^(?:!!!|\?\?\?|===|:::|--8<--|\{%).*$", text, re.MULTILINE) == []
    # Drawn by a script from another host.
    assert "mermaid" not in [language for language, _ in FENCE.findall(page.read_text())]
    pictures_from_elsewhere = re.findall(r"!\[[^\]]*\]\(https?://[^)]*\)|<\w+[^>]*\bsrc=", text)
    assert pictures_from_elsewhere == []


def test_what_a_page_links_to_in_the_code_is_in_the_site(tmp_path: Path) -> None:
    """A link out of docs/ leads to a page with the source; one to a folder, to what is in it."""
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


def test_a_document_elsewhere_is_shown_with_the_links_that_the_site_can_follow(
    tmp_path: Path,
) -> None:
    """Of its links to what no page links to, the words are left."""
    (tmp_path / "docs").mkdir()
    (tmp_path / "zensical.toml").touch()
    (tmp_path / "unseen.py").touch()
    (tmp_path / "README.md").write_text("# Whole\n\n[page](docs/page.md), [`code`](unseen.py)\n")
    (tmp_path / "docs" / "page.md").write_text("[all](../README.md)\n")
    folder = tmp_path / "staged"
    docs_site.write_sources(tmp_path, folder)
    shown = (folder / "docs" / "source" / "README.md.md").read_text()
    assert shown.endswith("# Whole\n\n[page](../page.md), `code`\n")


def test_nothing_is_taken_from_another_host() -> None:
    """No font, no script, no count of its readers; a browser is asked in tests/journey."""
    assert CONFIG["theme"]["font"] is False
    assert {"extra_javascript", "extra", "plugins"} & CONFIG.keys() == set()
