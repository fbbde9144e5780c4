"""``python -m observatory.rules_monitor``: send the decisions of one emulator over OTLP."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import os
import re
import signal
import sys
import time
from collections.abc import Callable

from observatory.rules_monitor import evaluation
from observatory.rules_monitor.decision import Spans
from observatory.rules_monitor.exporter import Exporter
from observatory.rules_monitor.follow import follow
from observatory.rules_monitor.merging import Decision, Merging

DEFAULT_EMULATOR = "ws://127.0.0.1:9150"
DEFAULT_OTLP = "http://127.0.0.1:4318"
DEFAULT_RULES = "rules/firestore.rules"
POLL_SECONDS = 0.25

log = logging.getLogger(__name__)


class Monitor:
    """Converts the emulator's messages to spans and queues them for export."""

    def __init__(self, spans: Spans, exporter: Exporter) -> None:
        self.unread = 0
        self._spans = spans
        self._exporter = exporter
        self._merging = Merging()

    def process(self, message: object) -> None:
        """Process one message of the emulator."""
        try:
            decision = self._merging.take(evaluation.read(message), time.monotonic())
        except (evaluation.Unreadable, RecursionError) as error:
            self._skip(str(error))
            return
        if decision is not None:
            self._send(decision)

    async def send_due_decisions(self) -> None:
        """Send decisions as they become final; run until cancelled."""
        while True:
            await asyncio.sleep(POLL_SECONDS)
            for decision in self._merging.due(time.monotonic()):
                self._send(decision)

    def send_remaining_decisions(self) -> None:
        """Send all held decisions, because no more messages will arrive."""
        for decision in self._merging.rest():
            self._send(decision)

    def _send(self, decision: Decision) -> None:
        try:
            span = self._spans.span_of(decision)
        except (ValueError, RecursionError) as error:  # for example text that is not valid UTF-8
            self._skip(type(error).__name__)
            return
        if span is not None:
            self._exporter.put(span)

    def _skip(self, reason: str) -> None:
        if not self.unread:
            log.warning("skipping unreadable messages: %s; the total is logged at exit", reason)
        self.unread += 1


async def run(options: argparse.Namespace) -> None:
    """Follow the emulator until SIGINT or SIGTERM, then export the remaining spans."""
    exporter = Exporter(options.otlp)
    spans = Spans(
        options.rules,
        dict(options.resource),
        masked=options.mask_ids,
        allowed_reads=options.allowed_reads,
    )
    monitor = Monitor(spans, exporter)
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(follow(options.emulator, monitor.process)),
            group.create_task(monitor.send_due_decisions()),
            group.create_task(exporter.run()),
        ]
        await stop.wait()
        for task in tasks:
            task.cancel()
    monitor.send_remaining_decisions()
    await exporter.flush()
    if exporter.dropped or monitor.unread:
        log.warning("dropped %d spans, skipped %d messages", exporter.dropped, monitor.unread)


def main(arguments: list[str] | None = None) -> int:
    """Run until SIGINT or SIGTERM; return the exit code 0. Bad usage exits with 2."""
    options = _parser().parse_args(arguments)
    logging.basicConfig(format="rules monitor: %(message)s", level=logging.WARNING)
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(run(options))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m observatory.rules_monitor",
        description="Follow the Firestore emulator's request monitor and send each decision of the "
        "security rules as a span of the service firestore.rules.",
    )
    parser.add_argument(
        "--emulator",
        type=_url("ws", "wss"),
        default=DEFAULT_EMULATOR,
        metavar="ws://HOST:PORT",
        help="the emulator's websocket: websocketPort in firebase.json (default: %(default)s)",
    )
    parser.add_argument(
        "--otlp",
        type=_url("http", "https"),
        default=os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT") or DEFAULT_OTLP,
        metavar="URL",
        help="the OTLP/HTTP endpoint to send spans to, without /v1/traces "
        f"(default: OTEL_EXPORTER_OTLP_ENDPOINT, else {DEFAULT_OTLP})",
    )
    parser.add_argument(
        "--rules",
        default=DEFAULT_RULES,
        metavar="FILE",
        help="the path of the rules file to put on spans; its text comes from the emulator "
        "(default: %(default)s)",
    )
    parser.add_argument(
        "--resource",
        type=_resource,
        action="append",
        default=[],
        metavar="COLLECTION=ATTRIBUTE",
        help="set this attribute to the document id for documents of the collection; repeatable",
    )
    parser.add_argument(
        "--mask-ids",
        action="append",
        default=[],
        metavar="COLLECTION",
        help="show the ids of this collection's documents as {id}, because they name people; "
        "repeatable. The requesting user's own id is always shown as {uid}",
    )
    parser.add_argument("--allowed-reads", action="store_true", help="record allowed reads too")
    return parser


def _url(*schemes: str) -> Callable[[str], str]:
    def url(text: str) -> str:
        if not re.fullmatch(rf"(?:{'|'.join(schemes)})://[^/\s]+(?:/\S*)?", text):
            raise argparse.ArgumentTypeError(
                f"{text!r} is not a URL that starts with {schemes[0]}://"
            )
        return text

    return url


def _resource(text: str) -> tuple[str, str]:
    collection, _, attribute = text.partition("=")
    if not collection or not attribute:
        raise argparse.ArgumentTypeError(f"{text!r} is not COLLECTION=ATTRIBUTE")
    return collection, attribute


if __name__ == "__main__":
    sys.exit(main())
