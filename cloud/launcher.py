"""Serves a function as `functions-framework` does, with what the platform adds around it.

The emulator starts a function's worker by the name `functions-framework`. On the local stack the
script of that name calls `main` (scripts/stack/setup/worker_launcher.py writes it), so the command
line, the environment and Gunicorn's settings are those of functions-framework itself: only the WSGI
application that it makes is wrapped before it is served.

Outside the emulator this is functions-framework and nothing else.
"""

from __future__ import annotations

import os
from functools import wraps
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import flask

DELIVERY_URL = "CLOUD_DELIVERY_URL"
CHAOS_FILE = "CLOUD_DELIVERY_CHAOS_FILE"


def main() -> Any:
    """Run functions-framework's command; returns when the server ends."""
    # Imported here: where nothing is wrapped, the launcher adds nothing to a cold start.
    from functions_framework import _cli, create_app  # noqa: PLC0415
    from functions_framework._http import create_server  # noqa: PLC0415

    command: Any = _cli
    if os.environ.get("FUNCTIONS_EMULATOR"):
        command.create_app = _wrapping(create_app)
        command.create_server = _closing_connections(create_server)
    return command._cli()


def _wrapping(create_app: Any) -> Any:
    @wraps(create_app)
    def create_wrapped_app(*arguments: Any, **options: Any) -> flask.Flask:
        from cloud.platform_conditions import injection  # noqa: PLC0415

        conditions = injection.from_environment(os.environ)
        if conditions:
            conditions.before_import()
        app: flask.Flask = create_app(*arguments, **options)
        if conditions:
            conditions.around(app)
        if (url := os.environ.get(DELIVERY_URL)) and (function := _served_event_function()):
            from cloud.delivery import middleware  # noqa: PLC0415

            middleware.wrap(app, url.rstrip("/"), os.environ.get(CHAOS_FILE, ""), function)
        return app

    return create_wrapped_app


def _served_event_function() -> str:
    """The function this process serves, if events trigger it; else empty.

    Callables, webhooks, task queues and schedules are plain HTTP: their caller sees the response.
    """
    if os.environ.get("FUNCTION_SIGNATURE_TYPE") != "cloudevent":
        return ""
    return os.environ.get("FUNCTION_TARGET", "")


def _closing_connections(create_server: Any) -> Any:
    """Have each response say `Connection: close`.

    The emulator keeps its connections to a worker and uses them again, and Gunicorn closes one that
    was idle for two seconds. A request that is sent at that moment is lost ("socket hang up"), and
    the emulator never delivers an event twice.
    """

    @wraps(create_server)
    def create_closing_server(app: flask.Flask, debug: bool, **options: Any) -> Any:
        # In debug mode Flask's own server runs, which has no such setting and keeps no connection.
        return create_server(app, debug, **({} if debug else {"keepalive": 0}), **options)

    return create_closing_server
