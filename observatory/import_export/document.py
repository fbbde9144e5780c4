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
    """Return the JSON document of a file; several lines are merged into one document.

    Returns:
        The document, and the number of strings in it in which half a surrogate pair was repaired.

    Raises:
        BadFile: the file, or one of its lines, is not JSON.
    """
    try:
        return repair(_loaded(body), body)
    except RecursionError as error:
        raise BadFile("Its JSON is nested too deeply.") from error


def _loaded(body: bytes) -> Any:
    try:
        return json.loads(body)
    except json.JSONDecodeError as error:
        if error.msg != "Extra data":
            raise BadFile(f"It is not JSON: {error}.") from error
        return _merged_lines(body)
    except ValueError as error:  # for example bytes that are not UTF-8
        raise BadFile(f"It is not JSON: {error}.") from error


def _merged_lines(body: bytes) -> dict[str, list[Any]]:
    merged: defaultdict[str, list[Any]] = defaultdict(list)
    for number, line in enumerate(body.splitlines(), 1):
        if not line.strip():
            continue
        try:
            line_document = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise BadFile(f"Line {number} is not JSON: {error}.") from error
        if not isinstance(line_document, dict):
            raise BadFile(f"Line {number} is not an object.")
        for name in line_document.keys() & set(NAMES):
            items = Place(f"Line {number}: {name}", line_document[name]).items()
            merged[name] += [item.value for item in items]
    return dict(merged)
