"""Compiles security rules with the Firestore emulator, which contains Firestore's compiler."""

from __future__ import annotations

import json
import re
import signal
import socket
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from stack import paths
from stack.console import step
from stack.errors import UserError
from stack.local.addresses import HOST
from stack.local.processes import Service
from stack.setup import install, toolchain

START_SECONDS = 60.0
_URL = "http://{host}:{port}/emulator/v1/projects/demo-compile:securityRules"
_AT = re.compile(r"^L(?P<line>\d+):\d+ (?P<message>.*)$", re.MULTILINE)


@dataclass(frozen=True)
class Issue:
    """An error or a warning of the compiler, and its line."""

    line: int
    message: str


def compile_rules(source: str) -> list[Issue]:
    """Return what the compiler says about the rules; nothing if they are right.

    Raises:
        UserError: there is no emulator, or it does not start.
    """
    jar = toolchain.downloaded_emulator("firestore") or toolchain.firestore_emulator()
    if jar is None:
        raise UserError(
            "The Firestore emulator, which compiles the rules, is not installed.",
            hint="Run ./scripts/check, which installs it.",
        )
    with tempfile.TemporaryDirectory() as folder, step("Compiling the rules"):
        port = _free_port()
        service = Service(
            "The Firestore emulator",
            # It runs for seconds, so the optimising compiler does not pay off.
            [
                *(str(install.java()), "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"),
                *("-jar", str(jar), "--host", HOST, "--port", str(port)),
            ],
            {},
            Path(folder) / "firestore.log",
            paths.ROOT,
        )
        try:
            return list(_compile(service, port, source))
        finally:
            service.kill_group(signal.SIGKILL)
            service.process.wait()


def _compile(service: Service, port: int, source: str) -> Iterator[Issue]:
    body = {"rules": {"files": [{"name": "firestore.rules", "content": source}]}}
    request = urllib.request.Request(  # noqa: S310
        _URL.format(host=HOST, port=port),
        data=json.dumps(body).encode(),
        headers={"Content-Type": "application/json"},
        method="PUT",
    )
    deadline = time.monotonic() + START_SECONDS
    while True:
        service.check()
        try:
            with urllib.request.urlopen(request, timeout=START_SECONDS) as response:  # noqa: S310
                answer = json.load(response)
            break
        except urllib.error.HTTPError as error:
            message = json.load(error)["error"]["message"]
            for match in _AT.finditer(message):
                yield Issue(int(match["line"]), match["message"])
            return
        except OSError:
            if time.monotonic() > deadline:
                raise UserError(
                    f"The Firestore emulator did not start within {START_SECONDS:.0f} s."
                ) from None
            time.sleep(0.1)
    for issue in answer.get("issues", []):
        yield Issue(issue["sourcePosition"]["line"], issue["description"])


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind((HOST, 0))
        port: int = listener.getsockname()[1]
        return port
