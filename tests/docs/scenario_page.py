"""Parses a scenario's page: its title, its sections, and the code in them."""

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
    """A page: its scenario's name, its first line, and its sections' texts by heading."""

    name: str
    title: str
    sections: dict[str, str]
    headings: list[str]

    def blocks(self, heading: str, *languages: str) -> list[str]:
        """Return a section's fenced blocks in these languages; "" is a fence without a language."""
        fences = FENCE.findall(self.sections.get(heading, ""))
        return [text for language, text in fences if language in languages]

    @property
    def filters(self) -> list[str]:
        """The filters in the section with the question, one per line."""
        blocks = self.blocks("The question to ask", "filter", "")
        return [line for block in blocks for line in block.splitlines() if line.strip()]

    @property
    def statements(self) -> list[str]:
        """The SQL in the section with the question."""
        return self.blocks("The question to ask", "sql")


def names() -> list[str]:
    """Return the names of the scenarios that have a page, sorted."""
    return sorted(path.stem for path in FOLDER.glob("*.md") if path.stem != "index")


def read(name: str) -> Page:
    """Parse the page of a scenario."""
    text = (FOLDER / f"{name}.md").read_text()
    # A line in a block of code that begins with ## is not a heading.
    without_code = FENCE.sub(lambda fence: re.sub(r"[^\n]", " ", fence[0]), text)
    headings = list(_HEADING.finditer(without_code))
    ends = [*(heading.start() for heading in headings[1:]), len(text)]
    return Page(
        name,
        text.splitlines()[0],
        {
            heading[1]: text[heading.end() : end].strip()
            for heading, end in zip(headings, ends, strict=False)
        },
        [heading[1] for heading in headings],
    )
