"""Read the catalogue of an app's faults, the JSON file given with ``--faults``.

``{"faults": [{"name", "kind", "where", "summary", "scenarios", "address"}]}``. ``address`` is null
for a fault with a flag in Firestore. A fault of the page is turned on by the page's address
instead: then it is that address without the origin, ``/?fault=NAME``.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# Usable without escaping as a document id and in a URL.
NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


class BadCatalogue(Exception):
    """The file is not a valid catalogue; the message names the file and the reason."""


@dataclass(frozen=True)
class Fault:
    """A deliberate fault, as described by the app."""

    name: str
    kind: str
    where: str
    summary: str
    scenarios: tuple[str, ...]
    address: str | None


def read_catalogue(path: Path) -> tuple[Fault, ...]:
    """Return the faults entry in the file at ``path``, in its order.

    Raises:
        BadCatalogue: the file cannot be read or is not a catalogue.
    """
    try:
        entries = json.loads(path.read_text())["faults"]
        return tuple(_fault(entry) for entry in entries)
    except OSError as error:
        raise BadCatalogue(f"{path} cannot be read: {error.strerror}.") from error
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        reason = f"{type(error).__name__}: {error}"
        raise BadCatalogue(f"{path} is not a catalogue of faults ({reason}).") from error


def _fault(entry: Mapping[str, Any]) -> Fault:
    name, address = entry["name"], entry["address"]
    for key in ("name", "kind", "where", "summary"):
        if not isinstance(entry[key], str):
            raise TypeError(f"{key} is {entry[key]!r}: it must be a string")
    if NAME.fullmatch(name) is None:
        raise ValueError(f"name is {name!r}: use words of a-z and 0-9, joined by hyphens")
    if address is not None and not (isinstance(address, str) and re.match(r"/(?!/)", address)):
        raise ValueError(f"address is {address!r}: it must begin with a single slash")
    scenarios = tuple(str(each) for each in entry["scenarios"])
    return Fault(name, entry["kind"], entry["where"], entry["summary"], scenarios, address)
