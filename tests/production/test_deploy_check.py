"""Each mistake of the table is found by `./scripts/deploy --check`, with its file and a hint."""

from __future__ import annotations

from pathlib import Path

import pytest

from stack.deploy import checking
from stack.deploy.finding import Finding
from stack.deploy.manifest import Codebase
from stack.deploy.tree import Tree
from tests.production import mistakes
from tests.production.mistakes import MISTAKES, PROJECT, Mistake
from tests.production.settings_files import settings_file

_BY_NAME = {mistake.name: mistake for mistake in MISTAKES}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a copy of the tree."""
    mistakes.copy_tree(tmp_path)
    return tmp_path


def _findings(root: Path, check_name: str) -> list[Finding]:
    check = next(check for check in checking.CHECKS if check.name == check_name)
    (result,) = checking.run_checks(Tree(root, PROJECT), [check])
    return list(result.findings)


def _assert_reported(mistake: Mistake, findings: list[Finding]) -> None:
    assert any(
        finding.file == mistake.file
        and mistake.message in finding.message
        and mistake.hint in finding.hint
        for finding in findings
    ), findings


@pytest.mark.parametrize("name", mistakes.CHEAP)
def test_a_mistake_is_found_without_starting_a_tool(name: str, root: Path) -> None:
    """The cheap checks, which read files only; all mistakes are in the long suite."""
    mistake = _BY_NAME[name]
    assert _findings(root, mistake.check) == []
    mistake.make(root)
    _assert_reported(mistake, _findings(root, mistake.check))


@pytest.mark.long
@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.name)
def test_a_mistake_is_found(mistake: Mistake, root: Path) -> None:
    """Each is made alone in a copy of the tree."""
    (root / mistakes.SETTINGS).write_text(settings_file())
    mistake.make(root)
    _assert_reported(mistake, _findings(root, mistake.check))


@pytest.mark.long
def test_an_untouched_tree_passes(root: Path) -> None:
    """No check finds a mistake, or is left out."""
    (root / mistakes.SETTINGS).write_text(settings_file())
    results = checking.run_checks(Tree(root, PROJECT))
    assert checking.findings(results) == []
    assert {result.status for result in results} == {checking.PASSED}


@pytest.mark.long
def test_mistakes_are_reported_together(root: Path) -> None:
    """One run reports every mistake, as far as the tree can still be read."""
    (root / mistakes.SETTINGS).write_text(settings_file())
    # Without these a check could not run: the functions could not be discovered, or the page built.
    alone = {
        "a comma too many in firebase.json",
        "a misspelt setting in firebase.json",
        "a module that cannot be imported",
        "a page that does not build",
        # Two mistakes in one place.
        "a rewrite to another region",
    }
    together = [mistake for mistake in MISTAKES if mistake.name not in alone]
    for mistake in together:
        mistake.make(root)
    found = checking.findings(checking.run_checks(Tree(root, PROJECT)))
    for mistake in together:
        of_check = [finding for check, finding in found if check == mistake.check]
        _assert_reported(mistake, of_check)


@pytest.mark.parametrize(("file", "value"), [({}, "8"), ({"THREADS": "4"}, "4")])
def test_a_setting_without_a_file_has_its_declared_default(
    file: dict[str, str], value: str
) -> None:
    """Without a project there is no file, and the functions' limits depend on settings."""
    params = [{"name": "THREADS", "type": "int", "default": 8}]
    assert (
        Codebase("boxoffice", "functions", params=params, settings=file).value("THREADS") == value
    )


def test_there_is_a_mistake_for_every_check() -> None:
    """A check without a mistake has never been seen to find one."""
    assert {check.name for check in checking.CHECKS} == {mistake.check for mistake in MISTAKES}
    assert len(MISTAKES) >= 20
