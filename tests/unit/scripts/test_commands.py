"""Tests of --help and of the errors of the scripts; no script installs or starts anything here."""

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
    """Run a script in the folder `cwd`, by default with the Python that runs the tests."""
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
def test_help_is_printed_on_stdout_and_explains_the_exit_status(script: str) -> None:
    """This holds in any working directory."""
    done = call(script, "--help", cwd=Path("/"))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"usage: ./scripts/{script}")
    assert re.search("(status|code): 0 ", done.stdout.replace("\n", " "))


@pytest.mark.parametrize(
    ("script", "arguments", "message"),
    [
        ("dev", ["--byu"], "--byu"),
        ("dev", ["now"], "now"),
        ("dev", ["--json"], "--json needs --buy"),
        ("dev", ["--port-offset"], "--port-offset"),
        ("dev", ["--port-offset", "much"], "much"),
        ("dev", ["--port-offset", "-1"], "a whole number from 0 to 19000"),
        ("dev", ["--port-offset", "19001"], "a whole number from 0 to 19000"),
        ("hops", ["--port-offset", "19001"], "a whole number from 0 to 19000"),
        (
            "scenario",
            ["run", "late-webhook", "--port-offset", "-1"],
            "a whole number from 0 to 19000",
        ),
        ("load", ["--orders", "0"], "0 is not a whole number of 1 or more"),
        ("load", ["--concurrency", "many"], "many is not a whole number of 1 or more"),
        ("load", ["--fail", "1.5"], "1.5 is not a number from 0 to 1"),
        ("load", ["--duplicates", "nan"], "nan is not a number from 0 to 1"),
        ("check", ["--repair"], "--repair"),
        ("deploy", ["--chekc"], "--chekc"),
        ("deploy", ["--check", "--yes"], "--check and --organiser deploy nothing"),
        ("deploy", ["--check", "--organiser", "a@example.org"], "leave out --organiser"),
        ("hops", ["--jsno"], "--jsno"),
        ("hops", ["task"], "task"),
        ("test", ["--fast"], "--fast"),
        ("test", ["juorney"], "there is no tier 'juorney'; did you mean journey?"),
        ("test", ["unit", "hop"], "there is no tier 'hop'; did you mean hops?"),
        (
            "test",
            ["zzz"],
            "the tiers are unit, rules, security, hops, journey, production, scenarios",
        ),
        ("scenario", [], "list | run"),
        ("scenario", ["run"], "name one or more scenarios, or pass --all"),
        ("scenario", ["run", "late-webhook", "--all"], "name one or more scenarios, or pass --all"),
        (
            "scenario",
            ["run", "late-webhok"],
            "'late-webhok'; did you mean late-webhook?",
        ),
        (
            "scenario",
            ["run", "late-webhook", "zzz"],
            "'zzz'; to list the scenarios: ./scripts/scenario list",
        ),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else value,
)
def test_bad_usage_is_exit_status_2_with_a_message(
    script: str, arguments: list[str], message: str
) -> None:
    """The message has the invalid value, and suggests names; nothing is installed."""
    done = call(script, *arguments)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith(f"usage: ./scripts/{script}")
    assert message in done.stderr.splitlines()[-1]
    assert "setting up" not in done.stderr


@pytest.mark.parametrize(
    ("script", "arguments"),
    [
        ("hops", []),
        ("indexes", []),
        ("scenario", ["run", "late-webhook"]),
    ],
)
def test_a_port_offset_without_a_stack_is_one_line_with_a_hint(
    script: str, arguments: list[str]
) -> None:
    """It has the address that does not answer, and the command that starts a stack there."""
    addresses = next(a for a in map(StackAddresses, range(151, 19_000, 997)) if not a.taken())
    done = call(script, *arguments, "--port-offset", str(addresses.offset))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"✗ No stack runs at port offset {addresses.offset}: nothing answers at "
        f"{addresses.hosting}. Start one with ./scripts/dev --port-offset {addresses.offset}, or "
        "omit --port-offset to use this checkout's stack.\n"
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "No project was named. Name one with --project, or add it to .firebaserc."),
        (["--project", "My_Shop"], "My_Shop cannot be the id of a project"),
        (["--project", "demo-shop"], "demo-shop exists in the emulators only"),
    ],
)
def test_a_deployment_to_no_real_project_is_one_line(arguments: list[str], message: str) -> None:
    """It fails before anything is installed or checked."""
    done = call("deploy", *arguments)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"✗ {message}")
    assert done.stderr.count("\n") == 1


def test_the_program_lists_the_commands_of_all_executables() -> None:
    """All but `observatory`, which has an environment of its own. Others are bad usage."""
    environment = {**os.environ, "PYTHONPATH": f"{ROOT / 'scripts'}"}
    command = [sys.executable, "-m", "stack"]
    helped = subprocess.run(
        [*command, "--help"], env=environment, capture_output=True, text=True, check=True
    )
    listed = re.findall(r"^  (\w+)  ", helped.stdout, re.MULTILINE)
    assert sorted(set(listed) - {"COMMAND"} | {"observatory"}) == SCRIPTS
    wrong = subprocess.run(
        [*command, "trcae"], env=environment, capture_output=True, text=True, check=False
    )
    assert wrong.returncode == 2
    assert "invalid choice: 'trcae'" in wrong.stderr
