"""Install the launcher that the Functions emulator starts for each worker."""

from __future__ import annotations

from pathlib import Path

from stack import paths

_LAUNCHER = """\
#!{python}
# Written by scripts/stack/setup/worker_launcher.py in place of the script of functions-framework.
import sys

sys.path.append({root!r})
from cloud.launcher import main

# The rest of the checkout is not deployed, so the functions must not be able to import it.
sys.path.remove({root!r})
sys.exit(main())
"""


def write(venv: Path, root: Path) -> None:
    """Replace `functions-framework` in `venv` by the launcher of the checkout at `root`.

    firebase-tools activates functions/venv, whose bin/ then comes first on PATH, and starts
    `functions-framework`. The script is written on every set-up, because pip may restore its own.
    """
    script, fresh = venv / "bin" / "functions-framework", venv / "bin" / ".functions-framework"
    fresh.write_text(_LAUNCHER.format(python=paths.python_in(venv), root=str(root)))
    fresh.chmod(0o755)
    fresh.replace(script)
