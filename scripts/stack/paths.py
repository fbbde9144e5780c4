"""Paths in a checkout."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

# Generated files, except those whose place a tool prescribes; may be deleted at any time.
MADE = ROOT / ".throughline"

VENV = ROOT / ".venv"
GITHUB = ROOT / ".github"
FUNCTIONS = ROOT / "functions"
ACQUIRER = ROOT / "acquirer"
FIREBASE = ROOT / "node_modules" / "firebase-tools" / "lib" / "bin" / "firebase.js"
PAGE = ROOT / "frontend" / "dist"
FAULTS = MADE / "faults.json"
OBSERVATORY_UI = ROOT / "observatory" / "ui" / "dist"
# The attributes of the Box Office that the Observatory promotes, and example queries.
OBSERVATORY_CONFIG = ROOT / "scripts" / "stack" / "local" / "observatory.json"
# The sources of the documentation site; the site itself is in the folder `site` there.
TUTORIAL = MADE / "tutorial"


def python_in(venv: Path) -> Path:
    """Return the interpreter of a virtual environment."""
    return venv / "bin" / "python"
