"""Other projects' commands, run to their end."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from stack import paths
from stack.errors import UserError
from stack.setup import external_command
from tests.unit.local_server import eventually
from tests.unit.scripts.alive import is_alive, pid_in

HINT = "Is the disk full?"


@pytest.fixture(autouse=True)
def logs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Logs of this test's own, and commands that may still begin."""
    monkeypatch.setattr(paths, "ROOT", tmp_path)
    monkeypatch.setattr(external_command, "LOGS", tmp_path / "logs")
    monkeypatch.setattr(external_command, "_ending", threading.Event())
    return tmp_path / "logs"


def sh(script: str) -> list[str]:
    """A command that runs a shell script."""
    return ["/bin/sh", "-c", script]


def run(command: list[str], cwd: Path) -> None:
    """Run a command as the set-up does."""
    external_command.run(command, "step", HINT, cwd=cwd)


def test_all_that_a_command_says_is_in_its_log(logs: Path, tmp_path: Path) -> None:
    """What it says on either channel; nothing reaches the person."""
    external_command.run(sh("echo out; echo err >&2; pwd"), "step", HINT, cwd=tmp_path)
    assert (logs / "step.log").read_text().split() == ["out", "err", str(tmp_path)]


def test_a_command_has_the_environment_and_what_is_added(
    logs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page's settings, for instance."""
    monkeypatch.setenv("FROM_OUTSIDE", "1")
    script = 'test "$FROM_OUTSIDE$ADDED" = 12'
    external_command.run(sh(script), "step", HINT, cwd=tmp_path, env={"ADDED": "2"})


def test_a_command_that_fails_is_a_problem_that_says_what_failed(tmp_path: Path) -> None:
    """Its name, its cause, the hint, and where the rest of it is."""
    script = "echo 'npm error code E404: no such package as left-pad'; echo bye; exit 3"
    with pytest.raises(UserError) as problem:
        run(sh(script), tmp_path)
    assert str(problem.value).startswith("`sh -c ")
    assert str(problem.value).endswith(
        "failed: npm error code E404: no such package as left-pad. "
        "Is the disk full? Full log: logs/step.log"
    )
    assert str(problem.value).count("\n") == 0 or script in str(problem.value)


@pytest.mark.parametrize(
    ("script", "telling"),
    [
        ("exit 1", "it printed nothing"),
        ("echo one; echo two; echo; exit 1", "two"),
        ("printf '\\377\\376 garbage\\n'; exit 1", "garbage"),
        ("echo 'error: x'; echo 'error: the longer one says more'; exit 1", "says more"),
        ("echo 'real error'; echo 'error: a complete log is in /x/y.log'; exit 1", "real error"),
    ],
)
def test_the_line_that_tells_most_is_quoted(script: str, telling: str, tmp_path: Path) -> None:
    """An error where there is one, else the last thing said."""
    with pytest.raises(UserError, match=rf"failed: [^:]*:?[^.]*{telling}\. {HINT[:-1]}"):
        run(sh(script), tmp_path)


def test_a_command_that_is_not_there_is_a_problem_that_names_it(tmp_path: Path) -> None:
    """With the hint."""
    with pytest.raises(UserError) as problem:
        run(["no-such-command", "install"], tmp_path)
    assert str(problem.value) == (
        f"no-such-command can't be run (No such file or directory). {HINT}"
    )


def test_a_command_may_be_tried(tmp_path: Path) -> None:
    """Where failing is an answer, not a problem."""
    assert external_command.succeeds(sh("exit 0"), "step")
    assert not external_command.succeeds(sh("exit 1"), "step")
    assert not external_command.succeeds(["no-such-command"], "step")


def test_commands_in_other_threads_can_be_ended(tmp_path: Path) -> None:
    """One side of the set-up failed: the other's download stops, and nothing else begins."""
    pid_file = tmp_path / "pid"
    problems: list[UserError] = []

    def install() -> None:
        try:
            run(
                sh(f"sleep 600 & echo $! > {pid_file}.new; mv {pid_file}.new {pid_file}; wait"),
                tmp_path,
            )
        except UserError as problem:
            problems.append(problem)

    thread = threading.Thread(target=install)
    thread.start()
    eventually(pid_file.exists, "the command runs")
    external_command.end_all()
    thread.join(20)
    assert len(problems) == 1
    eventually(lambda: not is_alive(pid_in(pid_file)), "what the command started is gone")
    with pytest.raises(UserError, match="Interrupted"):
        run(sh("exit 0"), tmp_path)


def test_a_command_ends_with_a_ctrl_c(tmp_path: Path) -> None:
    """It is in a group of its own, so that the terminal's Ctrl-C reaches the script alone."""
    pid_file = tmp_path / "pid"
    script = (
        "from pathlib import Path\n"
        "from stack.setup import external_command\n"
        f"external_command.LOGS = Path({str(tmp_path)!r})\n"
        f"command = 'sleep 600 & echo $! > {pid_file}.new; mv {pid_file}.new {pid_file}; wait'\n"
        "external_command.run(['/bin/sh', '-c', command], 'step', '')\n"
    )
    scripts = Path(external_command.__file__).parents[2]
    process = subprocess.Popen(
        [sys.executable, "-c", script], cwd=scripts, stderr=subprocess.PIPE, text=True
    )
    try:
        eventually(pid_file.exists, "the command runs")
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=20)
    finally:
        process.kill()
        process.wait()
    assert "KeyboardInterrupt" in said
    eventually(lambda: not is_alive(pid_in(pid_file)), "what the command started is gone")
