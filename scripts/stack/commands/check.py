"""`./scripts/check`: lint, types, import rules, the documentation and its site."""

from __future__ import annotations

import argparse
import os
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from stack import paths
from stack.console import print_line
from stack.setup import install

_PYTHON = ("functions", "acquirer", "observatory", "cloud", "scripts", "tests")


@dataclass(frozen=True)
class Check:
    """One run of a tool."""

    name: str
    command: list[str]
    cwd: Path = paths.ROOT
    env: dict[str, str] = field(default_factory=dict)


def checks(*, fix: bool) -> list[Check]:
    """Return all checks, the quick ones first; with `fix`, tools that can fix problems do so."""
    python = paths.VENV / "bin"
    node = paths.ROOT / "node_modules" / ".bin"
    mypy = [str(python / "mypy"), "--config-file", str(paths.ROOT / "pyproject.toml")]
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
        # Fails if the table is out of date; without --check, the command writes it.
        Check(
            "import rules in ARCHITECTURE.md",
            [str(python / "python"), "-m", "stack.import_table", *([] if fix else ["--check"])],
            paths.ROOT / "scripts",
        ),
        Check(
            "settings in functions/.env.example",
            [str(python / "python"), "-m", "stack.settings_example", *([] if fix else ["--check"])],
            paths.ROOT / "scripts",
            {"PYTHONPATH": str(paths.FUNCTIONS)},
        ),
        Check(
            "types: functions",
            [*mypy, "main.py", "boxoffice"],
            paths.FUNCTIONS,
        ),
        Check("types: acquirer", [*mypy, "main.py"], paths.ACQUIRER),
        Check("types: observatory, cloud", [*mypy, "observatory", "cloud"]),
        Check(
            "types: scripts",
            [*mypy, "stack", "benchmarks"],
            paths.ROOT / "scripts",
            {"MYPYPATH": os.pathsep.join(["..", "../functions"])},
        ),
        Check(
            "types: tests",
            [*mypy, "tests"],
            env={"MYPYPATH": os.pathsep.join(["functions", "acquirer", "scripts"])},
        ),
        Check("types: page", [*tsc, "frontend"]),
        Check("types: Observatory's pages", [*tsc, "observatory/ui"]),
        # Fails if the generated types are out of date; without --check, the command writes them.
        Check(
            "types: Observatory's API",
            ["npm", "run", "generate-types", "--", "--check"],
            paths.ROOT / "observatory" / "ui",
        ),
        *_github_checks(python / "check-jsonschema"),
        Check("documentation site", site, paths.TUTORIAL),
        Check("documentation", [str(python / "python"), "-m", "pytest", "-q", "tests/docs"]),
    ]


def _github_checks(validator: Path) -> list[Check]:
    """Return the checks of GitHub's configuration files against their JSON schemas."""
    files = {
        "github-workflows": sorted(paths.GITHUB.glob("workflows/*.yml")),
        "github-actions": sorted(paths.GITHUB.glob("actions/*/action.yml")),
        "dependabot": list(paths.GITHUB.glob("dependabot.yml")),
        "github-issue-config": list(paths.GITHUB.glob("ISSUE_TEMPLATE/config.yml")),
        "github-issue-forms": [
            path
            for path in sorted(paths.GITHUB.glob("ISSUE_TEMPLATE/*.yml"))
            if path.name != "config.yml"
        ],
    }
    return [
        Check(
            f"GitHub: {schema.removeprefix('github-')}",
            [str(validator), "--builtin-schema", f"vendor.{schema}", *map(str, matching)],
        )
        for schema, matching in files.items()
        if matching
    ]


def main(arguments: Sequence[str]) -> int:
    """Run the command; return its exit status."""
    parser = argparse.ArgumentParser(
        prog="./scripts/check",
        description="Check style, types, import rules and documentation. Installs what it needs.",
        epilog="Exit status: 0 all checks passed; 1 a check failed; 2 bad usage.",
    )
    parser.add_argument("--fix", action="store_true", help="fix what the tools can fix")
    options = parser.parse_args(arguments)
    install.everything()
    failed = [check.name for check in checks(fix=options.fix) if not _passes(check)]
    if failed:
        print_line(f"\n✗ Failed: {', '.join(failed)}. Their output is above.")
        return 1
    print_line("\nAll checks passed.")
    return 0


def _passes(check: Check) -> bool:
    began = time.monotonic()
    done = subprocess.run(
        check.command,
        cwd=check.cwd,
        env={**os.environ, **check.env},
        capture_output=True,
        text=True,
        check=False,
    )
    took = f"({time.monotonic() - began:.1f} s)"
    if done.returncode == 0:
        print_line(f"  ✓ {check.name} {took}")
        return True
    print_line(f"  ✗ {check.name} {took}\n{done.stdout}{done.stderr}")
    return False
