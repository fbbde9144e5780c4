"""Tests that processes end with the script that started them.

Each test starts its own supervisor process, because a supervisor kills all of its children, and the
test's process has others.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import stack.local.processes
from stack.errors import UserError
from stack.local.processes import Processes, Service, wait_until
from tests.unit.local_server import eventually
from tests.unit.scripts.alive import is_alive, pid_in

SCRIPTS = Path(stack.local.processes.__file__).parents[2]

# Starts `child`, and ends when it reads a line from its standard input.
SUPERVISOR = """
import sys
from pathlib import Path
from stack.local import processes
processes.GRACE_SECONDS = {grace}
folder = Path({folder!r})
with processes.Processes() as services:
    child = [sys.executable, "-c", Path(folder / "child.py").read_text()]
    services.start("child", child, {{"FOLDER": str(folder)}}, folder / "log", folder)
    print("started", flush=True)
    sys.stdin.readline()
print("ended", flush=True)
"""

CHILD = """
import os, signal, subprocess, sys, time
from pathlib import Path
folder = Path(os.environ["FOLDER"])
def ready(name, pid):
    (folder / (name + ".new")).write_text(str(pid))
    (folder / (name + ".new")).rename(folder / name)
"""
SLEEPS = 'ready("child", os.getpid())\ntime.sleep(600)\n'
DETACHES = """
detached = subprocess.Popen(["sleep", "600"], start_new_session=True)
ready("grandchild", detached.pid)
"""
IGNORES = (
    "signal.signal(signal.SIGINT, signal.SIG_IGN)\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
)
LEAVES_WELL = """
def leave(*_):
    (folder / "left").write_text("well")
    sys.exit(0)
signal.signal(signal.SIGINT, leave)
"""

Supervise = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def supervise(tmp_path: Path) -> Iterator[Supervise]:
    """Starts a supervisor with one child that runs the given code, and waits for the child."""
    started: list[subprocess.Popen[str]] = []

    def start(code: str, grace: float = 12.0) -> subprocess.Popen[str]:
        (tmp_path / "child.py").write_text(CHILD + code + SLEEPS)
        supervisor = subprocess.Popen(
            [sys.executable, "-c", SUPERVISOR.format(grace=grace, folder=str(tmp_path))],
            cwd=SCRIPTS,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(supervisor)
        eventually((tmp_path / "child").exists, "the child is up")
        return supervisor

    yield start
    for supervisor in started:
        supervisor.kill()
        supervisor.communicate()


def test_a_child_receives_sigint_and_time_to_end_cleanly(
    supervise: Supervise, tmp_path: Path
) -> None:
    supervisor = supervise(LEAVES_WELL)
    output, _ = supervisor.communicate("end\n", timeout=30)
    assert output.split() == ["started", "ended"]
    assert (tmp_path / "left").read_text() == "well"
    assert not is_alive(pid_in(tmp_path / "child"))


def test_a_child_that_ignores_signals_is_killed_after_the_grace_period(
    supervise: Supervise, tmp_path: Path
) -> None:
    supervisor = supervise(IGNORES, grace=0.2)
    output, _ = supervisor.communicate("end\n", timeout=30)
    assert output.split() == ["started", "ended"]
    assert not is_alive(pid_in(tmp_path / "child"))


@pytest.mark.skipif(sys.platform != "linux", reason="needs a subreaper")
@pytest.mark.parametrize("code", [DETACHES, DETACHES + IGNORES], ids=["polite", "stubborn"])
def test_a_detached_grandchild_is_ended_too(
    supervise: Supervise, tmp_path: Path, code: str
) -> None:
    """It has its own session, so a signal to the group does not reach it."""
    supervisor = supervise(code, grace=0.5)
    assert is_alive(pid_in(tmp_path / "grandchild"))
    output, _ = supervisor.communicate("end\n", timeout=30)
    assert output.split() == ["started", "ended"]
    assert not is_alive(pid_in(tmp_path / "child"))
    assert not is_alive(pid_in(tmp_path / "grandchild"))


def test_a_second_ctrl_c_skips_the_grace_period(supervise: Supervise, tmp_path: Path) -> None:
    """The child is killed, although its grace period is ten minutes."""
    supervisor = supervise(IGNORES, grace=600)
    assert supervisor.stdin is not None
    supervisor.send_signal(signal.SIGINT)
    # Two signals that arrive together count as one, so send more until the supervisor has ended.
    while supervisor.poll() is None:
        supervisor.send_signal(signal.SIGINT)
        try:
            supervisor.wait(0.2)
        except subprocess.TimeoutExpired:
            continue
    assert not is_alive(pid_in(tmp_path / "child"))


@pytest.mark.skipif(sys.platform != "linux", reason="needs a signal at the parent's death")
def test_the_kernel_ends_a_child_whose_supervisor_was_killed(
    supervise: Supervise, tmp_path: Path
) -> None:
    supervisor = supervise(IGNORES)
    child = pid_in(tmp_path / "child")
    assert is_alive(child)
    supervisor.kill()
    supervisor.wait()
    eventually(lambda: not is_alive(child), "the child is gone")


class Quiet(Processes):
    """Processes of the test's own process, without making it a subreaper."""

    def __init__(self) -> None:
        self.services = []

    def end(self) -> None:
        for service in self.services:
            service.kill_group(signal.SIGKILL)
            service.process.wait()


def test_the_error_for_a_service_that_ended_has_its_status_last_error_and_log(
    tmp_path: Path,
) -> None:
    with Quiet() as services:
        script = "echo Error: the port is taken; echo bye; exit 4"
        service = services.start(
            "The thing", ["/bin/sh", "-c", script], {}, tmp_path / "log", tmp_path
        )
        service.process.wait()
        with pytest.raises(UserError) as problem:
            services.check()
        with pytest.raises(UserError):
            wait_until(lambda: False, "The thing", services, 60)
    log = tmp_path / "log"
    assert str(problem.value) == (
        f"The thing ended with status 4: Error: the port is taken (full log: {log})"
    )


def test_a_service_that_is_not_ready_in_time_is_an_error(tmp_path: Path) -> None:
    with Quiet() as services, pytest.raises(UserError, match="The thing was not ready within 0 s"):
        wait_until(lambda: False, "The thing", services, 0)


def test_a_service_that_ends_is_restarted_unless_it_had_just_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    command = [sys.executable, "-c", "import sys; sys.exit('Error: no room')"]
    service = Service("The part", command, os.environ, tmp_path / "log", tmp_path)
    first = service.process
    first.wait()
    with pytest.raises(UserError, match="The part ended with status 1: Error: no room"):
        service.revive()
    monkeypatch.setattr("stack.local.processes.SHORT_LIFE_SECONDS", 0.0)
    service.revive()
    service.process.wait()
    assert service.process.pid != first.pid
    assert "Restarting it" in capsys.readouterr().err
