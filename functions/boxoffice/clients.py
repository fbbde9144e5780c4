"""The Google clients, each created on first use.

Functions Framework imports the functions in one process and serves them from a fork of it; a gRPC
client created before the fork hangs after it.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import firebase_admin

import settings

if TYPE_CHECKING:
    import requests
    from google.cloud.firestore import Client
    from google.cloud.pubsub_v1 import PublisherClient


def make_firebase_app() -> None:
    """Initialise the Firebase app that verifies ID tokens and enqueues tasks, unless it exists.

    The Firebase CLI's discovery imports main.py more than once in one process.
    """
    try:
        firebase_admin.get_app()
    except ValueError:
        firebase_admin.initialize_app()


@cache
def firestore() -> Client:
    """Return this process's Firestore client."""
    from google.cloud.firestore import Client  # noqa: PLC0415

    return Client(project=settings.project_id())


@cache
def publisher() -> PublisherClient:
    """Return this process's Pub/Sub publisher.

    The import takes a quarter of a second, so only the stages that publish pay for it.
    """
    from google.cloud.pubsub_v1 import PublisherClient  # noqa: PLC0415

    return PublisherClient()


@cache
def eventarc() -> requests.Session:
    """Return the HTTP session that publishes CloudEvents.

    Eventarc's own Python client costs more import time than the one call that is needed is worth.
    """
    import requests  # noqa: PLC0415

    if settings.is_emulated():
        return requests.Session()
    import google.auth  # noqa: PLC0415
    from google.auth.transport.requests import AuthorizedSession  # noqa: PLC0415

    credentials, _ = google.auth.default(["https://www.googleapis.com/auth/cloud-platform"])
    session: requests.Session = AuthorizedSession(credentials)  # type: ignore[no-untyped-call]
    return session
