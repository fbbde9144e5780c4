"""The documents: what they link to is there, what they name exists, what they say holds."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

import jsonschema
import pytest

from tests.docs.markdown import ROOT, anchors, checkout, links, named, paths

SCRIPT = re.compile(r"\./scripts/([a-z]+)((?: +(?:--?[a-z][a-z-]*))*)")

DOCUMENTS = checkout("*.md")


@pytest.mark.parametrize("document", DOCUMENTS, ids=named)
def test_every_link_to_a_file_leads_somewhere(document: Path) -> None:
    """A relative link names a file or folder that is there, and a heading that it has."""
    for path, anchor in links(document):
        target = document.parent / path if path else document
        assert target.exists(), f"{named(document)} links to {path}"
        if anchor and target.suffix == ".md":
            assert anchor in anchors(target), f"{named(document)} links to {path}#{anchor}"


@pytest.mark.parametrize("document", DOCUMENTS, ids=named)
def test_every_file_that_is_named_is_there(document: Path) -> None:
    """But for the files that the reader or set-up makes."""
    made_later = ("functions/.env", "functions/venv/bin")
    assert [
        path for path in paths(document) if path not in made_later and not (ROOT / path).exists()
    ] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=named)
def test_every_script_and_option_named_exists(document: Path) -> None:
    """A command in a document can be typed as it stands there."""
    for script, options in SCRIPT.findall(document.read_text()):
        path = ROOT / "scripts" / script
        assert os.access(path, os.X_OK), f"{named(document)} names ./scripts/{script}"
        if options:
            said = subprocess.run(
                [str(path), "--help"], capture_output=True, text=True, check=True, cwd=ROOT
            ).stdout
            missing = [option for option in options.split() if option not in said]
            assert missing == [], f"{named(document)}: ./scripts/{script} has no {missing}"


def test_every_script_is_in_the_scripts_own_list() -> None:
    """scripts/README.md has a line for each executable."""
    scripts = {
        path.name
        for path in (ROOT / "scripts").iterdir()
        if path.is_file() and os.access(path, os.X_OK)
    }
    listed = set(re.findall(r"^\| \[`(\w+)`\]", (ROOT / "scripts/README.md").read_text(), re.M))
    assert listed == scripts


def test_firebase_json_is_valid_against_the_clis_own_schema() -> None:
    """And the stack's own variations of it start from a valid file."""
    schema = ROOT / "node_modules/firebase-tools/schema/firebase-config.json"
    config = json.loads((ROOT / "firebase.json").read_text())
    jsonschema.validate(config, json.loads(schema.read_text()))


def test_no_file_names_a_package_registry() -> None:
    """Packages come from wherever the machine's own configuration says."""
    # Written in pieces, so that this file is not one of those that name them.
    hosts = [f"{name}.org" for name in ("npmjs", "pypi", "pythonhosted")]
    files = subprocess.run(
        ["git", "grep", "-lF", *(word for host in hosts for word in ("-e", host))],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    ).stdout.split()
    assert files == []


def test_the_hops_page_is_in_step_with_the_code() -> None:
    """Each hop that a span can name has its row and its paragraph, and there is none besides."""
    said = (ROOT / "docs/hops.md").read_text()
    sources = [
        *(ROOT / "functions/throughline").glob("*.py"),
        *(ROOT / "observatory/rules_monitor").glob("*.py"),
        *(ROOT / "frontend/src/throughline").glob("*.ts"),
    ]
    text = "\n".join(source.read_text() for source in sources)
    assigned = re.findall(
        r'"?throughline\.hop"?: "(\w+)"|hop="(\w+)"|hopAttributes\(\s*"(\w+)"', text
    )
    hops = {name for names in assigned for name in names if name}
    rows = re.findall(r"^\| \[`(\w+)`\]\(#(\w+)\)", said, re.MULTILINE)
    headings = re.findall(r"^## (\w+)$", said, re.MULTILINE)
    assert [name for name, _ in rows] == [anchor for _, anchor in rows] == headings
    assert len(headings) == 15
    assert hops <= set(headings)
    # The first two share an adapter that names them by an expression, and a log line is no span.
    unnamed = set(headings) - hops
    assert unnamed <= {"https", "hosting", "log"}, f"{unnamed} are named by no span"
