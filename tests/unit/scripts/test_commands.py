"""The scripts as somebody calls them, wrongly and for help; none of these sets anything up."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.scripts.executables import executable

ROOT = Path(__file__).resolve().parents[3]

# Those in Python, whose folder the shell has to find a Python for.
SCRIPTS = sorted(
    path.name
    for path in (ROOT / "scripts").iterdir()
    if path.is_file() and "stack/with-python" in path.read_text()
)


def call(
    script: str, *arguments: str, cwd: Path = ROOT, **env: str
) -> subprocess.CompletedProcess[str]:
    """Run a script from some folder, with the Python that runs the tests unless told otherwise."""
    return subprocess.run(
        [ROOT / "scripts" / script, *arguments],
        cwd=cwd,
        env={"PATH": "/usr/bin:/bin", "THROUGHLINE_PYTHON": sys.executable, **env},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("script", SCRIPTS)
def test_help_says_what_a_script_does_and_how_it_ends(script: str) -> None:
    """On stdout, from any folder, with every exit status explained."""
    done = call(script, "--help", cwd=Path("/"))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"usage: ./scripts/{script}")
    assert "status: 0 " in done.stdout.replace("\n", " ")


@pytest.mark.parametrize(
    ("script", "arguments", "said"),
    [
        ("dev", ["--byu"], "--byu"),
        ("dev", ["now"], "now"),
        ("dev", ["--json"], "--json goes with --buy"),
        ("dev", ["--port-offset"], "--port-offset"),
        ("dev", ["--port-offset", "much"], "much"),
        ("dev", ["--port-offset", "-1"], "a number from 0 to 19000"),
        ("dev", ["--port-offset", "19001"], "a number from 0 to 19000"),
        ("load", ["--orders", "0"], "0 is not a number from 1 on"),
        ("load", ["--concurrency", "many"], "many is not a number from 1 on"),
        ("load", ["--fail", "1.5"], "1.5 is not a number from 0 to 1"),
        ("load", ["--duplicates", "nan"], "nan is not a number from 0 to 1"),
        ("check", ["--mend"], "--mend"),
        ("hops", ["--jsno"], "--jsno"),
        ("hops", ["task"], "task"),
        ("test", ["--fast"], "--fast"),
        ("test", ["juorney"], "there is no tier 'juorney'; did you mean journey?"),
        ("test", ["unit", "hop"], "there is no tier 'hop'; did you mean hops?"),
        ("test", ["zzz"], "did you mean unit or rules or hops or journey or scenarios?"),
        ("scenario", [], "list | run"),
        ("scenario", ["run"], "name a scenario, or say --all"),
        ("scenario", ["run", "late-webhook", "--all"], "name a scenario, or say --all"),
        (
            "scenario",
            ["run", "late-webhok"],
            "'late-webhok'; did you mean late-webhook?",
        ),
        (
            "scenario",
            ["run", "late-webhook", "zzz"],
            "did you mean denial-looks-empty or ",
        ),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else value,
)
def test_bad_usage_is_exit_2_and_names_what_was_wrong(
    script: str, arguments: list[str], said: str
) -> None:
    """With the usage, and the nearest name where a name was mistyped; nothing is set up."""
    done = call(script, *arguments)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith(f"usage: ./scripts/{script}")
    assert said in done.stderr.splitlines()[-1]
    assert "setting up" not in done.stderr


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """A PATH on which there is nothing but what a shell needs."""
    for name in ("sh", "dirname"):
        found = shutil.which(name)
        assert found is not None
        (tmp_path / name).symlink_to(found)
    return tmp_path


@pytest.mark.parametrize("script", SCRIPTS)
@pytest.mark.parametrize("pythons", ["none", "too old or too new"])
def test_a_machine_without_a_python_that_fits_is_told_what_to_do(
    bare: Path, script: str, pythons: str
) -> None:
    """One line with the versions and the mend, exit 1."""
    if pythons != "none":
        for name in ("python3", "python3.11", "python"):
            executable(bare / name, "exit 1")
    done = call(script, "--help", PATH=str(bare), THROUGHLINE_PYTHON="")
    assert done.returncode == 1
    assert done.stderr == (
        "Throughline needs Python 3.11 to 3.14 and found none: install one, or name it in "
        "THROUGHLINE_PYTHON.\n"
    )


def test_the_first_python_that_fits_is_used(bare: Path) -> None:
    """An old python3 in front of it doesn't matter."""
    executable(bare / "python3", "exit 1")
    (bare / "python3.12").symlink_to(sys.executable)
    done = call("dev", "--help", PATH=str(bare), THROUGHLINE_PYTHON="")
    assert done.returncode == 0, done.stderr


def test_a_python_named_on_purpose_goes_first(bare: Path) -> None:
    """Before the one on PATH, and with the module and its arguments."""
    (bare / "python3").symlink_to(sys.executable)
    chosen = executable(bare / "chosen", 'test "$1" = -c || echo "chosen $*"')
    done = call("dev", "--buy", "--json", PATH=str(bare), THROUGHLINE_PYTHON=str(chosen))
    assert done.stdout == "chosen -m stack.commands.dev --buy --json\n"
