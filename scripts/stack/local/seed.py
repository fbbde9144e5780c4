"""Seeds a stack with the shows on sale and the organiser's account."""

from __future__ import annotations

import json
import urllib.request
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

ORGANISER = {"email": "organiser@example.org", "password": "box-office"}

_SHOWS = Path(__file__).with_name("shows.json")


def shows(firestore_url: str, project: str) -> None:
    """Write the shows of shows.json, with dates relative to today."""
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
    documents = f"{firestore_url}/v1/projects/{project}/databases/(default)/documents"
    _as_owner(f"{documents}:commit", {"writes": writes})


def organiser(auth_url: str, project: str) -> None:
    """Create the organiser's account in the Auth emulator, with its claim, as an administrator.

    A sign-up would have to wait for the welcome function to start, which sets the claim.
    """
    accounts = f"{auth_url}/identitytoolkit.googleapis.com/v1/projects/{project}/accounts"
    account = _as_owner(accounts, {**ORGANISER, "emailVerified": True})
    claims = json.dumps({"role": "organiser"})
    _as_owner(f"{accounts}:update", {"localId": account["localId"], "customAttributes": claims})


def _as_owner(url: str, body: object) -> dict[str, Any]:
    """POST with the token that the emulators, unlike production, accept as an administrator's."""
    request = urllib.request.Request(  # noqa: S310
        url,
        data=json.dumps(body).encode(),
        headers={"Authorization": "Bearer owner", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=20) as response:  # noqa: S310
        payload: dict[str, Any] = json.loads(response.read() or b"{}")
        return payload


def _write(project: str, path: str, document: dict[str, Any]) -> dict[str, Any]:
    name = f"projects/{project}/databases/(default)/documents/{path}"
    fields = {key: _value(value) for key, value in document.items()}
    return {"update": {"name": name, "fields": fields}}


def _value(value: object) -> dict[str, Any]:
    """Encode a value for Firestore's REST API."""
    if isinstance(value, datetime):
        return {"timestampValue": value.isoformat().replace("+00:00", "Z")}
    if isinstance(value, int):
        return {"integerValue": str(value)}
    return {"stringValue": str(value)}
