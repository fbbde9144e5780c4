"""Start a headless Chromium, which an interrupted command can close."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType

from greenlet import getcurrent
from playwright.sync_api import Browser, sync_playwright
from playwright.sync_api import Error as BrowserError

from stack.errors import UserError
from stack.setup import toolchain

# Playwright disables these features of Chromium. They are repeated because the browser takes its
# list from the last --disable-features.
DISABLED_BY_PLAYWRIGHT = (
    "AvoidUnnecessaryBeforeUnloadCheckSync",
    "DestroyProfileOnBrowserClose",
    "HttpsUpgrades",
    "HttpsFirstBalancedModeAutoEnable",
    "LensOverlay",
    "MediaRouter",
    "PaintHolding",
    "ThirdPartyStoragePartitioning",
    "AvoidCorsURLLoaderRestartOnRedirect",
    "TcpPortRandomizationWin",
    "OptimizationHints",
    "NetworkTimeServiceQuerying",
    "AimEnabled",
    "PreconnectToSearch",
    "msForceBrowserSignIn",
    "msEdgeUpdateLaunchServicesPreferredVersion",
)
# The suggestions of the address bar, which a headless browser does not show. They are pages in a
# process of their own, which takes half a second of CPU time for each new window.
_SUGGESTIONS = ("WebUIOmniboxPopup", "WebUIOmniboxAimPopup", "WebUIOmniboxFullPopup")
# Skip the browser's own background work, which slows its start, especially without a network.
_QUIET = (
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    f"--disable-features={','.join((*DISABLED_BY_PLAYWRIGHT, *_SUGGESTIONS))}",
)
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def browser() -> Iterator[Browser]:
    """Yield a headless Chromium.

    Raises:
        UserError: no Chromium or Chrome is installed.
    """
    executable = toolchain.chromium()
    if executable is None:
        raise UserError(
            "No Chromium or Chrome was found.",
            hint="Install one, or set THROUGHLINE_CHROMIUM to its path.",
        )
    # Chromium's sandbox does not work as root, which is common in containers and CI.
    arguments = [*_QUIET, *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    with _signals_between_callbacks(), sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=str(executable), args=arguments)
        try:
            yield launched
        finally:
            with suppress(BrowserError):
                launched.close()


@contextmanager
def _signals_between_callbacks() -> Iterator[None]:
    """Run the handlers of signals only where the exceptions they raise are not lost.

    While the caller waits for the browser, Playwright runs an event loop. An exception that a
    handler raises in one of its callbacks skips the rest of the callback, and the loop may then
    wait for ever. So a handler that is called inside the loop runs as a callback of its own.

    A Ctrl-C at the terminal also ends Playwright's driver. If the error of the lost browser
    arrives first, the handler runs instead of it.
    """
    # In other threads Python handles no signals.
    numbers = _SIGNALS if threading.current_thread() is threading.main_thread() else ()
    caller = getcurrent()
    handlers = {
        number: handler for number in numbers if callable(handler := signal.getsignal(number))
    }
    waiting: list[int] = []

    def run_handlers(frame: FrameType | None = None) -> None:
        while waiting:
            number = signal.Signals(waiting.pop())
            handlers[number](number, frame)

    def receive(number: int, frame: FrameType | None) -> None:
        # asyncio and Playwright would log that the driver has ended, and Python would warn of the
        # call that is interrupted.
        for logger in ("asyncio", "playwright"):
            logging.getLogger(logger).setLevel(logging.CRITICAL)
        warnings.filterwarnings("ignore", "coroutine .* was never awaited", RuntimeWarning)
        waiting.append(number)
        if getcurrent() is caller:
            run_handlers(frame)
        else:
            asyncio.get_running_loop().call_soon_threadsafe(run_handlers)

    for number in handlers:
        signal.signal(number, receive)
    try:
        yield
    except BrowserError:
        run_handlers()
        raise
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
