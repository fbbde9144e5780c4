"""The emulator's request monitor, followed over its websocket for as long as it takes."""

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


async def follow(emulator: str, hear: Callable[[object], None]) -> None:
    """Give every message of the monitor at ``emulator`` (``ws://HOST:PORT``) to ``hear``, for ever.

    Connects again whenever the connection is lost; each time the emulator sends again what it still
    holds, at most 50 messages, so ``hear`` has to know what it has heard. Says once that nobody
    answers, and once that somebody does.
    """
    attempt = 0
    told = None
    while True:
        try:
            # No limit on a message's size: the first one has up to 50 documents of up to 1 MiB.
            # No proxy: one in the environment must not come between this machine and itself.
            async with connect(
                emulator.rstrip("/") + PATH,
                max_size=None,
                proxy=None,
                open_timeout=OPEN_TIMEOUT_SECONDS,
            ) as monitor:
                log.warning("following the decisions at %s", emulator)
                attempt, told = 0, None
                async for text in monitor:
                    for message in _messages(text):
                        hear(message)
            lost = "it hung up"
        except (OSError, TimeoutError, WebSocketException) as error:
            lost = str(error) or type(error).__name__
        if told is None:
            told = lost
            log.warning("no rules decisions from %s (%s); trying again", emulator, lost)
        await asyncio.sleep(BACKOFF_SECONDS[min(attempt, len(BACKOFF_SECONDS) - 1)])
        attempt += 1


def _messages(text: str | bytes) -> list[object]:
    try:
        decoded = json.loads(text)
    except (ValueError, RecursionError):
        return [None]  # which is no evaluation, and counted as such
    return decoded if isinstance(decoded, list) else [decoded]
