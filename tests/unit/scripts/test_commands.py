"""The scripts as a person calls them, wrongly and for help; none of these sets anything up."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from stack.local.addresses import StackAddresses

ROOT = Path(__file__).resolve().parents[3]

SCRIPTS = sorted(path.name for path in (ROOT / "scripts").iterdir() if os.access(path, os.X_OK))
SCRIPTS = [name for name in SCRIPTS if (ROOT / "scripts" / name).is_file()]


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
    assert re.search("(status|code): 0 ", done.stdout.replace("\n", " "))


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
        ("hops", ["--port-offset", "19001"], "a number from 0 to 19000"),
        ("scenario", ["run", "late-webhook", "--port-offset", "-1"], "a number from 0 to 19000"),
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
        (
            "test",
            ["zzz"],
            "did you mean unit or rules or security or hops or journey or scenarios?",
        ),
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


@pytest.mark.parametrize(
    ("script", "arguments"),
    [
        ("hops", []),
        ("indexes", []),
        ("scenario", ["run", "late-webhook"]),
    ],
)
def test_a_port_offset_at_which_no_stack_runs_is_one_line_with_a_hint(
    script: str, arguments: list[str]
) -> None:
    """The address that does not answer, and the command that starts a stack there."""
    addresses = next(a for a in map(StackAddresses, range(151, 19_000, 997)) if not a.taken())
    done = call(script, *arguments, "--port-offset", str(addresses.offset))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"✗ No stack runs at port offset {addresses.offset}: nothing answers at "
        f"{addresses.hosting}. Start one with ./scripts/dev --port-offset {addresses.offset}, or "
        "leave the option out to use this checkout's stack.\n"
    )


def test_the_program_lists_its_commands() -> None:
    """Each executable is one of them, and a mistyped one is bad usage."""
    environment = {**os.environ, "PYTHONPATH": f"{ROOT / 'scripts'}"}
    command = [sys.executable, "-m", "stack"]
    helped = subprocess.run(
        [*command, "--help"], env=environment, capture_output=True, text=True, check=True
    )
    listed = re.findall(r"^  (\w+)  ", helped.stdout, re.MULTILINE)
    assert sorted(name for name in listed if name != "COMMAND") == SCRIPTS
    wrong = subprocess.run(
        [*command, "trcae"], env=environment, capture_output=True, text=True, check=False
    )
    assert wrong.returncode == 2
    assert "invalid choice: 'trcae'" in wrong.stderr
