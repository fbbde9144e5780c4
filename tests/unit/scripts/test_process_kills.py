"""Tests of the kills during a load: planned by a seed, and only in the stack's own processes."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from stack.load import process_kills
from stack.load.process_kills import FUNCTIONS, SERVICES, Kill, ProcessKills, plan
from stack.local import emulators
from stack.local.addresses import StackAddresses
from stack.local.processes import Processes, Service
from tests.unit.local_server import eventually
from tests.unit.scripts.alive import is_alive, pid_in

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="workers are found in /proc")

# As the emulator suite, with a worker behind a shell, which runs a process of its own.
SUITE = """
import os, subprocess, sys
for function in ("reserve", "charge"):
    script = f'''
sleep 600 & echo $! > {function}-child.new && mv {function}-child.new {function}-child
echo $$ > {function}.new && mv {function}.new {function}
wait'''
    subprocess.Popen(["sh", "-c", script], env={**os.environ, "FUNCTION_TARGET": function})
sys.stdin.read()
import time; time.sleep(600)
"""


SERVICE = "import time; time.sleep(600)"


class Stack(Processes):
    """A stack of a suite and of the services that may be killed."""

    def __init__(self, folder: Path) -> None:
        # Not Processes' own: that makes the test's process adopt and kill all orphans.
        self.services = []
        programs = {emulators.NAME: SUITE, **dict.fromkeys(SERVICES, SERVICE)}
        for name, program in programs.items():
            command = [sys.executable, "-c", program]
            self.services.append(Service(name, command, {}, folder / "log", folder))


@pytest.fixture
def stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stack]:
    """Run the stack; its services answer at once."""
    monkeypatch.setattr(process_kills, "answers", lambda _url: True)
    processes = Stack(tmp_path)
    files = [tmp_path / name for name in ("reserve", "charge")]
    eventually(lambda: all(file.exists() for file in files), "the workers start")
    yield processes
    for name in ("reserve", "reserve-child", "charge", "charge-child"):
        subprocess.run(["kill", "-9", (tmp_path / name).read_text()], check=False)
    for service in processes.services:
        service.kill_group(9)
        service.process.wait()


def test_the_same_seed_plans_the_same_kills() -> None:
    assert plan(8, seed=7) == plan(8, seed=7)
    assert plan(8, seed=7) != plan(8, seed=8)


def test_every_function_and_service_is_killed_before_any_is_killed_again() -> None:
    """The moments lie between the first and the last orders, in order."""
    kills = plan(16, seed=1)
    assert sorted(kill.target for kill in kills) == sorted(2 * [*FUNCTIONS, *SERVICES])
    assert {kill.target for kill in kills[:8]} == {*FUNCTIONS, *SERVICES}
    moments = [kill.after for kill in kills]
    assert moments == sorted(moments)
    assert process_kills.EARLIEST <= moments[0] < moments[-1] <= process_kills.LATEST


def test_a_worker_is_killed_with_its_children_and_no_other(stack: Stack, tmp_path: Path) -> None:
    """A process elsewhere that has the same environment lives on too."""
    reserve, child = pid_in(tmp_path / "reserve"), pid_in(tmp_path / "reserve-child")
    charge = pid_in(tmp_path / "charge")
    elsewhere = subprocess.Popen(["sleep", "600"], env={"FUNCTION_TARGET": "reserve"})
    kills = ProcessKills(stack, StackAddresses(), [Kill("reserve", 0.5)], seed=1)
    try:
        kills.advance(0.4, restarted=pytest.fail)
        assert is_alive(reserve)
        kills.advance(0.5, restarted=pytest.fail)
        eventually(lambda: not is_alive(reserve) and not is_alive(child), "the worker ends")
        assert is_alive(charge)
        assert elsewhere.poll() is None
    finally:
        elsewhere.kill()
        elsewhere.wait()
    assert kills.done == ["reserve"]


def test_a_function_without_a_worker_stays_due(stack: Stack) -> None:
    kills = ProcessKills(stack, StackAddresses(), [Kill("audit", 0.5)], seed=1)
    kills.advance(1.0, restarted=pytest.fail)
    assert kills.done == []
    assert kills.planned == 1


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_is_killed_and_restarted(stack: Stack, name: str) -> None:
    """And the caller is told, because redelivery forgets the chaos that was set."""
    before = stack.pid(name)
    restarted: list[str] = []
    kills = ProcessKills(stack, StackAddresses(), [Kill(name, 0.5)], seed=1)
    kills.advance(0.5, restarted.append)
    assert not is_alive(before)
    assert is_alive(stack.pid(name))
    assert restarted == kills.done == [name]
