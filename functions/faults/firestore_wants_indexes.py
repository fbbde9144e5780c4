"""firestore-wants-indexes: what production answers, and the emulator does not.

Firestore refuses a query whose composite index is missing; its emulator answers every one. This
stands in for that answer, by the same rules as `./scripts/indexes`, before the query is sent.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import grpc
from google.api_core.exceptions import FailedPrecondition
from opentelemetry import trace

from faults import composite_indexes

# Beside the functions in the repository. It is not deployed with them, where nothing has to stand
# in for Firestore.
INDEXES = Path(__file__).parents[2] / "rules" / "firestore.indexes.json"


def refuse(text: str) -> None:
    """Refuse the query of that text if it lacks an index.

    Raises:
        FailedPrecondition: as Firestore's client does.
    """
    if not INDEXES.is_file():
        return
    if lacking := composite_indexes.missing(text, _indexes()):
        status: int = grpc.StatusCode.FAILED_PRECONDITION.value[0]
        trace.get_current_span().set_attribute("rpc.grpc.status_code", status)
        raise FailedPrecondition(  # type: ignore[no-untyped-call]
            f"The query requires an index: {', '.join(map(str, lacking))}"
        )


@cache
def _indexes() -> Any:
    return json.loads(INDEXES.read_text())
