"""Tests of running external commands."""

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
    """The folder of the logs; commands are allowed to start."""
    monkeypatch.setattr(paths, "ROOT", tmp_path)
    monkeypatch.setattr(external_command, "LOGS", tmp_path / "logs")
    monkeypatch.setattr(external_command, "_ending", threading.Event())
    return tmp_path / "logs"


def sh(script: str) -> list[str]:
    """Return a command that runs a shell script."""
    return ["/bin/sh", "-c", script]


def run(command: list[str], cwd: Path) -> None:
    """Run a command as the set-up does."""
    external_command.run(command, "step", HINT, cwd=cwd)


def test_stdout_and_stderr_of_a_command_are_in_its_log(logs: Path, tmp_path: Path) -> None:
    external_command.run(sh("echo out; echo err >&2; pwd"), "step", HINT, cwd=tmp_path)
    assert (logs / "step.log").read_text().split() == ["out", "err", str(tmp_path)]


def test_a_command_inherits_the_environment_with_additions(
    logs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FROM_OUTSIDE", "1")
    script = 'test "$FROM_OUTSIDE$ADDED" = 12'
    external_command.run(sh(script), "step", HINT, cwd=tmp_path, env={"ADDED": "2"})


def test_the_error_of_a_failed_command_has_its_name_cause_hint_and_log(tmp_path: Path) -> None:
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
    ("script", "quoted"),
    [
        ("exit 1", "it printed nothing"),
        ("echo one; echo two; echo; exit 1", "two"),
        ("printf '\\377\\376 garbage\\n'; exit 1", "garbage"),
        ("echo 'error: x'; echo 'error: the longer one says more'; exit 1", "says more"),
        ("echo 'real error'; echo 'error: a complete log is in /x/y.log'; exit 1", "real error"),
    ],
)
def test_the_most_informative_line_is_quoted(script: str, quoted: str, tmp_path: Path) -> None:
    """It is an error message if there is one, or else the last line."""
    with pytest.raises(UserError, match=rf"failed: [^:]*:?[^.]*{quoted}\. {HINT[:-1]}"):
        run(sh(script), tmp_path)


def test_the_error_for_a_missing_command_names_it(tmp_path: Path) -> None:
    with pytest.raises(UserError) as problem:
        run(["no-such-command", "install"], tmp_path)
    assert str(problem.value) == (
        f"no-such-command can't be run (No such file or directory). {HINT}"
    )


def test_succeeds_returns_false_for_a_command_that_fails_or_is_missing(tmp_path: Path) -> None:
    assert external_command.succeeds(sh("exit 0"), "step")
    assert not external_command.succeeds(sh("exit 1"), "step")
    assert not external_command.succeeds(["no-such-command"], "step")


def test_end_all_kills_commands_of_other_threads_and_prevents_new_ones(tmp_path: Path) -> None:
    """If one step of the set-up fails, the parallel ones stop."""
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
    eventually(lambda: not is_alive(pid_in(pid_file)), "the command's child has ended")
    with pytest.raises(UserError, match="Interrupted"):
        run(sh("exit 0"), tmp_path)


def test_ctrl_c_ends_the_command_and_its_children(tmp_path: Path) -> None:
    """The command is in its own process group, so the signal reaches only the script."""
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
        _, stderr = process.communicate(timeout=20)
    finally:
        process.kill()
        process.wait()
    assert "KeyboardInterrupt" in stderr
    eventually(lambda: not is_alive(pid_in(pid_file)), "the command's child has ended")
