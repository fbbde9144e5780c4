"""Hop 5: decisions of rules with constructs of public bug reports, on the real emulator.

The rules are those of another project of the same emulator, so the app's own stay as they are.
"""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass

import httpx
import pytest

from observatory.client import Observatory
from observatory.schemas.journey import Row
from stack.clients.firestore_rest import OWNER, Firestore
from tests.addresses import Addresses
from tests.buyer import new_order_id
from tests.spans import wait_for
from tests.unit.observatory.reported_rules import ACCESSES, RULES, UID, Access

PROJECT = "demo-reported-rules"
SERVICE = "firestore.rules"
# The monitor does not record allowed reads.
RECORDED = [access for access in ACCESSES if not (access.allowed and access.method == "get")]


@dataclass(frozen=True)
class Attempt:
    """An attempt at an access: the path that it used, and Firestore's response."""

    path: str
    response: httpx.Response


@pytest.fixture(scope="module")
def attempts(addresses: Addresses) -> Iterator[list[Attempt]]:
    """An attempt at each access.

    All are made at once, because the monitor takes two seconds to record each.
    """
    url = f"{addresses.firestore}/emulator/v1/projects/{PROJECT}:securityRules"
    rules = {"rules": {"files": [{"name": "reported.rules", "content": RULES}]}}
    httpx.put(url, json=rules, timeout=30).raise_for_status()
    yield [_attempt(access, addresses) for access in RECORDED]
    database = f"{addresses.firestore}/emulator/v1/projects/{PROJECT}/databases/(default)"
    httpx.delete(f"{database}/documents", timeout=30).raise_for_status()


def _token(uid: str) -> str:
    """Return an unsigned ID token, which the emulator accepts."""
    now = int(time.time())
    claims = {
        "iss": f"https://securetoken.google.com/{PROJECT}",
        "aud": PROJECT,
        "sub": uid,
        "user_id": uid,
        "iat": now,
        "exp": now + 3600,
    }
    header, payload = (
        base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()
        for part in ({"alg": "none", "typ": "JWT"}, claims)
    )
    return f"{header}.{payload}."


def _unique(path: str) -> str:
    """Return the path with an id of its own, where the rules do not look at the id."""
    segments = path.split("/")
    segments[1 if segments[-1] == "secret" else -1] = new_order_id()
    return "/".join(segments)


def _attempt(access: Access, addresses: Addresses) -> Attempt:
    path = _unique(access.path)
    if access.stored is not None:
        with closing(Firestore(addresses.firestore, PROJECT, OWNER)) as owner:
            owner.set(path, access.stored).raise_for_status()
    token = _token(UID) if access.uid is not None else None
    with closing(Firestore(addresses.firestore, PROJECT, token)) as documents:
        if access.method == "get":
            return Attempt(path, documents.get(path))
        if access.method == "create":
            return Attempt(path, documents.create(path, access.attempted or {}))
        return Attempt(path, documents.update(path, access.attempted or {}))


@pytest.mark.parametrize(
    ("number", "access"), list(enumerate(RECORDED)), ids=[access.id for access in RECORDED]
)
def test_the_emulator_and_the_monitor_agree(
    attempts: list[Attempt], number: int, access: Access, observatory: Observatory
) -> None:
    """The emulator's outcome is the recorded one, and the monitor names the deciding line."""
    path, response = attempts[number].path, attempts[number].response
    assert response.status_code == (200 if access.allowed else 403), response.text

    def decisions() -> list[Row]:
        stored = observatory.ask(
            f"select distinct trace_id from spans where service = '{SERVICE}' "  # noqa: S608
            f"and attributes['throughline.rules.path'] = '{path}'"
        )["rows"]
        rows = [row for (trace_id,) in stored for row in observatory.trace(trace_id)["rows"]]
        return [row for row in rows if row["attributes"].get("throughline.rules.path") == path]

    (decision,) = wait_for(decisions)
    assert decision["attributes"]["throughline.rules.outcome"] == (
        "allow" if access.allowed else "deny"
    )
    assert decision["attributes"]["throughline.rules.lines"] == list(access.lines)
