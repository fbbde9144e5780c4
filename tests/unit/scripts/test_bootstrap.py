"""Making .venv: by the first command that needs it, once, and again only when it has to be.

Each test has a checkout of its own, in which a small program stands in for uv; what it makes says
how it was called instead of running a command.
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

# `uv venv … FOLDER` and `uv pip install … -r FILE`; each call is a line of a log.
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
    """A checkout with nothing but the scripts, and the commands that are typed in it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        shutil.copytree(ROOT / "scripts" / "stack", root / "scripts" / "stack")
        shutil.copy(ROOT / "scripts" / "trace", root / "scripts" / "trace")
        self.requirements = root / "requirements.txt"
        self.requirements.write_text("one==1\n")
        self.path = root / "bin"
        executable(self.path / "uv", UV)
        for name in ("sh", "dirname", "cat", "cmp", "rm", "mkdir", "chmod", "touch", "sleep"):
            found = shutil.which(name)
            assert found is not None
            (self.path / name).symlink_to(found)
        (self.path / "python3").symlink_to(sys.executable)
        self.log = root / "uv.log"

    def begin(self, **env: str) -> subprocess.Popen[str]:
        """Begin `./scripts/trace ls`."""
        return subprocess.Popen(
            [self.root / "scripts" / "trace", "ls"],
            env={"PATH": str(self.path), "UV_LOG": str(self.log), **env},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            process_group=0,
        )

    def trace(self, **env: str) -> tuple[int, str, str]:
        """Run it to its end, and return its exit status, stdout and stderr."""
        with self.begin(**env) as process:
            out, err = process.communicate(timeout=60)
        return process.returncode, out, err

    def times_made(self) -> int:
        """How often the environment was made."""
        return self.log.read_text().split().count("venv") if self.log.exists() else 0

    def fake_python(self, name: str, version: str) -> Path:
        """A Python that calls itself by that version, and is this one otherwise."""
        script = (
            f'[ "$1" = -I ] && {{ echo "{version}"; exit 0; }}\nexec {sys.executable} -c "'
            f"import runpy, sys; sys.version = '{version}'; "
            "sys.argv = sys.argv[3:]; sys.path.insert(0, '$PYTHONPATH'); "
            "runpy.run_module('stack.setup.bootstrap', run_name='__main__')\" \"$@\""
        )
        return executable(self.path / name, script)


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    """A fresh checkout."""
    return Checkout(tmp_path)


def test_the_first_command_makes_the_environment_and_runs_in_it(checkout: Checkout) -> None:
    """As the program's subcommand, with the arguments and with every folder of modules."""
    status, out, err = checkout.trace()
    assert status == 0, err
    root = checkout.root
    assert out == (f"-P -m stack trace ls; PYTHONPATH={root}/scripts:{root}:{root}/functions\n")
    assert "Python packages" in err


def test_the_environment_is_made_once(checkout: Checkout) -> None:
    """The second command says nothing of it."""
    checkout.trace()
    assert checkout.trace()[2] == ""
    assert checkout.times_made() == 1


def test_changed_requirements_are_installed(checkout: Checkout) -> None:
    """Once, until the next change."""
    checkout.trace()
    checkout.requirements.write_text("one==2\n")
    checkout.trace()
    checkout.trace()
    assert checkout.times_made() == 2


def test_another_python_has_the_environment_made_again(checkout: Checkout) -> None:
    """The system's was upgraded, or another one was named."""
    checkout.trace()
    named = checkout.fake_python("other", "3.12.99 (of this test)")
    status, out, err = checkout.trace(THROUGHLINE_PYTHON=str(named))
    assert (status, out[:2]) == (0, "-P"), err
    assert checkout.times_made() == 2
    assert checkout.trace(THROUGHLINE_PYTHON=str(named))[2] == ""
    assert checkout.times_made() == 2


def test_an_environment_whose_python_is_gone_is_made_again(checkout: Checkout) -> None:
    """The system's Python was removed, and the link to it leads nowhere."""
    checkout.trace()
    python = checkout.root / ".venv" / "bin" / "python"
    python.unlink()
    python.symlink_to(checkout.root / "nowhere")
    assert checkout.trace()[0] == 0
    assert checkout.times_made() == 2


def test_two_commands_that_start_at_once_make_it_once(checkout: Checkout, tmp_path: Path) -> None:
    """The second says that it waits, and then runs."""
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
def test_an_interrupted_set_up_is_done_again(
    checkout: Checkout, tmp_path: Path, number: signal.Signals
) -> None:
    """Though its half-made environment has a Python already."""
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


def test_a_registry_that_does_not_answer_is_one_line_with_a_hint(checkout: Checkout) -> None:
    """The command is not run, and the next one tries again."""
    status, out, err = checkout.trace(UV_FAILS="1")
    assert (status, out) == (1, "")
    assert "error: no such host." in err.splitlines()[-1]
    assert "Full log: .throughline/logs/venv-root.log" in err.splitlines()[-1]
    assert checkout.trace()[0] == 0


@pytest.mark.parametrize("pythons", ["none", "too old or too new"])
def test_a_machine_without_a_python_that_fits_is_told_what_to_do(
    checkout: Checkout, pythons: str
) -> None:
    """One line with the versions and the hint, exit 1."""
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


def test_the_first_python_that_fits_is_used(checkout: Checkout) -> None:
    """An old python3 in front of it doesn't matter."""
    (checkout.path / "python3").unlink()
    executable(checkout.path / "python3", "exit 1")
    (checkout.path / "python3.12").symlink_to(sys.executable)
    assert checkout.trace()[0] == 0


def test_a_python_named_on_purpose_goes_first(checkout: Checkout) -> None:
    """Before the one on PATH."""
    named = checkout.fake_python("chosen", "3.13.77 (chosen)")
    assert checkout.trace(THROUGHLINE_PYTHON=str(named))[0] == 0
    assert (checkout.root / ".venv" / "made-with-python").read_text() == "3.13.77 (chosen)"


def test_the_bootstrap_needs_the_standard_library_alone() -> None:
    """It runs before any package is installed; -S keeps the installed ones out of its way."""
    command = [sys.executable, "-S", "-P", "-c", "import stack.setup.bootstrap"]
    subprocess.run(command, env={"PYTHONPATH": str(ROOT / "scripts")}, check=True)
