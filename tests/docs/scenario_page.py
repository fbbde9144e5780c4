"""A scenario's page, taken apart: what it is called, its sections, and the code in them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tests.docs.markdown import FENCE, ROOT

FOLDER = ROOT / "docs" / "scenarios"

HEADINGS = [
    "The report",
    "Reproduce",
    "What to look at first",
    "The question to ask",
    "What the trace says",
    "Why it happens on this platform",
    "The fix",
    "How to notice it next time",
]

_HEADING = re.compile(r"^## (.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Page:
    """One page. `name` is its scenario's, `sections` are texts by heading, in the page's order."""

    name: str
    title: str
    sections: dict[str, str]
    headings: list[str]

    def blocks(self, heading: str, *languages: str) -> list[str]:
        """What is fenced in a section, as one of these languages; "" is a fence that names none."""
        found = FENCE.findall(self.sections.get(heading, ""))
        return [text for language, text in found if language in languages]

    @property
    def filters(self) -> list[str]:
        """The filters that its question is put as, a line each."""
        fenced = self.blocks("The question to ask", "filter", "")
        return [line for block in fenced for line in block.splitlines() if line.strip()]

    @property
    def statements(self) -> list[str]:
        """The SQL that its question is put as."""
        return self.blocks("The question to ask", "sql")


def names() -> list[str]:
    """The scenarios that have a page, sorted."""
    return sorted(path.stem for path in FOLDER.glob("*.md") if path.stem != "index")


def read(name: str) -> Page:
    """The page of a scenario."""
    text = (FOLDER / f"{name}.md").read_text()
    # A line that begins with ## in a block of code is no heading.
    bare = FENCE.sub(lambda fence: re.sub(r"[^\n]", " ", fence[0]), text)
    found = list(_HEADING.finditer(bare))
    ends = [*(heading.start() for heading in found[1:]), len(text)]
    return Page(
        name,
        text.splitlines()[0],
        {
            heading[1]: text[heading.end() : end].strip()
            for heading, end in zip(found, ends, strict=False)
        },
        [heading[1] for heading in found],
    )
