"""A place in a JSON document, so that what is wrong with a file can be told with where it is."""

from typing import Any


class BadFile(Exception):
    """A file that can't be read; the message says what is wrong, and where."""


class Place:
    """A value in a document, and its path there, such as ``data[0].spans[2].tags``."""

    def __init__(self, path: str, value: Any) -> None:
        self.path = path
        self.value = value

    def has(self, name: str) -> bool:
        """Whether it is an object with a member ``name`` that isn't null."""
        return isinstance(self.value, dict) and self.value.get(name) is not None

    def get(self, name: str) -> "Place":
        """The member ``name`` of the object that it is.

        Raises:
            BadFile: it is no object, or has no such member.
        """
        if not isinstance(self.value, dict):
            raise BadFile(f"{self.path} is {_shown(self.value)}: it is an object.")
        if name not in self.value:
            raise BadFile(f"{self.path} has no {name}.")
        return Place(f"{self.path}.{name}", self.value[name])

    def items(self) -> list["Place"]:
        """The items of the list that it is.

        Raises:
            BadFile: it is none.
        """
        if not isinstance(self.value, list):
            raise BadFile(f"{self.path} is {_shown(self.value)}: it is a list.")
        return [Place(f"{self.path}[{index}]", item) for index, item in enumerate(self.value)]

    def members(self) -> dict[str, "Place"]:
        """The members of the object that it is.

        Raises:
            BadFile: it is none.
        """
        if not isinstance(self.value, dict):
            raise BadFile(f"{self.path} is {_shown(self.value)}: it is an object.")
        return {name: Place(f"{self.path}.{name}", item) for name, item in self.value.items()}

    def text(self) -> str:
        """The text that it is.

        Raises:
            BadFile: it is none.
        """
        if not isinstance(self.value, str):
            raise BadFile(f"{self.path} is {_shown(self.value)}: it is text.")
        return self.value


def _shown(value: Any) -> str:
    shown = repr(value)
    return shown if len(shown) <= 60 else shown[:60] + "…"
