"""Processes that end with the script that started them.

Each test has a supervisor process of its own, because a supervisor ends every child it has, and
the test's process has others.
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

# Starts `child`, and ends when told to by a line on its standard input.
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
    """Starts a supervisor whose one child does what it is told, and waits until it does."""
    started: list[subprocess.Popen[str]] = []

    def start(doing: str, grace: float = 12.0) -> subprocess.Popen[str]:
        (tmp_path / "child.py").write_text(CHILD + doing + SLEEPS)
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


def test_a_child_is_asked_to_leave_and_leaves_in_good_order(
    supervise: Supervise, tmp_path: Path
) -> None:
    """It gets the signal that Ctrl-C would send, and the time to end what it was doing."""
    supervisor = supervise(LEAVES_WELL)
    said, _ = supervisor.communicate("end\n", timeout=30)
    assert said.split() == ["started", "ended"]
    assert (tmp_path / "left").read_text() == "well"
    assert not is_alive(pid_in(tmp_path / "child"))


def test_a_child_that_will_not_leave_is_made_to(supervise: Supervise, tmp_path: Path) -> None:
    """After its time of grace."""
    supervisor = supervise(IGNORES, grace=0.2)
    said, _ = supervisor.communicate("end\n", timeout=30)
    assert said.split() == ["started", "ended"]
    assert not is_alive(pid_in(tmp_path / "child"))


@pytest.mark.skipif(sys.platform != "linux", reason="needs a subreaper")
@pytest.mark.parametrize("doing", [DETACHES, DETACHES + IGNORES], ids=["polite", "stubborn"])
def test_what_a_child_detached_ends_with_it(
    supervise: Supervise, tmp_path: Path, doing: str
) -> None:
    """A worker in a session of its own, which no group signal reaches, is found nevertheless."""
    supervisor = supervise(doing, grace=0.5)
    assert is_alive(pid_in(tmp_path / "grandchild"))
    said, _ = supervisor.communicate("end\n", timeout=30)
    assert said.split() == ["started", "ended"]
    assert not is_alive(pid_in(tmp_path / "child"))
    assert not is_alive(pid_in(tmp_path / "grandchild"))


def test_an_impatient_second_ctrl_c_skips_the_waiting(supervise: Supervise, tmp_path: Path) -> None:
    """The child would have had ten minutes; nothing is left all the same."""
    supervisor = supervise(IGNORES, grace=600)
    assert supervisor.stdin is not None
    supervisor.send_signal(signal.SIGINT)
    # The first one may still be on its way, and then the two count as one.
    while supervisor.poll() is None:
        supervisor.send_signal(signal.SIGINT)
        try:
            supervisor.wait(0.2)
        except subprocess.TimeoutExpired:
            continue
    assert not is_alive(pid_in(tmp_path / "child"))


@pytest.mark.skipif(sys.platform != "linux", reason="needs a signal at the parent's death")
def test_a_child_dies_with_a_supervisor_that_is_killed(
    supervise: Supervise, tmp_path: Path
) -> None:
    """Nobody is left to end it, so the kernel does."""
    supervisor = supervise(IGNORES)
    child = pid_in(tmp_path / "child")
    assert is_alive(child)
    supervisor.kill()
    supervisor.wait()
    eventually(lambda: not is_alive(child), "the child is gone")


class Quiet(Processes):
    """Processes of the test's own process: started and checked, but never made its subreaper."""

    def __init__(self) -> None:
        self.services = []

    def end(self) -> None:
        for service in self.services:
            service.kill_group(signal.SIGKILL)
            service.process.wait()


def test_a_service_that_ended_is_a_problem_that_quotes_it(tmp_path: Path) -> None:
    """Its status, the line of its log that tells most, and where the log is."""
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


def test_waiting_has_an_end(tmp_path: Path) -> None:
    """A part that never gets ready is a problem that names it."""
    with Quiet() as services, pytest.raises(UserError, match="The thing was not ready within 0 s"):
        wait_until(lambda: False, "The thing", services, 0)


def test_a_service_that_ends_by_itself_is_started_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is said, with the reason; one that ends at once again is given up."""
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
