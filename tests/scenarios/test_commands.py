"""Runs every command of the documentation on the stack under test."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from observatory.client import Observatory
from stack.scenario_runner import scenario as scenarios
from tests.addresses import Addresses
from tests.docs import markdown, scenario_page
from tests.docs.markdown import ROOT, Command, checkout, relative_name
from tests.scenarios.conftest import PlayOnce

SECONDS = 90
DOCUMENTS = checkout("README.md", "CONTRIBUTING.md", "docs/*.md", "docs/**/*.md")
# Each command once, even if several documents have it, with different comments.
COMMANDS = {
    tuple(command.words): (document, command)
    for document in reversed(DOCUMENTS)
    for command in markdown.commands(document)
}.values()
# The ids in examples, which are replaced with real ones: of traces (short or full) and of orders.
TRACE_ID = re.compile(r"\b[0-9a-f]{8}(?:[0-9a-f]{24})?\b")
ORDER_ID = re.compile(r"\b(?=\w*\d)(?=\w*[A-Z])\w{20}\b")
DEFAULT_PORT = re.compile(r"\b127\.0\.0\.1:(\d{4,5})\b")


class CommandRunner:
    """Runs a command unchanged, or an equivalent for a stack that is already running."""

    def __init__(self, addresses: Addresses, observatory: Observatory, played: PlayOnce) -> None:
        self.addresses = addresses
        self.observatory = observatory
        self.played = played

    def run_documented(self, command: Command) -> None:
        """Run a command or its equivalent; fail if the command would fail."""
        script, *arguments = command.words
        equivalent = EQUIVALENTS.get(script)
        if equivalent and equivalent(self, arguments):
            return
        done = self.run(["bash", "-c", self.with_real_ids(command.line)])
        assert done.returncode == 0, f"{command.line}\n{done.stdout}{done.stderr}"

    def run(self, command: list[str]) -> subprocess.CompletedProcess[str]:
        """Run a command in the checkout with the stack under test."""
        environment = {
            **os.environ,
            "OTEL_EXPORTER_OTLP_ENDPOINT": self.addresses.observatory,
            "PATH": os.pathsep.join([str(ROOT / ".venv" / "bin"), os.environ["PATH"]]),
        }
        return subprocess.run(
            command,
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )

    def with_real_ids(self, line: str) -> str:
        """Replace the ids in a line with stored ones, and ports with those of the stack."""
        traces = self.observatory.traces(100)["traces"]
        orders = [trace for trace in traces if trace["order_id"]]
        assert len(orders) > 1, "the Observatory has no two traces of orders"
        # Each id in the line is replaced with that of another trace, so that two can be compared.
        unused = iter(orders)
        line = TRACE_ID.sub(lambda match: next(unused)["trace_id"][: len(match[0])], line)
        line = ORDER_ID.sub(lambda _: str(next(unused)["order_id"]), line)
        return DEFAULT_PORT.sub(
            lambda match: f"127.0.0.1:{int(match[1]) + self.addresses.offset}", line
        )

    def dev(self, arguments: list[str]) -> bool:
        """`./scripts/dev`: check the addresses of the running stack, or run --buy on it."""
        if "--buy" not in arguments:
            for address in ("/", "/organiser", "/docs/"):
                httpx.get(self.addresses.hosting + address).raise_for_status()
            return True
        offset = ("--port-offset", str(self.addresses.offset))
        done = self.run(["./scripts/dev", *arguments, *offset])
        assert done.returncode == 0, done.stdout + done.stderr
        return True

    def scenario(self, arguments: list[str]) -> bool:
        """`./scripts/scenario run`: use the result that the other tests share."""
        command, *arguments = arguments
        if command != "run":
            return False
        names = [word for word in arguments if not word.startswith("-")]
        for name in names or scenarios.names():
            assert self.played(name, "--fixed" in arguments).is_as_expected, name
        return True

    def trace(self, arguments: list[str]) -> bool:
        """`./scripts/trace coverage` exits with 1, because a scenario drops the context."""
        if arguments != ["coverage"]:
            return False
        done = self.run(["./scripts/trace", *arguments])
        assert done.stdout.startswith("Coverage "), done.stdout + done.stderr
        return True

    def test(self, arguments: list[str]) -> bool:
        """`./scripts/test`: only collect the tests; without arguments, check that CI runs it."""
        if not arguments:
            return is_run_by_ci("./scripts/test")
        tiers, _, options = " ".join(arguments).partition(" -- ")
        folders = [f"tests/{tier}" for tier in tiers.split()]
        pytest_options = [word for word in options.split() if word != "--pictures"]
        done = self.run(
            [sys.executable, "-m", "pytest", "--collect-only", "-q", *folders, *pytest_options]
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return True

    def deploy(self, arguments: list[str]) -> bool:
        """`./scripts/deploy`: only read the options; tests/production checks and deploys."""
        return self.has_help("./scripts/deploy", arguments)

    def firebase(self, arguments: list[str]) -> bool:
        """`firebase`: only check that the command exists, because it needs an account."""
        return self.has_help("./node_modules/.bin/firebase", arguments)

    def has_help(self, script: str, arguments: list[str]) -> bool:
        """Fail if the command does not accept its arguments together with --help."""
        done = self.run([script, *arguments, "--help"])
        assert done.returncode == 0, done.stdout + done.stderr
        return True

    def check(self, arguments: list[str]) -> bool:
        """`./scripts/check`: check that CI runs it."""
        return not arguments and is_run_by_ci("./scripts/check")


def is_run_by_ci(command: str) -> bool:
    """Return whether CI runs a command, which takes too long to run here."""
    return command in (ROOT / ".ci" / "run").read_text().splitlines()


EQUIVALENTS: dict[str, Callable[[CommandRunner, list[str]], bool]] = {
    "./scripts/dev": CommandRunner.dev,
    "./scripts/scenario": CommandRunner.scenario,
    "./scripts/trace": CommandRunner.trace,
    "./scripts/test": CommandRunner.test,
    "./scripts/check": CommandRunner.check,
    "./scripts/deploy": CommandRunner.deploy,
    "./node_modules/.bin/firebase": CommandRunner.firebase,
}


@pytest.fixture
def runner(addresses: Addresses, observatory: Observatory, played: PlayOnce) -> CommandRunner:
    """Runs commands on the stack under test."""
    return CommandRunner(addresses, observatory, played)


@pytest.mark.parametrize(
    ("document", "command"),
    COMMANDS,
    ids=[f"{relative_name(document)}: {command.line[:60]}" for document, command in COMMANDS],
)
def test_a_documented_command_exits_with_0(
    document: Path, command: Command, runner: CommandRunner, played: PlayOnce
) -> None:
    """A command on a scenario's page runs after the scenario."""
    if document.parent == scenario_page.FOLDER and document.stem in scenarios.names():
        played(document.stem, False)
    runner.run_documented(command)
