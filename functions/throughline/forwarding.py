"""Forwards what waiting requests hold to one endpoint, together.

The first request that waits leads a group. Under load it gives others a moment to join, then posts
what all of them hold; each gets the endpoint's answer. Nothing is buffered, because each client
still has what it sent, and sends it again.
"""

from __future__ import annotations

import math
import threading
import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from throughline.delivery import Outage
from throughline.exporters import Post
from throughline.otlp_http import Answer

# A client does not notice this, and at 100 requests a second it halves the number of posts.
GATHER_SECONDS = 0.01
# Endpoints accept bodies of 4 MB or more.
GROUP_MAX_BYTES = 1_048_576
# Longer than an endpoint's time-out. This only bounds the wait for a leader that was killed.
WAIT_MAX_SECONDS = 30.0
RETRY_AFTER_MAX_SECONDS = 300.0

# The statuses after which OTLP's clients try again.
RETRYABLE = frozenset({429, 502, 503, 504})
# Those that are about the body, so that another body may be accepted.
_ABOUT_THE_BODY = frozenset({400, 413, 422})


class _Group:
    def __init__(self) -> None:
        self.parts: list[bytes] = []
        self.size = 0
        self.is_full = threading.Event()
        self.answer = Answer(0)
        self.done = threading.Event()


class Forwarding:
    """Posts parts of export requests, of one signal, to an endpoint; thread-safe.

    `outage` is shared by the signals. While the endpoint is down, one post tries it each time an
    attempt is due, and the others are answered with 503 at once.
    """

    def __init__(self, post: Post, outage: Outage) -> None:
        self._post = post
        self._outage = outage
        self._lock = threading.Lock()
        self._open = _Group()

    def forward(self, part: bytes, *, is_alone: bool) -> Answer:
        """Post `part`, an export request in protobuf, and return the endpoint's answer.

        The time-out of the endpoint bounds the wait. `is_alone` says that no other request is
        being served, so that none can join. The status is 503 if the endpoint does not answer, and
        a retryable answer has the seconds to wait in `retry_after`.
        """
        with self._lock:
            if self._open.parts and self._open.size + len(part) > GROUP_MAX_BYTES:
                self._open.is_full.set()
                self._open = _Group()
            group = self._open
            group.parts.append(part)
            group.size += len(part)
            leads = len(group.parts) == 1
        if leads:
            self._lead(group, is_alone=is_alone)
        else:
            group.done.wait(WAIT_MAX_SECONDS)
        answer = group.answer
        if answer.status in _ABOUT_THE_BODY and len(group.parts) > 1:
            # The endpoint refuses something in the group, which must not cost the others.
            return self._posted(part)
        return answer if answer.status else Answer(503, retry_after="1")

    def _lead(self, group: _Group, *, is_alone: bool) -> None:
        try:
            if not is_alone:
                group.is_full.wait(GATHER_SECONDS)
            with self._lock:
                if self._open is group:
                    self._open = _Group()
            # Encoded messages that are joined are the merged message, here a longer list.
            group.answer = self._posted(b"".join(group.parts))
        finally:
            group.done.set()

    def _posted(self, body: bytes) -> Answer:
        if not self._outage.may_try():
            return self._unavailable(503)
        attempted_at = time.monotonic()
        answer = self._post(body)()
        if answer.status and answer.status not in RETRYABLE:
            self._outage.end()
            return answer
        self._outage.begin(attempted_at, retry_after_seconds(answer))
        return self._unavailable(answer.status or 503)

    def _unavailable(self, status: int) -> Answer:
        return Answer(status, retry_after=str(max(1, math.ceil(self._outage.seconds_left()))))


def retry_after_seconds(answer: Answer) -> float:
    """Return the seconds that an answer asks to wait, at most 300; 0 if it does not ask."""
    value = answer.retry_after.strip()
    if value.isascii() and value.isdecimal() and len(value) < 10:
        seconds = float(value)
    else:
        try:
            seconds = (parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds()
        except (TypeError, ValueError):  # Malformed, or without a time zone.
            return 0.0
    return max(0.0, min(seconds, RETRY_AFTER_MAX_SECONDS))
