"""Installs the launcher that the functions emulator starts for each worker."""

from __future__ import annotations

from pathlib import Path

from stack import paths

_LAUNCHER = """\
#!{python}
# Written by scripts/stack/setup/worker_launcher.py in place of the script of functions-framework.
import sys

sys.path.append({root!r})
from cloud.launcher import main

# The functions must not be able to import the rest of the checkout, which is not deployed.
sys.path.remove({root!r})
sys.exit(main())
"""


def write(venv: Path, root: Path) -> None:
    """Replace `functions-framework` in `venv` with the launcher of the checkout at `root`.

    firebase-tools activates functions/venv, whose bin/ is then first on PATH, and starts
    `functions-framework`. The script is written by every set-up, because pip may restore its own.
    """
    script, temporary = venv / "bin" / "functions-framework", venv / "bin" / ".functions-framework"
    temporary.write_text(_LAUNCHER.format(python=paths.python_in(venv), root=str(root)))
    temporary.chmod(0o755)
    temporary.replace(script)
