"""Replaces a stage's function by its wrong version while the fault's flag is on.

Flags are evaluated through OpenFeature. An evaluation whose result is "on" is recorded as an event
on the current span.
"""

from __future__ import annotations

import functools
import importlib
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from opentelemetry import trace

from faults.fault import Fault, Replacement
from faults.store import FlagStore

if TYPE_CHECKING:
    from google.cloud.firestore import Client
    from openfeature.client import OpenFeatureClient

DOMAIN = "faults"
EVENT = "feature_flag.evaluation"

_store: list[FlagStore] = []
#: The right functions that are wrapped, keyed by target.
_originals: dict[str, Callable[..., Any]] = {}
_log = logging.getLogger(__name__)


class MissingTarget(Exception):
    """Raised if the function that a fault replaces does not exist."""


def install(firestore: Callable[[], Client]) -> None:
    """Wrap every function that a fault replaces, so that its flag selects the version that runs.

    `firestore` returns the client that reads the flags. Call this after the stages are imported;
    calling it again does not wrap a function twice. A fault whose target does not exist is skipped
    with an error in the log that says where to correct it.
    """
    # Imported here because the wrong versions import the stages' modules.
    from faults.catalogue import FAULTS  # noqa: PLC0415

    uninstall()
    _store[:] = [FlagStore(firestore)]
    for fault in FAULTS:
        if fault.replacement is None:
            continue
        try:
            _wrap(fault, fault.replacement)
        except MissingTarget as error:
            _log.error("%s", error)


def uninstall() -> None:
    """Restore the right functions and discard the cached flags."""
    for target, original in _originals.items():
        module, _, name = target.partition(":")
        setattr(importlib.import_module(module), name, original)
    _originals.clear()
    _store.clear()
    _client.cache_clear()


def on(name: str) -> bool:
    """Return whether a fault is on; errors of Firestore and OpenFeature count as off.

    If it is on, the current span gets an event after OpenTelemetry's semantic conventions for
    feature flags. A flag that is off adds no event, because every span would then carry one for
    each flag.
    """
    if not _store or not _store[0].on():
        return False
    flags = _client()
    details = flags.get_boolean_details(name, default_value=False)
    if details.value:
        trace.get_current_span().add_event(
            EVENT,
            {
                "feature_flag.key": name,
                "feature_flag.provider.name": flags.provider.get_metadata().name,
                "feature_flag.result.variant": details.variant or "on",
                "feature_flag.result.reason": (details.reason or "unknown").lower(),
            },
        )
    return details.value


def target_of(fault: Fault, replacement: Replacement) -> Callable[..., Any]:
    """Return the function that currently has the target's name in its module.

    Raises:
        MissingTarget: there is none. The message names the fault, the target and the file to edit.
    """
    function: Callable[..., Any] | None = None
    try:
        function = getattr(importlib.import_module(replacement.module), replacement.function, None)
    except ModuleNotFoundError as error:
        # Not caught: the target's module exists, but a package that it imports is missing.
        if error.name != replacement.module:
            raise
    if not callable(function):
        folder, _, module = replacement.wrong.__module__.rpartition(".")
        raise MissingTarget(
            f"The fault {fault.name} does nothing: its target {replacement.target} does not exist. "
            f"Hint: give {replacement.wrong.__name__} the function's new name, "
            f"in functions/{folder}/{module}.py."
        )
    return function


def _wrap(fault: Fault, replacement: Replacement) -> None:
    """Replace the target by a wrapper that calls the wrong version while the fault is on.

    If two faults of one target are on, the later in the catalogue takes effect.
    """
    right, wrong, name = target_of(fault, replacement), replacement.wrong, fault.name
    _originals.setdefault(replacement.target, right)

    @functools.wraps(right)
    def choose(*args: Any, **kwargs: Any) -> Any:
        return (wrong if on(name) else right)(*args, **kwargs)

    setattr(importlib.import_module(replacement.module), replacement.function, choose)


@functools.cache
def _client() -> OpenFeatureClient:
    """Return the OpenFeature client, imported on first use.

    The import lengthens a cold start, so only a process that finds a flag on imports it.
    """
    from openfeature import api  # noqa: PLC0415

    from faults.provider import FirestoreFlags  # noqa: PLC0415

    api.set_provider_and_wait(FirestoreFlags(_store[0]), DOMAIN)
    return api.get_client(DOMAIN)
