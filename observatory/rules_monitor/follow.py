"""Follow the emulator's request monitor over its websocket, across reconnects."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable

from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

PATH = "/requests"
BACKOFF_SECONDS = (0.2, 0.5, 1.0, 2.0, 5.0)
OPEN_TIMEOUT_SECONDS = 5.0

log = logging.getLogger(__name__)


async def follow(emulator: str, process: Callable[[object], None]) -> None:
    """Pass every message of the monitor at ``emulator`` (``ws://HOST:PORT``) to ``process``.

    Runs until cancelled and reconnects whenever the connection is lost. On each connection the
    emulator repeats up to 50 past messages, so ``process`` must ignore repetitions. Each loss and
    each recovery of the connection is logged once.
    """
    attempt = 0
    reported_loss = None
    while True:
        try:
            # No size limit: the first message holds up to 50 documents of up to 1 MiB.
            # No proxy: the emulator is on this machine, whatever the environment sets.
            async with connect(
                emulator.rstrip("/") + PATH,
                max_size=None,
                proxy=None,
                open_timeout=OPEN_TIMEOUT_SECONDS,
            ) as monitor:
                log.warning("following the rules decisions at %s", emulator)
                attempt, reported_loss = 0, None
                async for text in monitor:
                    for message in _messages(text):
                        process(message)
            loss = "the connection was closed"
        except (OSError, TimeoutError, WebSocketException) as error:
            loss = str(error) or type(error).__name__
        if reported_loss is None:
            reported_loss = loss
            log.warning("no rules decisions from %s (%s); retrying", emulator, loss)
        await asyncio.sleep(BACKOFF_SECONDS[min(attempt, len(BACKOFF_SECONDS) - 1)])
        attempt += 1


def _messages(text: str | bytes) -> list[object]:
    try:
        decoded = json.loads(text)
    except (ValueError, RecursionError):
        return [None]  # counted as a message that cannot be read
    return decoded if isinstance(decoded, list) else [decoded]
