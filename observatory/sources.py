"""Where the source is that spans name, and the address that opens it in an editor."""

from dataclasses import dataclass
from pathlib import Path

# What opens a file at a line in each editor; ``{path}`` is the whole path.
EDITORS: dict[str, str | None] = {
    "vscode": "vscode://file/{path}:{line}",
    "cursor": "cursor://file/{path}:{line}",
    "zed": "zed://file/{path}:{line}",
    "idea": "idea://open?file={path}&line={line}",
    "none": None,
}
# This checkout: spans name files as they lie in it.
CHECKOUT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Sources:
    """The folder in which relative paths of ``code.file.path`` lie, and the editor to open them."""

    root: Path = CHECKOUT
    editor: str = "vscode"

    @property
    def address(self) -> str | None:
        """The editor's address with ``{path}`` and ``{line}`` to be filled in; None for none."""
        return EDITORS[self.editor]
