"""Every command that the tutorial tells a reader to type is typed here, on the stack under test."""

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
# Once, however many documents say it.
COMMANDS = {
    command.line: (document, command)
    for document in reversed(DOCUMENTS)
    for command in markdown.commands(document)
}.values()
# An example's ids, which are put in place of by real ones: a trace's, short or whole; an order's.
TRACE_ID = re.compile(r"\b[0-9a-f]{8}(?:[0-9a-f]{24})?\b")
ORDER_ID = re.compile(r"\b(?=\w*\d)(?=\w*[A-Z])\w{20}\b")
DEFAULT_PORT = re.compile(r"\b127\.0\.0\.1:(\d{4,5})\b")


class Typist:
    """Types a command as it stands, or does what it would do to a stack that runs already."""

    def __init__(self, addresses: Addresses, observatory: Observatory, played: PlayOnce) -> None:
        self.addresses = addresses
        self.observatory = observatory
        self.played = played

    def type(self, command: Command) -> None:
        """Fails where the command would."""
        script, *arguments = command.words
        instead = INSTEAD.get(script)
        if instead and instead(self, arguments):
            return
        done = self.run(["bash", "-c", self.with_real_ids(command.line)])
        assert done.returncode == 0, f"{command.line}\n{done.stdout}{done.stderr}"

    def run(self, command: list[str]) -> subprocess.CompletedProcess[str]:
        """Run a command in the checkout, with the stack under test for the one that runs."""
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
        """The line with ids that are stored, and with the ports of the stack under test."""
        traces = self.observatory.traces(100)["traces"]
        orders = [trace for trace in traces if trace["order_id"]]
        assert len(orders) > 1, "there are no orders yet"
        # Each id of the line another trace's, so that two can be compared.
        unused = iter(orders)
        line = TRACE_ID.sub(lambda found: next(unused)["trace_id"][: len(found[0])], line)
        line = ORDER_ID.sub(lambda _: str(next(unused)["order_id"]), line)
        return DEFAULT_PORT.sub(
            lambda found: f"127.0.0.1:{int(found[1]) + self.addresses.offset}", line
        )

    def dev(self, arguments: list[str]) -> bool:
        """`./scripts/dev` is what the stack under test was started like; with --buy, what it does
        once one runs."""
        if "--buy" not in arguments:
            for address in ("/", "/organiser", "/docs/"):
                httpx.get(self.addresses.hosting + address).raise_for_status()
            return True
        offset = ("--port-offset", str(self.addresses.offset))
        done = self.run(["./scripts/dev", *arguments, *offset])
        assert done.returncode == 0, done.stdout + done.stderr
        return True

    def scenario(self, arguments: list[str]) -> bool:
        """Playing is shared with the other tests of scenarios; all else is typed."""
        command, *arguments = arguments
        if command != "run":
            return False
        names = [word for word in arguments if not word.startswith("-")]
        for name in names or scenarios.names():
            assert self.played(name, "--fixed" in arguments).is_as_expected, name
        return True

    def trace(self, arguments: list[str]) -> bool:
        """`coverage` exits with 1 here, since a scenario drops the context on purpose."""
        if arguments != ["coverage"]:
            return False
        done = self.run(["./scripts/trace", *arguments])
        assert done.stdout.startswith("Coverage "), done.stdout + done.stderr
        return True

    def test(self, arguments: list[str]) -> bool:
        """Tests don't run tests: they see that there are some. All of them are what CI runs."""
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

    def check(self, arguments: list[str]) -> bool:
        """It is what CI runs first."""
        return not arguments and is_run_by_ci("./scripts/check")


def is_run_by_ci(command: str) -> bool:
    """Whether CI runs a command; it takes too long to run again."""
    return command in (ROOT / ".ci" / "run").read_text().splitlines()


INSTEAD: dict[str, Callable[[Typist, list[str]], bool]] = {
    "./scripts/dev": Typist.dev,
    "./scripts/scenario": Typist.scenario,
    "./scripts/trace": Typist.trace,
    "./scripts/test": Typist.test,
    "./scripts/check": Typist.check,
}


@pytest.fixture
def typist(addresses: Addresses, observatory: Observatory, played: PlayOnce) -> Typist:
    """Somebody who reads the tutorial."""
    return Typist(addresses, observatory, played)


@pytest.mark.parametrize(
    ("document", "command"),
    COMMANDS,
    ids=[f"{relative_name(document)}: {command.line[:60]}" for document, command in COMMANDS],
)
def test_a_command_can_be_typed_as_it_stands(
    document: Path, command: Command, typist: Typist, played: PlayOnce
) -> None:
    """It exits with 0; on a scenario's page, after that scenario was played."""
    if document.parent == scenario_page.FOLDER and document.stem in scenarios.names():
        played(document.stem, False)
    typist.type(command)
