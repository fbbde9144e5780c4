"""Stores API resources as JSON files under their resource names, and uploads beside them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

Resource = dict[str, Any]


class Resources:
    """The resources of one project in a folder, such as `projects/P/locations/L/queues/Q`.

    Google's APIs address every resource by such a name, so one store serves them all.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def get(self, name: str) -> Resource | None:
        """Return the resource of that name, or None."""
        try:
            resource: Resource = json.loads(self._path(name).read_text())
        except (FileNotFoundError, NotADirectoryError):
            return None
        return resource

    def put(self, name: str, resource: Resource) -> Resource:
        """Store the resource under its name, and return it."""
        path = self._path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f"{path.name}.new")
        temporary.write_text(json.dumps(resource, indent=2, sort_keys=True))
        temporary.replace(path)
        return resource

    def delete(self, name: str) -> bool:
        """Delete the resource and those below its name; return whether it existed."""
        path = self._path(name)
        existed = path.exists()
        path.unlink(missing_ok=True)
        shutil.rmtree(path.with_suffix(""), ignore_errors=True)
        return existed

    def list(self, pattern: str) -> Iterator[Resource]:
        """Yield the resources whose names match a pattern, such as `projects/P/*/functions/*`."""
        for path in sorted((self.folder / "resources").glob(f"{pattern}.json")):
            yield json.loads(path.read_text())

    def upload_path(self, name: str) -> Path:
        """Return the path for an uploaded file, in a folder that exists.

        Raises:
            ValueError: the name leads out of the folder.
        """
        path = self._within("uploads", name)
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def _path(self, name: str) -> Path:
        path = self._within("resources", name)
        return path.with_name(f"{path.name}.json")

    def _within(self, kind: str, name: str) -> Path:
        if not name or any(part in ("", ".", "..") for part in name.split("/")):
            raise ValueError(f"{name!r} is not a resource's name")
        return self.folder / kind / name
