"""Read the JSON of a file: one document, or one per line as a collector writes OTLP."""

import json
from collections import defaultdict
from typing import Any

from observatory.import_export.pieces import OTLP
from observatory.import_export.reading import BadFile, Place
from observatory.receive.surrogates import repair

# The top-level names of OTLP, in either spelling, and of Jaeger.
NAMES = (*(groups for groups, _, _ in OTLP), "data")


def document_of(body: bytes) -> tuple[Any, int]:
    """Return the document of a file; for several lines, one with the contents of all.

    Returns:
        The document, and how many strings with half a surrogate pair were repaired in it.

    Raises:
        BadFile: the file, or one of its lines, is not JSON.
    """
    try:
        return repair(_loaded(body), body)
    except RecursionError as error:
        raise BadFile("It is not JSON that can be read: it is nested too deeply.") from error


def _loaded(body: bytes) -> Any:
    try:
        return json.loads(body)
    except json.JSONDecodeError as error:
        if error.msg != "Extra data":
            raise BadFile(f"It is not JSON: {error}.") from error
        return _together(body)
    except ValueError as error:  # for example bytes that are not UTF-8
        raise BadFile(f"It is not JSON: {error}.") from error


def _together(body: bytes) -> dict[str, list[Any]]:
    whole: defaultdict[str, list[Any]] = defaultdict(list)
    for number, line in enumerate(body.splitlines(), 1):
        if not line.strip():
            continue
        try:
            of_line = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise BadFile(f"Line {number} is not JSON: {error}.") from error
        if not isinstance(of_line, dict):
            raise BadFile(f"Line {number} is not an object.")
        for name in of_line.keys() & set(NAMES):
            items = Place(f"Line {number}: {name}", of_line[name]).items()
            whole[name] += [item.value for item in items]
    return dict(whole)
