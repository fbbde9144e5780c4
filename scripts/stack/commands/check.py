"""`./scripts/check`: lint, types, import rules, documents and their site; nothing is run."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from stack import install, places
from stack.console import say
from stack.exit_status import exit_status

_PYTHON = ("functions", "acquirer", "observatory", "redelivery", "scripts", "tests")


@dataclass(frozen=True)
class Check:
    """One tool's run."""

    name: str
    command: list[str]
    cwd: Path = places.ROOT
    env: dict[str, str] = field(default_factory=dict)


def checks(*, fix: bool) -> list[Check]:
    """Every check, the quick ones first; with `fix`, those that can mend what they find do."""
    python = places.VENV / "bin"
    node = places.ROOT / "node_modules" / ".bin"
    mypy = [str(python / "mypy"), "--config-file", str(places.ROOT / "pyproject.toml")]
    tsc = [str(node / "tsc"), "--noEmit", "-p"]
    site = [str(python / "zensical"), "build", "--strict", "--clean"]
    return [
        Check("ruff", [str(python / "ruff"), "check", *(["--fix"] if fix else []), *_PYTHON]),
        Check(
            "ruff format", [str(python / "ruff"), "format", *([] if fix else ["--check"]), *_PYTHON]
        ),
        Check("biome", [str(node / "biome"), "check", *(["--write"] if fix else [])]),
        Check(
            "import rules",
            [str(python / "lint-imports"), "--no-cache"],
            env={"PYTHONPATH": os.pathsep.join(["functions", ".", "scripts"])},
        ),
        Check(
            "types: functions",
            [*mypy, "main.py", "local_delivery.py", "worker.py", "boxoffice"],
            places.FUNCTIONS,
        ),
        Check("types: acquirer", [*mypy, "main.py"], places.ACQUIRER),
        Check("types: observatory, redelivery", [*mypy, "observatory", "redelivery"]),
        Check(
            "types: scripts",
            [*mypy, "stack"],
            places.ROOT / "scripts",
            {"MYPYPATH": os.pathsep.join(["..", "../functions"])},
        ),
        Check(
            "types: tests",
            [*mypy, "tests"],
            env={"MYPYPATH": os.pathsep.join(["functions", "acquirer", "scripts"])},
        ),
        Check("types: page", [*tsc, "frontend"]),
        Check("types: Observatory's pages", [*tsc, "observatory/ui"]),
        Check("documents' site", site, places.TUTORIAL),
        Check("documents", [str(python / "python"), "-m", "pytest", "-q", "tests/docs"]),
    ]


@exit_status
def main() -> int:
    """Run the command; returns its exit status."""
    parser = argparse.ArgumentParser(
        prog="./scripts/check",
        description="Lint, types, import rules and the documents' links; sets up what it needs.",
        epilog="Exit status: 0 all is well; 1 something is not; 2 bad usage.",
    )
    parser.add_argument("--fix", action="store_true", help="mend what can be mended mechanically")
    options = parser.parse_args()
    install.everything()
    failed = [check.name for check in checks(fix=options.fix) if not _passes(check)]
    if failed:
        say(f"\n✗ {', '.join(failed)}")
        return 1
    say("\nAll is well.")
    return 0


def _passes(check: Check) -> bool:
    began = time.monotonic()
    environment = {**os.environ, **check.env}
    if "PYTHONPATH" not in check.env:
        environment.pop("PYTHONPATH", None)
    done = subprocess.run(
        check.command,
        cwd=check.cwd,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    took = f"({time.monotonic() - began:.1f} s)"
    if done.returncode == 0:
        say(f"  ✓ {check.name} {took}")
        return True
    say(f"  ✗ {check.name} {took}\n{done.stdout}{done.stderr}")
    return False


if __name__ == "__main__":
    sys.exit(main())
