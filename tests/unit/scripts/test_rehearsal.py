"""What a rehearsal stages, and how it judges the result."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from stack import paths
from stack.rehearsal import tree
from stack.rehearsal.rehearsal import is_whole, lost_spans

WHOLE = {
    "order_state": "ticketed",
    "orphans": 0,
    "coverage": 1.0,
    "spans_lost": 0,
    "page_spans": 5,
    "missing_indexes": [],
    "unknown_requests": [],
    "refused_hosts": [],
    "failures": [],
}


def test_an_invocation_without_a_span_is_counted_as_lost() -> None:
    """More spans than invocations are no loss: a retried export can arrive twice."""
    assert lost_spans({"a": 3, "b": 1, "c": 2}, {"a": 1, "b": 1, "c": 5}) == {"a": 2}


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("order_state", "paid"),
        ("orphans", 1),
        ("coverage", 0.99),
        ("spans_lost", 1),
        ("page_spans", 0),
        ("missing_indexes", ["orders (state)"]),
        ("unknown_requests", ["GET /x"]),
        ("refused_hosts", ["storage.googleapis.com"]),
        ("failures", ["quote-1 ended by itself"]),
    ],
)
def test_every_part_of_the_result_can_fail_the_rehearsal(key: str, value: Any) -> None:
    """The exit status is 0 only if all of them are right."""
    assert is_whole(WHOLE)
    assert not is_whole({**WHOLE, key: value})


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small checkout with one codebase that declares a secret."""
    config = {
        "firestore": {"rules": "rules/r.rules", "indexes": "rules/i.json"},
        "functions": [{"source": "functions", "codebase": "a"}],
        "hosting": {"public": "page/dist"},
    }
    files = {
        "firebase.json": json.dumps(config),
        ".firebaserc": "{}",
        "rules/r.rules": "rules",
        "rules/i.json": "{}",
        "functions/main.py": 'KEY = SecretParam(\n    "DECLARED", description="x")',
        "functions/.env.demo": "LEFTOVER=1",
        "functions/.env.example": "# Text\nDEFAULT=2\nSETTING=0\n# REQUIRED=\n",
        "functions/venv/bin/python": "",
        "built/index.html": "<p>",
    }
    for name, text in files.items():
        path = tmp_path / "checkout" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    monkeypatch.setattr(paths, "ROOT", tmp_path / "checkout")
    return tmp_path / "checkout"


def test_the_staged_tree_is_what_firebase_json_names(checkout: Path, tmp_path: Path) -> None:
    """The settings are those of the rehearsal; a declared secret is not among them."""
    staged = tmp_path / "staged"
    secrets = {"DECLARED": "a", "UNDECLARED": "b"}
    settings = {"SETTING": "1"}
    assert tree.stage(staged, checkout / "built", settings, secrets, "demo") == ["DECLARED"]
    assert (
        staged / "functions" / ".env.demo"
    ).read_text() == "DEFAULT=2\nSETTING=1\nUNDECLARED=b\n"
    assert (staged / "rules" / "r.rules").read_text() == "rules"
    assert (staged / "page" / "dist" / "index.html").read_text() == "<p>"
    assert (staged / "functions" / "venv").is_symlink()
    assert not (checkout / "functions" / ".env.demo").read_text().startswith("SETTING")
