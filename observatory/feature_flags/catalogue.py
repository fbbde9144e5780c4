"""The catalogue of an app's faults: a JSON file that whoever starts the Observatory names.

``{"faults": [{"name", "kind", "where", "summary", "scenarios", "address"}]}``. ``address`` is null
for a fault whose flag is in Firestore; for one that is on where a page's address says so, it is
that address, without the page's origin: ``/?fault=NAME``.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# What can be a document's id and a part of an address as it is.
NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


class BadCatalogue(Exception):
    """The file is none; the message says which and why."""


@dataclass(frozen=True)
class Fault:
    """One bug on purpose, as its app describes it."""

    name: str
    kind: str
    where: str
    summary: str
    scenarios: tuple[str, ...]
    address: str | None


def read_catalogue(path: Path) -> tuple[Fault, ...]:
    """The faults that the file at ``path`` lists, in its order.

    Raises:
        BadCatalogue: it can't be read, or holds something else.
    """
    try:
        listed = json.loads(path.read_text())["faults"]
        return tuple(_fault(each) for each in listed)
    except OSError as error:
        raise BadCatalogue(f"{path} can't be read: {error.strerror}.") from error
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        why = f"{type(error).__name__}: {error}"
        raise BadCatalogue(f"{path} is no catalogue of faults ({why}).") from error


def _fault(listed: Mapping[str, Any]) -> Fault:
    name, address = listed["name"], listed["address"]
    for key in ("name", "kind", "where", "summary"):
        if not isinstance(listed[key], str):
            raise TypeError(f"{key} is {listed[key]!r}, and no text")
    if NAME.fullmatch(name) is None:
        raise ValueError(f"{name!r} is no flag's name: words of a-z and 0-9, joined by hyphens")
    if address is not None and not (isinstance(address, str) and re.match(r"/(?!/)", address)):
        raise ValueError(f"{address!r} is no address within a page: it begins with one slash")
    scenarios = tuple(str(each) for each in listed["scenarios"])
    return Fault(name, listed["kind"], listed["where"], listed["summary"], scenarios, address)
