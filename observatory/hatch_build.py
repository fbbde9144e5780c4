"""Build hooks of the wheel: its dependencies, and the check that the explorer is built."""

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from hatchling.metadata.plugin.interface import MetadataHookInterface


class Dependencies(MetadataHookInterface):
    """Takes the dependencies from requirements.in, of which the lock files are made too."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Set the dependencies."""
        lines = (Path(self.root) / "requirements.in").read_text().splitlines()
        metadata["dependencies"] = [line for line in lines if line and not line.startswith("#")]


class Explorer(BuildHookInterface[Any]):
    """Refuses to build a wheel without the explorer."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002
        """Check that the explorer is built."""
        if not (Path(self.root) / "ui" / "dist" / "index.html").is_file():
            raise FileNotFoundError(
                "The explorer is not built: run `./scripts/observatory wheel`, which builds both."
            )
