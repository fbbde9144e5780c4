"""Whether a fault is on: asked through OpenFeature, and said in the trace where it is."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING

from opentelemetry import trace

from faults.catalogue import FAULTS
from faults.store import FlagStore

if TYPE_CHECKING:
    from google.cloud.firestore import Client
    from openfeature.client import OpenFeatureClient

DOMAIN = "faults"
EVENT = "feature_flag.evaluation"

_NAMES = frozenset(fault.name for fault in FAULTS)
_obeyed: list[FlagStore] = []


def obey(firestore: Callable[[], Client]) -> None:
    """Go by the flags in Firestore from now on; `firestore` makes or returns the client to ask."""
    _obeyed[:] = [FlagStore(firestore)]
    _client.cache_clear()


def on(name: str) -> bool:
    """Whether the fault of that name is on; never raises for what a flag or Firestore does.

    One that is on is an event on the current span, named and described as OpenTelemetry's semantic
    conventions for feature flags say. One that is off leaves nothing: it would be a line on every
    span of every trace, for a flag that nobody turned on.

    Raises:
        KeyError: there is no such fault.
    """
    if name not in _NAMES:
        raise KeyError(f"there is no fault {name!r}: faults/catalogue.py lists them")
    if not _obeyed or not _obeyed[0].on():
        return False
    flags = _client()
    found = flags.get_boolean_details(name, default_value=False)
    if found.value:
        trace.get_current_span().add_event(
            EVENT,
            {
                "feature_flag.key": name,
                "feature_flag.provider.name": flags.provider.get_metadata().name,
                "feature_flag.result.variant": found.variant or "on",
                "feature_flag.result.reason": (found.reason or "unknown").lower(),
            },
        )
    return found.value


@cache
def _client() -> OpenFeatureClient:
    """OpenFeature's client. Its import takes a twentieth of a cold start, so that only a process
    that meets a flag which is on pays it."""
    from openfeature import api  # noqa: PLC0415

    from faults.provider import FirestoreFlags  # noqa: PLC0415

    api.set_provider_and_wait(FirestoreFlags(_obeyed[0]), DOMAIN)
    return api.get_client(DOMAIN)
