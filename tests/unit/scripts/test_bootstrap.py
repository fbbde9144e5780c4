"""Tests of the creation of .venv by the first command, and of its updates.

Each test has its own checkout with a fake uv. The Python that it installs prints its arguments
instead of running a command.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.local_server import eventually
from tests.unit.scripts.executables import executable

ROOT = Path(__file__).resolve().parents[3]

# Handles `uv venv … FOLDER` and `uv pip install … -r FILE`, and logs a line for each call.
UV = """
echo "$1" >> "$UV_LOG"
for last; do :; done
if [ "$1" = venv ]; then
  rm -rf "$last" && mkdir -p "$last/bin"
  printf '#!/bin/sh\\necho "$*; PYTHONPATH=$PYTHONPATH"\\n' > "$last/bin/python"
  chmod +x "$last/bin/python"
elif [ -n "${UV_WAITS:-}" ]; then
  touch "$UV_WAITS.there"
  while [ -e "$UV_WAITS" ]; do sleep 0.05; done
fi
[ -z "${UV_FAILS:-}" ] || { echo "error: no such host"; exit 1; }
"""


class Checkout:
    """A checkout with only the scripts, and a way to run a command in it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        shutil.copytree(ROOT / "scripts" / "stack", root / "scripts" / "stack")
        shutil.copy(ROOT / "scripts" / "trace", root / "scripts" / "trace")
        self.requirements = root / "requirements.txt"
        self.requirements.write_text("one==1\n")
        self.path = root / "bin"
        executable(self.path / "uv", UV)
        for name in ("sh", "dirname", "cat", "cmp", "rm", "mkdir", "chmod", "touch", "sleep"):
            program = shutil.which(name)
            assert program is not None
            (self.path / name).symlink_to(program)
        (self.path / "python3").symlink_to(sys.executable)
        self.log = root / "uv.log"

    def begin(self, **env: str) -> subprocess.Popen[str]:
        """Start `./scripts/trace ls`."""
        return subprocess.Popen(
            [self.root / "scripts" / "trace", "ls"],
            env={"PATH": str(self.path), "UV_LOG": str(self.log), **env},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            process_group=0,
        )

    def trace(self, **env: str) -> tuple[int, str, str]:
        """Run `./scripts/trace ls`, and return its exit status, stdout and stderr."""
        with self.begin(**env) as process:
            out, err = process.communicate(timeout=60)
        return process.returncode, out, err

    def times_made(self) -> int:
        """Return how often the environment was created."""
        return self.log.read_text().split().count("venv") if self.log.exists() else 0

    def fake_python(self, name: str, version: str) -> Path:
        """Write a Python that reports `version` and runs this one."""
        script = (
            f'[ "$1" = -I ] && {{ echo "{version}"; exit 0; }}\nexec {sys.executable} -c "'
            f"import runpy, sys; sys.version = '{version}'; "
            "sys.argv = sys.argv[3:]; sys.path.insert(0, '$PYTHONPATH'); "
            "runpy.run_module('stack.setup.bootstrap', run_name='__main__')\" \"$@\""
        )
        return executable(self.path / name, script)


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    """A new checkout."""
    return Checkout(tmp_path)


def test_the_first_command_creates_the_environment_and_runs_in_it(checkout: Checkout) -> None:
    """It passes the arguments, and a PYTHONPATH with all module folders."""
    status, out, err = checkout.trace()
    assert status == 0, err
    root = checkout.root
    assert out == (f"-P -m stack trace ls; PYTHONPATH={root}/scripts:{root}:{root}/functions\n")
    assert "Python packages" in err


def test_the_environment_is_created_once(checkout: Checkout) -> None:
    """The second command prints nothing about it."""
    checkout.trace()
    assert checkout.trace()[2] == ""
    assert checkout.times_made() == 1


def test_changed_requirements_are_installed_once(checkout: Checkout) -> None:
    checkout.trace()
    checkout.requirements.write_text("one==2\n")
    checkout.trace()
    checkout.trace()
    assert checkout.times_made() == 2


def test_the_environment_is_replaced_for_another_python(checkout: Checkout) -> None:
    """The system's Python was upgraded, or THROUGHLINE_PYTHON names another one."""
    checkout.trace()
    named = checkout.fake_python("other", "3.12.99 (of this test)")
    status, out, err = checkout.trace(THROUGHLINE_PYTHON=str(named))
    assert (status, out[:2]) == (0, "-P"), err
    assert checkout.times_made() == 2
    assert checkout.trace(THROUGHLINE_PYTHON=str(named))[2] == ""
    assert checkout.times_made() == 2


def test_an_environment_whose_python_was_removed_is_replaced(checkout: Checkout) -> None:
    """Its link to the system's Python is broken."""
    checkout.trace()
    python = checkout.root / ".venv" / "bin" / "python"
    python.unlink()
    python.symlink_to(checkout.root / "nowhere")
    assert checkout.trace()[0] == 0
    assert checkout.times_made() == 2


def test_concurrent_commands_create_the_environment_once(
    checkout: Checkout, tmp_path: Path
) -> None:
    """The second prints that it waits, and then runs."""
    gate = tmp_path / "gate"
    gate.touch()
    with checkout.begin(UV_WAITS=str(gate)) as first:
        eventually(Path(f"{gate}.there").exists, "the first is installing")
        with checkout.begin() as second:
            assert second.stderr is not None
            assert "Another Throughline script is setting up" in second.stderr.readline()
            gate.unlink()
            assert second.communicate(timeout=30)[0].startswith("-P -m stack trace ls")
        assert first.communicate(timeout=30)[0].startswith("-P -m stack trace ls")
    assert (first.returncode, second.returncode) == (0, 0)
    assert checkout.times_made() == 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_an_interrupted_set_up_is_repeated(
    checkout: Checkout, tmp_path: Path, number: signal.Signals
) -> None:
    """It is repeated even if the incomplete environment already has a Python."""
    gate = tmp_path / "gate"
    gate.touch()
    with checkout.begin(UV_WAITS=str(gate)) as first:
        eventually(Path(f"{gate}.there").exists, "it is installing")
        os.killpg(first.pid, number)
        _, err = first.communicate(timeout=30)
    gate.unlink()
    if number != signal.SIGKILL:
        assert "Interrupted" in err
        assert "Traceback" not in err
    assert first.returncode != 0
    assert (checkout.root / ".venv" / "bin" / "python").exists()
    assert checkout.trace()[0] == 0
    assert checkout.times_made() == 2


def test_a_failed_download_is_one_line_with_a_hint(checkout: Checkout) -> None:
    """The command does not run; the next one tries again."""
    status, out, err = checkout.trace(UV_FAILS="1")
    assert (status, out) == (1, "")
    assert "error: no such host." in err.splitlines()[-1]
    assert "Full log: .throughline/logs/venv-root.log" in err.splitlines()[-1]
    assert checkout.trace()[0] == 0


@pytest.mark.parametrize("pythons", ["none", "too old or too new"])
def test_without_a_supported_python_the_error_names_versions_and_a_remedy(
    checkout: Checkout, pythons: str
) -> None:
    (checkout.path / "python3").unlink()
    if pythons != "none":
        for name in ("python3", "python3.11", "python"):
            executable(checkout.path / name, "exit 1")
    assert checkout.trace() == (
        1,
        "",
        "Throughline needs Python 3.11 to 3.14, and none was found. Install one, or set "
        "THROUGHLINE_PYTHON to its path.\n",
    )


def test_the_first_supported_python_is_used(checkout: Checkout) -> None:
    """An unsupported python3 is skipped."""
    (checkout.path / "python3").unlink()
    executable(checkout.path / "python3", "exit 1")
    (checkout.path / "python3.12").symlink_to(sys.executable)
    assert checkout.trace()[0] == 0


def test_throughline_python_takes_precedence_over_path(checkout: Checkout) -> None:
    named = checkout.fake_python("chosen", "3.13.77 (chosen)")
    assert checkout.trace(THROUGHLINE_PYTHON=str(named))[0] == 0
    assert (checkout.root / ".venv" / "made-with-python").read_text() == "3.13.77 (chosen)"


def test_the_bootstrap_needs_only_the_standard_library() -> None:
    """It runs before any package is installed; -S hides the installed ones."""
    command = [sys.executable, "-S", "-P", "-c", "import stack.setup.bootstrap"]
    subprocess.run(command, env={"PYTHONPATH": str(ROOT / "scripts")}, check=True)


def test_the_observatory_alone_does_not_create_the_environment_of_the_rest(
    checkout: Checkout,
) -> None:
    """It has an environment of its own, with only its own packages."""
    shutil.copy(ROOT / "scripts" / "observatory", checkout.root / "scripts" / "observatory")
    for name in ("observatory/requirements.txt", "observatory/ui/index.html", "package-lock.json"):
        (checkout.root / name).parent.mkdir(parents=True, exist_ok=True)
        (checkout.root / name).write_text("one==1\n")
    for tool in ("node", "npm"):
        executable(checkout.path / tool, 'echo "v20.0.0"')
    vite = 'for last; do :; done; while [ "$1" != --outDir ]; do shift; done\n'
    vite += 'mkdir -p "$2" && touch "$2/index.html"'
    executable(checkout.root / "node_modules" / ".bin" / "vite", vite)
    done = subprocess.run(
        [checkout.root / "scripts" / "observatory", "--port", "4"],
        env={"PATH": str(checkout.path), "UV_LOG": str(checkout.log)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"-P -m observatory.command --port 4; PYTHONPATH={checkout.root}\n"
    assert checkout.log.read_text().split() == ["venv", "pip"]
    assert not (checkout.root / ".venv").exists()
    assert (checkout.root / "observatory" / "ui" / "dist" / "index.html").exists()
