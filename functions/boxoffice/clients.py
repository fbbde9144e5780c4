"""The Google clients, each made on first use.

Functions Framework imports the functions in one process and serves them from a fork of it; a gRPC
client made before the fork hangs after it.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import firebase_admin

import settings

if TYPE_CHECKING:
    from google.cloud.firestore import Client
    from google.cloud.pubsub_v1 import PublisherClient


def make_firebase_app() -> None:
    """Make the app that verifies who calls a function and enqueues tasks, if there is none.

    Discovery imports main.py more than once in one process.
    """
    try:
        firebase_admin.get_app()
    except ValueError:
        firebase_admin.initialize_app()


@cache
def firestore() -> Client:
    """The Firestore client of this process."""
    from google.cloud.firestore import Client  # noqa: PLC0415

    return Client(project=settings.project_id())


@cache
def publisher() -> PublisherClient:
    """The Pub/Sub publisher of this process. Its import takes a quarter of a second, so only the
    stages that publish pay it."""
    from google.cloud.pubsub_v1 import PublisherClient  # noqa: PLC0415

    return PublisherClient()
