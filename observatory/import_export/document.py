"""A file's JSON: one document, or one a line, as OTLP's files are that a collector writes."""

import json
from collections import defaultdict
from typing import Any

from observatory.import_export.pieces import OTLP
from observatory.import_export.reading import BadFile, Place

# OTLP's by either spelling, and Jaeger's.
NAMES = (*(groups for groups, _, _ in OTLP), "data")


def document_of(body: bytes) -> Any:
    """The document; for several lines, one that holds what all of them do.

    Raises:
        BadFile: it is not JSON, or one of its lines is none.
    """
    try:
        return json.loads(body)
    except json.JSONDecodeError as error:
        if error.msg != "Extra data":
            raise BadFile(f"It is not JSON: {error}.") from error
        return _together(body)
    except ValueError as error:  # such as for bytes that aren't UTF-8
        raise BadFile(f"It is not JSON: {error}.") from error
    except RecursionError as error:
        raise BadFile("It is not JSON that can be read: it is nested too deeply.") from error


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
            raise BadFile(f"Line {number} is no object.")
        for name in of_line.keys() & set(NAMES):
            items = Place(f"Line {number}: {name}", of_line[name]).items()
            whole[name] += [item.value for item in items]
    return dict(whole)
