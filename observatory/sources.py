"""Locate the source files that spans refer to, and the URLs that open them in an editor."""

from dataclasses import dataclass
from pathlib import Path

# The URL that opens a file at a line in each editor; ``{path}`` is an absolute path.
EDITORS: dict[str, str | None] = {
    "vscode": "vscode://file/{path}:{line}",
    "cursor": "cursor://file/{path}:{line}",
    "zed": "zed://file/{path}:{line}",
    "idea": "idea://open?file={path}&line={line}",
    "none": None,
}
# This checkout: paths in spans are relative to it.
CHECKOUT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Sources:
    """The folder that relative ``code.file.path`` attributes refer to, and the editor to use."""

    root: Path = CHECKOUT
    editor: str = "vscode"

    @property
    def address(self) -> str | None:
        """Return the editor's URL with the fields ``{path}`` and ``{line}``; None for no editor."""
        return EDITORS[self.editor]
