"""What documents link to, name and list exists."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

import jsonschema
import pytest

from tests.docs.markdown import ROOT, anchors, checkout, links, paths, relative_name

SCRIPT = re.compile(r"\./scripts/([a-z]+)((?: +(?:--?[a-z][a-z-]*))*)")

DOCUMENTS = checkout("*.md")


@pytest.mark.parametrize("document", DOCUMENTS, ids=relative_name)
def test_relative_links_lead_to_existing_files_and_headings(document: Path) -> None:
    for path, anchor in links(document):
        target = document.parent / path if path else document
        assert target.exists(), f"{relative_name(document)} links to {path}"
        if anchor and target.suffix == ".md":
            assert anchor in anchors(target), f"{relative_name(document)} links to {path}#{anchor}"


@pytest.mark.parametrize("document", DOCUMENTS, ids=relative_name)
def test_named_files_exist(document: Path) -> None:
    # The first two are written by the reader, the third by set-up.
    made_later = ("functions/.env", "frontend/.env.production", "functions/venv/bin")
    assert [
        path for path in paths(document) if path not in made_later and not (ROOT / path).exists()
    ] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=relative_name)
def test_named_scripts_and_their_options_exist(document: Path) -> None:
    for script, options in SCRIPT.findall(document.read_text()):
        path = ROOT / "scripts" / script
        assert os.access(path, os.X_OK), f"{relative_name(document)} names ./scripts/{script}"
        if options:
            help_text = subprocess.run(
                [str(path), "--help"], capture_output=True, text=True, check=True, cwd=ROOT
            ).stdout
            missing = [option for option in options.split() if option not in help_text]
            assert missing == [], f"{relative_name(document)}: ./scripts/{script} has no {missing}"


def test_the_readme_of_scripts_lists_every_script() -> None:
    scripts = {
        path.name
        for path in (ROOT / "scripts").iterdir()
        if path.is_file() and os.access(path, os.X_OK)
    }
    listed = set(re.findall(r"^\| \[`(\w+)`\]", (ROOT / "scripts/README.md").read_text(), re.M))
    assert listed == scripts


@pytest.mark.parametrize("name", ["firebase.json", "firebase.acquirer.json"])
def test_firebase_json_is_valid_against_the_clis_own_schema(name: str) -> None:
    """The stack's own variations are made from it, and so start from a valid file."""
    schema = ROOT / "node_modules/firebase-tools/schema/firebase-config.json"
    config = json.loads((ROOT / name).read_text())
    jsonschema.validate(config, json.loads(schema.read_text()))


def test_no_file_names_a_package_registry() -> None:
    """The machine's own configuration decides where packages come from."""
    # Assembled, so that this file does not match.
    hosts = [f"{name}.org" for name in ("npmjs", "pypi", "pythonhosted")]
    files = subprocess.run(
        ["git", "grep", "-lF", *(word for host in hosts for word in ("-e", host))],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    ).stdout.split()
    assert files == []


def test_the_hops_page_has_a_row_and_a_section_for_each_hop_in_the_code() -> None:
    page = (ROOT / "docs/hops.md").read_text()
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
    rows = re.findall(r"^\| \[`(\w+)`\]\(#(\w+)\)", page, re.MULTILINE)
    headings = re.findall(r"^## (\w+)$", page, re.MULTILINE)
    assert [name for name, _ in rows] == [anchor for _, anchor in rows] == headings
    assert len(headings) == 15
    assert hops <= set(headings)
    # An expression in their adapter names the first two, and a log line is not a span.
    unnamed = set(headings) - hops
    assert unnamed <= {"https", "hosting", "log"}, f"no span is named after {unnamed}"
