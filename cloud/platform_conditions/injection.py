"""Installs the conditions that affect a function in its worker."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import flask

from cloud.platform_conditions.catalogue import (
    CPU_ONLY_DURING_REQUESTS,
    FIRESTORE_IS_FAR,
    INSTANCES_COME_AND_GO,
    PUBSUB_REFUSES_ONCE,
)
from cloud.platform_conditions.firestore_emulator import FirestoreEmulator
from cloud.platform_conditions.flags import Flags

INDEX_FILE = "CLOUD_FIRESTORE_INDEXES"


class Injection:
    """The conditions of the worker that serves one function."""

    def __init__(self, function: str, emulator: FirestoreEmulator, index_file: Path | None) -> None:
        self._function = function
        self._emulator = emulator
        self._index_file = index_file
        self._flags = Flags(emulator)

    def before_import(self) -> None:
        """Install the conditions that must be in place before the app's modules are imported."""
        if self._index_file:
            from cloud.platform_conditions import firestore_wants_indexes  # noqa: PLC0415

            firestore_wants_indexes.inject(self._flags, self._index_file)
        if self._function == PUBSUB_REFUSES_ONCE.where:
            from cloud.platform_conditions import pubsub_refuses_once  # noqa: PLC0415

            pubsub_refuses_once.inject(self._flags)

    def around(self, app: flask.Flask) -> None:
        """Install the other conditions around the WSGI application."""
        if self._function == FIRESTORE_IS_FAR.where:
            from cloud.platform_conditions import firestore_is_far  # noqa: PLC0415

            firestore_is_far.inject(self._flags, self._emulator)
        for condition in (INSTANCES_COME_AND_GO, CPU_ONLY_DURING_REQUESTS):
            if self._function == condition.where:
                from cloud.platform_conditions import instances  # noqa: PLC0415

                instances.inject(app, condition, self._flags)


def from_environment(environment: Mapping[str, str]) -> Injection | None:
    """Return the conditions of this worker, or None if it has no Firestore emulator to read flags
    from."""
    host, project = (
        environment.get(name) for name in ("FIRESTORE_EMULATOR_HOST", "GCLOUD_PROJECT")
    )
    if not host or not project:
        return None
    index_file = environment.get(INDEX_FILE)
    return Injection(
        environment.get("FUNCTION_TARGET", ""),
        FirestoreEmulator(host, project),
        Path(index_file) if index_file else None,
    )
