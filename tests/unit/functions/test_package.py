"""What `firebase deploy` uploads for the functions, by the pinned CLI's own packaging code."""

from __future__ import annotations

import re
import subprocess
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
PACKAGE = Path(__file__).with_name("package.cjs")

#: Files that development leaves in functions/, and that are not deployed.
LEFT_BEHIND = (
    "venv/bin/functions-framework",
    "venv/lib/python3.11/site-packages/flask/app.py",
    "__pycache__/main.cpython-311.pyc",
    "boxoffice/__pycache__/reserve.cpython-311.pyc",
    ".mypy_cache/3.11/main.data.json",
    ".ruff_cache/0.1/1",
    ".pytest_cache/README.md",
    ".hypothesis/examples/1",
    ".env",
    ".env.demo-throughline",
    ".secret.local",
    "firebase-debug.log",
    "ui-debug.log",
)
# Settings of the package throughline, which are deployed; the others belong to the scripts.
LIBRARY_SETTINGS = r"THROUGHLINE_(CPU_STAYS_ALLOCATED|GROUP_DELAY_MILLIS)\b"
LOCAL_STACK = re.compile(
    r"\bcloud[./](delivery|launcher|platform_conditions|firestore_indexes)\b"
    rf"|\b(?!{LIBRARY_SETTINGS})(CLOUD_(DELIVERY|FIRESTORE)|THROUGHLINE)_[A-Z_]+"
    r"|\blocal_delivery\b|\bredelivery[./_]"
    r"|\bobservatory[./]|\bstack\.\w+|\b127\.0\.0\.1:4322\b",
    re.IGNORECASE,
)


@pytest.fixture(scope="module")
def packaged(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The uploaded archive's files for a working copy of functions/, keyed by name."""
    source = tmp_path_factory.mktemp("functions")
    for name in versioned():
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_bytes((ROOT / "functions" / name).read_bytes())
    for name in LEFT_BEHIND:
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_text("left behind")
    done = subprocess.run(
        ["node", PACKAGE, ROOT / "firebase.json", source],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    archive = Path(done.stdout)
    try:
        with zipfile.ZipFile(archive) as opened:
            return {name: opened.read(name).decode() for name in opened.namelist()}
    finally:
        archive.unlink()


def versioned() -> list[str]:
    """Return the files of functions/ that Git tracks or would add."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    done = subprocess.run(
        command, cwd=ROOT / "functions", capture_output=True, text=True, check=True
    )
    return [name for name in done.stdout.splitlines() if (ROOT / "functions" / name).is_file()]


def test_the_package_is_the_deployed_unit(packaged: dict[str, str]) -> None:
    """It has the functions, the modules they import and their requirements, and nothing else."""
    assert {name.split("/")[0] for name in packaged} == {
        *("main.py", "settings.py", "function_options.py"),
        *("server_limits.py", "request_validation.py"),
        "requirements.txt",
        *("boxoffice", "throughline", "faults"),
    }
    kinds = {Path(name).suffix or name for name in packaged}
    assert kinds == {".py", ".txt", ".typed"}
    code = [name for name in versioned() if name.endswith(".py")]
    assert sorted(name for name in packaged if name.endswith(".py")) == sorted(code)


def test_no_packaged_file_mentions_the_local_stack(packaged: dict[str, str]) -> None:
    """Neither its processes nor its settings are mentioned."""
    mentions = {
        name: match[0]
        for name, text in packaged.items()
        if name != "requirements.txt" and (match := LOCAL_STACK.search(text))
    }
    assert mentions == {}
