"""Read values of a JSON document by path, with errors that name the path."""

from typing import Any


class BadFile(Exception):
    """A file that cannot be read; the message says what is wrong, and where."""


class Place:
    """A value in a document with its path, such as ``data[0].spans[2].tags``."""

    def __init__(self, path: str, value: Any) -> None:
        self.path = path
        self.value = value

    def has(self, name: str) -> bool:
        """Return whether the value is an object with a non-null member ``name``."""
        return isinstance(self.value, dict) and self.value.get(name) is not None

    def get(self, name: str) -> "Place":
        """Return the member ``name`` of an object.

        Raises:
            BadFile: the value is not an object, or lacks the member.
        """
        if not isinstance(self.value, dict):
            raise BadFile(f"{self.path} is {_shown(self.value)}: it must be an object.")
        if name not in self.value:
            raise BadFile(f"{self.path} has no {name}.")
        return Place(f"{self.path}.{name}", self.value[name])

    def items(self) -> list["Place"]:
        """Return the items of a list.

        Raises:
            BadFile: the value is not a list.
        """
        if not isinstance(self.value, list):
            raise BadFile(f"{self.path} is {_shown(self.value)}: it must be a list.")
        return [Place(f"{self.path}[{index}]", item) for index, item in enumerate(self.value)]

    def members(self) -> dict[str, "Place"]:
        """Return the members of an object.

        Raises:
            BadFile: the value is not an object.
        """
        if not isinstance(self.value, dict):
            raise BadFile(f"{self.path} is {_shown(self.value)}: it must be an object.")
        return {name: Place(f"{self.path}.{name}", item) for name, item in self.value.items()}

    def text(self) -> str:
        """Return a string.

        Raises:
            BadFile: the value is not a string.
        """
        if not isinstance(self.value, str):
            raise BadFile(f"{self.path} is {_shown(self.value)}: it must be a string.")
        return self.value


def _shown(value: Any) -> str:
    shown = repr(value)
    return shown if len(shown) <= 60 else shown[:60] + "…"
