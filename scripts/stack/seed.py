"""The Box Office's programme, written to the Firestore emulator as its administrator."""

from __future__ import annotations

import json
import urllib.request
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

_SHOWS = Path(__file__).with_name("shows.json")


def shows(firestore_url: str, project: str) -> None:
    """Write the shows of shows.json, with dates counted from today."""
    midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    writes = []
    for rank, show in enumerate(json.loads(_SHOWS.read_text()), start=1):
        days, (hour, minute) = show.pop("in_days"), show.pop("at").split(":")
        show_id = show.pop("id")
        starts_at = midnight + timedelta(days=days, hours=int(hour), minutes=int(minute))
        document = {
            **show,
            "rank": rank,
            "currency": "EUR",
            "seats_left": show["seats_total"],
            "starts_at": starts_at,
        }
        writes.append(_write(project, f"shows/{show_id}", document))
    request = urllib.request.Request(  # noqa: S310
        f"{firestore_url}/v1/projects/{project}/databases/(default)/documents:commit",
        data=json.dumps({"writes": writes}).encode(),
        # The emulator takes this for the administrator; production doesn't.
        headers={"Authorization": "Bearer owner", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=20):  # noqa: S310
        pass


def _write(project: str, path: str, document: dict[str, Any]) -> dict[str, Any]:
    name = f"projects/{project}/databases/(default)/documents/{path}"
    fields = {key: _value(value) for key, value in document.items()}
    return {"update": {"name": name, "fields": fields}}


def _value(value: object) -> dict[str, Any]:
    """A value as Firestore's REST API spells it."""
    if isinstance(value, datetime):
        return {"timestampValue": value.isoformat().replace("+00:00", "Z")}
    if isinstance(value, int):
        return {"integerValue": str(value)}
    return {"stringValue": str(value)}
