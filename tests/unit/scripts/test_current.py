"""Tests that commands find the stack of their checkout, and of the errors without one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from stack.commands import trace
from stack.errors import UserError
from stack.local import current
from stack.local.addresses import StackAddresses

ROOT = Path(__file__).resolve().parents[3]
# Nothing listens at this offset.
OFFSET = 3_777


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the running stack."""
    monkeypatch.setattr(current, "recorded", lambda folder=tmp_path: RECORDED(folder))
    monkeypatch.delenv("OTEL_EXPORTER_OTLP_ENDPOINT", raising=False)
    return tmp_path


RECORDED = current.recorded


@pytest.fixture
def running(folder: Path) -> Iterator[StackAddresses]:
    """The addresses of a stack that is recorded in the folder and holds its lock."""
    addresses = StackAddresses(OFFSET)
    with current.exclusive_stack(folder, addresses):
        yield addresses


def test_the_running_stack_is_found_at_its_port_offset(
    running: StackAddresses, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(current, "is_ready", lambda addresses: True)
    assert current.find() == current.require() == running


def test_only_one_stack_runs_from_a_checkout(running: StackAddresses, folder: Path) -> None:
    """The second is an error, and leaves the first one's record."""
    with (
        pytest.raises(UserError, match=r"already running from this checkout.*port offset 3777"),
        current.exclusive_stack(folder, StackAddresses()),
    ):
        pass
    assert current.recorded() == running


def test_a_stack_that_ended_is_not_found(folder: Path) -> None:
    """It deletes its record."""
    with current.exclusive_stack(folder, StackAddresses(OFFSET)):
        pass
    assert current.recorded() is None


def test_a_stack_that_was_killed_is_not_found(folder: Path) -> None:
    """It leaves its record, but not its lock."""
    script = (
        "import os, signal; from pathlib import Path; from stack.local import current\n"
        "from stack.local.addresses import StackAddresses\n"
        f"with current.exclusive_stack(Path({str(folder)!r}), StackAddresses({OFFSET})):\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "scripts")}
    subprocess.run([sys.executable, "-c", script], env=environment, check=False)
    assert json.loads((folder / "stack.json").read_text())["port_offset"] == OFFSET
    assert current.recorded() is None


def test_an_invalid_record_is_ignored(folder: Path) -> None:
    """A record may be incomplete because the disk was full."""
    for text in ("", "{", "[]", '{"pid": 1}', '{"pid": 1, "port_offset": "many"}'):
        (folder / "stack.json").write_text(text)
        (folder / "lock").touch()
        assert current.recorded() is None


def test_without_a_stack_the_error_says_how_to_start_one() -> None:
    with pytest.raises(UserError) as error:
        current.require()
    assert str(error.value) == (
        "No stack of this checkout is running. Start one in another terminal: ./scripts/dev"
    )


@pytest.mark.usefixtures("running")
def test_while_the_stack_is_starting_the_error_says_to_wait() -> None:
    """It holds its lock, and does not answer yet."""
    with pytest.raises(UserError, match=r"is not ready.* Wait until \./scripts/dev prints"):
        current.require()


def test_for_an_offset_without_a_stack_the_error_names_offset_address_and_command() -> None:
    with pytest.raises(UserError) as error:
        current.require(OFFSET)
    assert str(error.value).startswith("No stack runs at port offset 3777: nothing answers at http")
    assert "./scripts/dev --port-offset 3777" in error.value.hint


def test_trace_queries_the_observatory_of_the_running_stack(running: StackAddresses) -> None:
    """It does not query the one on the default port."""
    assert trace.observatory_url() == running.observatory == "http://127.0.0.1:8095"


@pytest.mark.usefixtures("running")
def test_the_otlp_endpoint_takes_precedence_over_the_running_stack(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
    assert trace.observatory_url() == "http://127.0.0.1:9"


def test_trace_without_a_stack_says_how_to_name_an_observatory() -> None:
    with pytest.raises(UserError) as error:
        trace.observatory_url()
    assert str(error.value) == (
        "No stack of this checkout is running. Start one with ./scripts/dev, or name an "
        "Observatory with --observatory URL."
    )
