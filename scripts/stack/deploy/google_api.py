"""A client of Google's REST APIs, at the addresses that firebase-tools uses.

Each address can be replaced by the environment variable that firebase-tools reads for it
(lib/api.js), so that a deployment can be rehearsed without an account.
"""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import httpx

from stack import paths
from stack.errors import UserError
from stack.setup import toolchain

# By API: firebase-tools' variable, and the address without it.
ADDRESSES = {
    "billing": ("FIREBASE_CLOUDBILLING_URL", "https://cloudbilling.googleapis.com"),
    "firebase": ("FIREBASE_API_URL", "https://firebase.googleapis.com"),
    "firestore": ("FIRESTORE_URL", "https://firestore.googleapis.com"),
    "functions": ("FIREBASE_FUNCTIONS_V2_URL", "https://cloudfunctions.googleapis.com"),
    "hosting": ("FIREBASE_HOSTING_API_URL", "https://firebasehosting.googleapis.com"),
    "iam": ("FIREBASE_IAM_URL", "https://iam.googleapis.com"),
    "identity": ("FIREBASE_IDENTITY_URL", "https://identitytoolkit.googleapis.com"),
    "projects": ("FIREBASE_RESOURCEMANAGER_URL", "https://cloudresourcemanager.googleapis.com"),
    "run": ("CLOUD_RUN_API_URL", "https://run.googleapis.com"),
    "secrets": ("CLOUD_SECRET_MANAGER_URL", "https://secretmanager.googleapis.com"),
    "services": ("FIREBASE_SERVICE_USAGE_URL", "https://serviceusage.googleapis.com"),
}
_TIMEOUT_SECONDS = 60.0
_LOGIN_SECONDS_MAX = 60
_POLL_SECONDS = 3.0
LOGIN_HINT = (
    "Run ./node_modules/.bin/firebase login, or set GOOGLE_APPLICATION_CREDENTIALS to the path of "
    "a service account's key."
)


class GoogleError(Exception):
    """An API refused a request.

    Attributes:
        status: the HTTP status.
        reason: the machine-readable reason, such as SERVICE_DISABLED; may be empty.
    """

    def __init__(self, status: int, message: str, reason: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason


class GoogleApi:
    """Requests about one project, with the access token of one account."""

    def __init__(
        self,
        project: str,
        token: str,
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Create the client; `transport` and `sleep` replace the network and time in tests."""
        self.project = project
        self.sleep = sleep
        self._client = httpx.Client(
            timeout=_TIMEOUT_SECONDS,
            transport=transport,
            headers={"Authorization": f"Bearer {token}", "X-Goog-User-Project": project},
        )

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def __enter__(self) -> GoogleApi:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def get(self, api: str, path: str, **query: str) -> dict[str, Any]:
        """Return what an API has at a path.

        Raises:
            GoogleError: it refuses the request.
            UserError: it cannot be reached.
        """
        return self._request("GET", api, path, None, query)

    def find(self, api: str, path: str, **query: str) -> dict[str, Any] | None:
        """Return what an API has at a path; None if that does not exist, or the API is disabled.

        Raises:
            GoogleError: it refuses the request for another reason.
            UserError: it cannot be reached.
        """
        try:
            return self.get(api, path, **query)
        except GoogleError as error:
            # Authentication that was never set up is CONFIGURATION_NOT_FOUND, with 400 or 404.
            if error.status == httpx.codes.NOT_FOUND or error.reason in (
                "SERVICE_DISABLED",
                "CONFIGURATION_NOT_FOUND",
            ):
                return None
            raise

    def post(self, api: str, path: str, body: Mapping[str, Any], **query: str) -> dict[str, Any]:
        """POST a JSON object, and return the answer. Raises as `get`."""
        return self._request("POST", api, path, body, query)

    def patch(self, api: str, path: str, body: Mapping[str, Any], **query: str) -> dict[str, Any]:
        """PATCH with a JSON object, and return the answer. Raises as `get`."""
        return self._request("PATCH", api, path, body, query)

    def finish(
        self, api: str, operation: Mapping[str, Any], path: str, seconds: float
    ) -> dict[str, Any]:
        """Wait until an operation is done, and return its response.

        Args:
            api: the API that started it.
            operation: what the API answered.
            path: the path before the operation's name, such as `/v1/`.
            seconds: how long to wait.

        Raises:
            GoogleError: the operation failed.
            UserError: it did not finish in time.
        """
        deadline = time.monotonic() + seconds
        current = dict(operation)
        while not current.get("done") and "name" in current:
            if time.monotonic() > deadline:
                raise UserError(
                    f"Google did not finish {current['name']} within {seconds:.0f} s.",
                    hint="Run the command again: it continues with what is missing.",
                )
            self.sleep(_POLL_SECONDS)
            current = self.get(api, path + current["name"])
        if error := current.get("error"):
            raise GoogleError(error.get("code", 500), error.get("message", "the operation failed"))
        response: dict[str, Any] = current.get("response", {})
        return response

    def _request(
        self,
        method: str,
        api: str,
        path: str,
        body: Mapping[str, Any] | None,
        query: Mapping[str, str],
    ) -> dict[str, Any]:
        variable, default = ADDRESSES[api]
        url = os.environ.get(variable, default).rstrip("/") + path
        try:
            response = self._client.request(method, url, json=body, params=query)
        except httpx.HTTPError as error:
            raise UserError(
                f"{httpx.URL(url).host} cannot be reached ({type(error).__name__}: {error}).",
                hint="Check the network, and run the command again: it continues with what is "
                "missing.",
            ) from error
        if response.is_error:
            raise _error(response)
        parsed: dict[str, Any] = response.json() if response.content else {}
        return parsed


def _error(response: httpx.Response) -> GoogleError:
    try:
        error = response.json()["error"]
        message = str(error["message"])
    except (ValueError, KeyError, TypeError):
        return GoogleError(response.status_code, f"HTTP {response.status_code}")
    details = error.get("details", [])
    reasons = [each["reason"] for each in details if isinstance(each, dict) and "reason" in each]
    reason = reasons[0] if reasons else ""
    if message.startswith("CONFIGURATION_NOT_FOUND"):
        reason = "CONFIGURATION_NOT_FOUND"
    return GoogleError(response.status_code, message.splitlines()[0], reason)


def log_in(project: str) -> tuple[str, str]:
    """Return an access token, and the name of the account, as firebase-tools would choose it.

    Raises:
        UserError: there is no login, or it is refused.
    """
    script = Path(__file__).with_name("access_token.mjs")
    tools = paths.FIREBASE.parents[2]
    try:
        done = subprocess.run(
            [str(toolchain.node()), str(script), str(tools), str(paths.ROOT), project],
            capture_output=True,
            text=True,
            check=False,
            timeout=_LOGIN_SECONDS_MAX,
        )
        answer = json.loads(done.stdout)
    except (subprocess.TimeoutExpired, ValueError) as error:
        raise UserError("Google's login does not answer.", hint="Check the network.") from error
    if not answer.get("token"):
        reason = str(answer.get("error", "no account")).splitlines()[0]
        raise UserError(f"There is no login that Google accepts ({reason}).", hint=LOGIN_HINT)
    account: str = answer.get("account") or "the account of FIREBASE_TOKEN"
    return answer["token"], account
