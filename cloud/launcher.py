"""Serves a function as `functions-framework` does, with retries and platform conditions added.

The emulator starts a function's worker by running the command `functions-framework`. On the local
stack the script of that name calls `main` (scripts/stack/setup/worker_launcher.py writes it), so
the command line, the environment and Gunicorn's settings are those of functions-framework itself:
only the WSGI application is wrapped before it is served.

Outside the emulator this only runs functions-framework.
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
    """Run functions-framework's command, and return when the server ends."""
    # Imported here so that the launcher adds nothing to a cold start outside the emulator.
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
    """Return the function that this process serves if events trigger it, or else an empty string.

    Callables, webhooks, task queues and schedules are plain HTTP: their caller sees the response.
    """
    if os.environ.get("FUNCTION_SIGNATURE_TYPE") != "cloudevent":
        return ""
    return os.environ.get("FUNCTION_TARGET", "")


def _closing_connections(create_server: Any) -> Any:
    """Make each response close its connection.

    The emulator reuses its connections to a worker, and Gunicorn closes a connection after two idle
    seconds. A request sent at that moment is lost ("socket hang up"), and the emulator does not
    retry it.
    """

    @wraps(create_server)
    def create_closing_server(app: flask.Flask, debug: bool, **options: Any) -> Any:
        # In debug mode Flask's own server runs, which has no keep-alive and no such setting.
        return create_server(app, debug, **({} if debug else {"keepalive": 0}), **options)

    return create_closing_server
