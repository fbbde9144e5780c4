"""Where things are in a checkout."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

# Everything that running makes, outside the places that tools insist on; may be deleted any time.
MADE = ROOT / ".throughline"

VENV = ROOT / ".venv"
FUNCTIONS = ROOT / "functions"
ACQUIRER = ROOT / "acquirer"
FIREBASE = ROOT / "node_modules" / "firebase-tools" / "lib" / "bin" / "firebase.js"
PAGE = ROOT / "frontend" / "dist"
FAULTS = MADE / "faults.json"
OBSERVATORY_UI = ROOT / "observatory" / "ui" / "dist"
# Which attributes of the Box Office the Observatory promotes, and example questions.
OBSERVATORY_CONFIG = ROOT / "scripts" / "stack" / "local" / "observatory.json"
# What the documents' site is built from, and in its folder `site` the site.
TUTORIAL = MADE / "tutorial"


def python_in(venv: Path) -> Path:
    """The interpreter of a virtual environment."""
    return venv / "bin" / "python"
