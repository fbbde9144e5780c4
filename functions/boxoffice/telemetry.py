"""Telemetry: relays the spans and log records of the page, which cannot keep a key secret."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import flask
from firebase_functions import https_fn

import function_options
import settings

if TYPE_CHECKING:
    from throughline.relay import Relay

# What the page's spans and log records say about orders. Everything else is for the stages to say.
PAGE_ATTRIBUTES = frozenset(
    {
        "boxoffice.order.amount_cents",
        "boxoffice.order.currency",
        "boxoffice.order.id",
        "boxoffice.order.reason",
        "boxoffice.order.seats",
        "boxoffice.order.state",
        "boxoffice.outcome",
        "boxoffice.quote.amount_cents",
        "boxoffice.quote.currency",
        "boxoffice.quote.seats_left",
        "boxoffice.role.granted_at",
        "boxoffice.show.id",
        "faas.invoked_name",
        "faas.invoked_provider",
        "faas.invoked_region",
    }
)


@https_fn.on_request(**function_options.TELEMETRY)
def telemetry(request: flask.Request) -> flask.Response:
    """Answer POST …/v1/traces and POST …/v1/logs, OTLP over HTTP, of the page.

    It is not traced: a trace of how a trace was delivered would need another.
    """
    return relay().answer(request)


@cache
def relay() -> Relay:
    """Return this process's relay; its imports are slow, and only this function needs them."""
    from firebase_admin import app_check  # noqa: PLC0415

    from throughline.relay import Relay  # noqa: PLC0415

    return Relay(
        "page",
        is_on=settings.relay_telemetry(),
        verify_app=app_check.verify_token if settings.enforce_app_check() else None,
        requests_per_second=settings.telemetry_requests_per_second(),
        reserved=("boxoffice.",),
        allowed=PAGE_ATTRIBUTES,
    )
