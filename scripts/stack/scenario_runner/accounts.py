"""Manages accounts and their roles with an administrator's rights."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import httpx

from stack.clients.firestore_rest import NO_CERTIFICATES, OWNER, Firestore
from stack.local.addresses import StackAddresses


@dataclass(frozen=True)
class Account:
    """A user who can sign in."""

    uid: str
    email: str
    password: str


class Accounts:
    """The accounts of one stack."""

    def __init__(self, addresses: StackAddresses, documents: Firestore) -> None:
        self._url = f"{addresses.auth}/identitytoolkit.googleapis.com/v1"
        self._project = addresses.project
        self._documents = documents

    def sign_up(self) -> Account:
        """Create an account as a page does; the welcome function sets its first role."""
        email, password = f"{secrets.token_hex(6)}@example.org", secrets.token_hex(8)
        body = {"email": email, "password": password, "returnSecureToken": True}
        account = _post(f"{self._url}/accounts:signUp?key=any", body)
        return Account(account["localId"], email, password)

    def make_organiser(self, account: Account) -> float:
        """Set an account's claim, then write its role; return the time of that in Unix seconds.

        The claim is first, because a page that sees the role fetches a token with the claim.
        """
        self._as_owner("update", localId=account.uid, customAttributes='{"role": "organiser"}')
        role, at = f"roles/{account.uid}", ("granted_at",)
        self._documents.set(role, {"role": "organiser"}, server_times=at).raise_for_status()
        granted_at: str = self._documents.read(role)["granted_at"]
        return datetime.fromisoformat(granted_at).timestamp()

    def remove(self, account: Account) -> None:
        """Delete the account and its role."""
        self._documents.delete(f"roles/{account.uid}").raise_for_status()
        self._as_owner("delete", localId=account.uid)

    def _as_owner(self, what: str, **body: Any) -> None:
        url = f"{self._url}/projects/{self._project}/accounts:{what}"
        _post(url, body, {"Authorization": f"Bearer {OWNER}"})


def _post(url: str, body: Any, headers: dict[str, str] | None = None) -> dict[str, Any]:
    response = httpx.post(url, json=body, headers=headers, timeout=60, verify=NO_CERTIFICATES)
    payload: dict[str, Any] = response.raise_for_status().json()
    return payload
