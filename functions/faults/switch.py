"""Replaces each right function by its wrong version while the fault's flag is on.

Flags are asked through OpenFeature; an evaluation that turned a fault on is an event on the span.
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
#: The right functions that are wrapped, by target.
_originals: dict[str, Callable[..., Any]] = {}
_log = logging.getLogger(__name__)


class MissingTarget(Exception):
    """Raised where the function that a fault replaces is not there."""


def install(firestore: Callable[[], Client]) -> None:
    """Wrap every function that a fault replaces: flag off, the right one; flag on, the wrong one.

    `firestore` makes or returns the client to read the flags with. Call it after the stages are
    imported; calling it again wraps nothing twice. A fault whose target was renamed is left out,
    with one line in the log that says where to fix it.
    """
    # Not before the stages are there: the wrong versions import what the right ones do.
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
    """Put the right functions back, and forget the flags."""
    for target, original in _originals.items():
        module, _, name = target.partition(":")
        setattr(importlib.import_module(module), name, original)
    _originals.clear()
    _store.clear()
    _client.cache_clear()


def on(name: str) -> bool:
    """Tell whether the fault of that name is on; never raises for what a flag or Firestore does.

    One that is on is an event on the current span, named and described as OpenTelemetry's semantic
    conventions for feature flags say. One that is off leaves no event: it would be on every span of
    every trace, for a flag that is never turned on.
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
    """Return the function that a fault replaces, as it is now in its module.

    Raises:
        MissingTarget: it is not there; the message says which fault, which target and what to do.
    """
    function: Callable[..., Any] | None = None
    try:
        function = getattr(importlib.import_module(replacement.module), replacement.function, None)
    except ModuleNotFoundError as error:
        # Of a module that is there and lacks a package, the error is another.
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
    """Put a function in the target's place that calls the wrong version while the fault is on.

    Of two faults of one target, the later in the catalogue counts where both are on.
    """
    right, wrong, name = target_of(fault, replacement), replacement.wrong, fault.name
    _originals.setdefault(replacement.target, right)

    @functools.wraps(right)
    def choose(*args: Any, **kwargs: Any) -> Any:
        return (wrong if on(name) else right)(*args, **kwargs)

    setattr(importlib.import_module(replacement.module), replacement.function, choose)


@functools.cache
def _client() -> OpenFeatureClient:
    """Return OpenFeature's client. Its import takes a twentieth of a cold start, so that only a
    process that meets a flag which is on pays it."""
    from openfeature import api  # noqa: PLC0415

    from faults.provider import FirestoreFlags  # noqa: PLC0415

    api.set_provider_and_wait(FirestoreFlags(_store[0]), DOMAIN)
    return api.get_client(DOMAIN)
