"""A Firestore emulator without a stack around it, whose rules a test may replace."""

from __future__ import annotations

import base64
import json
import re
import signal
import socket
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

import httpx

from stack import paths
from stack.clients.firestore_rest import NO_CERTIFICATES, OWNER, encode
from stack.local.processes import Service
from stack.setup import install, toolchain

PROJECT = "demo-security"
DATABASE = f"projects/{PROJECT}/databases/(default)"
DOCUMENTS = f"{DATABASE}/documents"

START_SECONDS = 60
CALLS_AT_A_TIME = 8
_COMMENT_OR_TEXT = re.compile(r"//[^\n]*|'[^']*'")
_READY = "Dev App Server is now running"
# Except for a query, the emulator evaluates the rules twice: before it has read the document, when
# most values are unknown and cause this message, and afterwards. The second evaluation decides.
_FIRST_EVALUATION = re.compile(r"evaluation error at L\d+:\d+ for '(?!list)\w+' @ L\d+(, )?")


class Outcome(Enum):
    """Whether a request was allowed, and what denied it."""

    ALLOWED = "allowed"
    DENIED = "denied: the condition of each matching rule is false"
    NO_RULE = "denied: no rule matches the request"
    FAILED = "denied: a rule cannot be evaluated"
    INVALID = "refused by Firestore before any rule"


class InvalidRules(Exception):
    """The emulator refuses the rules."""


@dataclass(frozen=True)
class Call:
    """A call of Firestore's REST API: the method of `documents`, such as `:commit`, and a body."""

    method: str
    body: Mapping[str, Any]


@dataclass(frozen=True)
class Expression:
    """A node of the emulator's syntax tree of the rules.

    `start` and `end` are offsets into the source. `values` are the values that the expression had;
    `undefined` is from a first evaluation, and an empty value means that it was not evaluated.
    """

    start: int
    end: int
    line: int
    values: Sequence[Mapping[str, Any]]
    children: Sequence[Expression]

    def walk(self) -> Iterator[Expression]:
        """Yield the expression and its descendants."""
        yield self
        for child in self.children:
            yield from child.walk()


class LoneFirestore:
    """A running emulator at `url`, and the project PROJECT in it."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._project = f"{url}/emulator/v1/projects/{PROJECT}"
        self._documents = f"{url}/v1/{DOCUMENTS}"
        self._client = httpx.Client(timeout=60, verify=NO_CERTIFICATES)

    def load_rules(self, source: str) -> None:
        """Replace the project's rules, and clear the report of evaluated expressions.

        Raises:
            InvalidRules: they do not compile.
        """
        response = self._client.put(
            f"{self._project}:securityRules",
            json={"rules": {"files": [{"name": "firestore.rules", "content": source}]}},
        )
        if response.is_error:
            raise InvalidRules(response.text)

    def reset(self, documents: Mapping[str, Mapping[str, Any]]) -> None:
        """Delete all documents of the project, then write these, by path."""
        database = self._project.removesuffix(PROJECT) + DATABASE.removeprefix("projects/")
        self._client.delete(f"{database}/documents").raise_for_status()
        writes = [
            {"update": {"name": f"{DOCUMENTS}/{path}", **encode(dict(fields))["mapValue"]}}
            for path, fields in documents.items()
        ]
        owner = {"Authorization": f"Bearer {OWNER}"}
        response = self._client.post(
            f"{self._documents}:commit", json={"writes": writes}, headers=owner
        )
        response.raise_for_status()

    def outcome(self, call: Call, token: str | None) -> Outcome:
        """Make a call with a client's ID token, or signed out, and return its outcome."""
        response = self._client.post(
            f"{self._documents}{call.method}",
            json=dict(call.body),
            headers={"Authorization": f"Bearer {token}"} if token else {},
        )
        if response.status_code == httpx.codes.OK:
            return Outcome.ALLOWED
        answer = response.json()
        error = (answer[0] if isinstance(answer, list) else answer)["error"]
        if error["status"] == "ALREADY_EXISTS":
            # Firestore checks whether the document exists after the rules have allowed the write.
            return Outcome.ALLOWED
        if error["status"] == "INVALID_ARGUMENT":
            return Outcome.INVALID
        assert error["status"] == "PERMISSION_DENIED", error
        message = error["message"].strip()
        decision = _FIRST_EVALUATION.sub("", message)
        if decision in ("", "No matching allow statements"):
            return Outcome.NO_RULE
        denied = all(reason.startswith("false for") for reason in decision.split(", "))
        return Outcome.DENIED if denied else Outcome.FAILED

    def outcomes(self, calls: Sequence[tuple[Call, str | None]]) -> list[Outcome]:
        """Make calls with ID tokens, a few at a time, and return their outcomes."""
        with ThreadPoolExecutor(CALLS_AT_A_TIME) as pool:
            return list(pool.map(lambda call: self.outcome(*call), calls))

    def coverage(self) -> list[Expression]:
        """Return the rules' expressions with the values that they had since they were loaded."""
        response = self._client.get(f"{self._project}:ruleCoverage")
        response.raise_for_status()
        report = response.json()
        source = report["rules"]["files"][0]["content"]
        return [_expression(node, source) for node in report.get("report", [])]

    def close(self) -> None:
        """Close the connections."""
        self._client.close()


def _expression(node: Mapping[str, Any], source: str) -> Expression:
    position = node["sourcePosition"]
    start, last = position["currentOffset"], position["endOffset"]
    return Expression(
        start,
        _end(source, start, last + 1),
        position["line"],
        [value["value"] for value in node.get("values", [])],
        [_expression(child, source) for child in node.get("children", [])],
    )


def _end(source: str, start: int, end: int) -> int:
    """Return where an expression ends: after the brackets that the emulator leaves out."""
    if source.startswith("()", end):
        end += len("()")
    while _open_brackets(source[start:end]):
        end += 1
    return end


def _open_brackets(text: str) -> int:
    code = _COMMENT_OR_TEXT.sub("", text)
    return sum(code.count(bracket) for bracket in "([") - sum(map(code.count, ")]"))


def id_token(uid: str, **claims: object) -> str:
    """Return an unsigned ID token; the emulator accepts its claims."""
    now = int(time.time())
    payload = {
        "iss": f"https://securetoken.google.com/{PROJECT}",
        "aud": PROJECT,
        "sub": uid,
        "user_id": uid,
        "iat": now,
        "exp": now + 3600,
        **claims,
    }
    header, body = (
        base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()
        for part in ({"alg": "none", "typ": "JWT"}, payload)
    )
    return f"{header}.{body}."


@contextmanager
def running(log: Path) -> Iterator[LoneFirestore]:
    """Run an emulator on a free port while the block runs; what it prints goes to `log`."""
    port = _free_port()
    log.unlink(missing_ok=True)
    service = Service(
        "The Firestore emulator",
        # It runs for seconds, so the optimising compiler and parallel collection do not pay off.
        [
            *(str(install.java()), "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"),
            *("-jar", str(_jar()), "--host", "127.0.0.1", "--port", str(port)),
        ],
        {},
        log,
        paths.ROOT,
    )
    firestore = LoneFirestore(f"http://127.0.0.1:{port}")
    try:
        deadline = time.monotonic() + START_SECONDS
        while _READY not in log.read_text(errors="replace"):
            service.check()
            assert time.monotonic() < deadline, log.read_text(errors="replace")
            time.sleep(0.1)
        yield firestore
    finally:
        firestore.close()
        service.kill_group(signal.SIGKILL)
        service.process.wait()


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def _jar() -> Path:
    jar = toolchain.downloaded_emulator("firestore") or toolchain.firestore_emulator()
    assert jar, (
        "There is no Firestore emulator: run the tests with ./scripts/test, which installs it"
    )
    return jar
