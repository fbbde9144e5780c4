"""Which stack runs from this checkout, and what a command says where none does."""

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
    """A folder of this test's own for the running stack."""
    monkeypatch.setattr(current, "recorded", lambda folder=tmp_path: RECORDED(folder))
    monkeypatch.delenv("OTEL_EXPORTER_OTLP_ENDPOINT", raising=False)
    return tmp_path


RECORDED = current.recorded


@pytest.fixture
def running(folder: Path) -> Iterator[StackAddresses]:
    """A stack that says that it runs from the folder, and holds its lock."""
    addresses = StackAddresses(OFFSET)
    with current.exclusive_stack(folder, addresses):
        yield addresses


def test_the_running_stack_is_found_at_its_port_offset(
    running: StackAddresses, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the offset; no command has to be told."""
    monkeypatch.setattr(current, "is_ready", lambda addresses: True)
    assert current.find() == current.require() == running


def test_only_one_stack_runs_from_a_checkout(running: StackAddresses, folder: Path) -> None:
    """The second is told so, and takes nothing from the first."""
    with (
        pytest.raises(UserError, match=r"already running from this checkout.*port offset 3777"),
        current.exclusive_stack(folder, StackAddresses()),
    ):
        pass
    assert current.recorded() == running


def test_a_stack_that_ended_is_not_found(folder: Path) -> None:
    """Its record goes with it."""
    with current.exclusive_stack(folder, StackAddresses(OFFSET)):
        pass
    assert current.recorded() is None


def test_a_stack_that_was_killed_is_not_found(folder: Path) -> None:
    """It leaves its record behind, but not its lock."""
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


def test_a_record_cut_short_is_no_stack(folder: Path) -> None:
    """The disk was full, or something else wrote the file."""
    for text in ("", "{", "[]", '{"pid": 1}', '{"pid": 1, "port_offset": "many"}'):
        (folder / "stack.json").write_text(text)
        (folder / "lock").touch()
        assert current.recorded() is None


def test_without_a_stack_one_is_told_how_to_start_it() -> None:
    """On one line."""
    with pytest.raises(UserError) as error:
        current.require()
    assert str(error.value) == (
        "No stack of this checkout is running. Start one in another terminal: ./scripts/dev"
    )


@pytest.mark.usefixtures("running")
def test_a_stack_that_is_still_starting_is_to_be_waited_for() -> None:
    """It holds its lock, and does not answer yet."""
    with pytest.raises(UserError, match=r"is not ready.* Wait until \./scripts/dev prints"):
        current.require()


def test_an_offset_at_which_no_stack_runs_is_named() -> None:
    """With the address that does not answer, and the command that starts one there."""
    with pytest.raises(UserError) as error:
        current.require(OFFSET)
    assert str(error.value).startswith("No stack runs at port offset 3777: nothing answers at http")
    assert "./scripts/dev --port-offset 3777" in error.value.hint


def test_trace_asks_the_observatory_of_the_running_stack(running: StackAddresses) -> None:
    """Not whichever Observatory answers on the default port."""
    assert trace.observatory_url() == running.observatory == "http://127.0.0.1:8095"


@pytest.mark.usefixtures("running")
def test_the_environment_goes_before_the_running_stack(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where telemetry is sent on purpose, it is read."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
    assert trace.observatory_url() == "http://127.0.0.1:9"


def test_trace_without_a_stack_says_how_to_name_an_observatory() -> None:
    """On one line."""
    with pytest.raises(UserError) as error:
        trace.observatory_url()
    assert str(error.value) == (
        "No stack of this checkout is running. Start one with ./scripts/dev, or name an "
        "Observatory with --observatory URL."
    )
