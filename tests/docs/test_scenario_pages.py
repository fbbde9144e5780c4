"""Every scenario has a page of the same form, which quotes the current code."""

from __future__ import annotations

import ast
import re
import textwrap
from functools import cache

import pytest

from faults.catalogue import FAULTS
from faults.fault import Replacement
from stack.scenario_runner import scenario as scenarios
from tests.docs import scenario_page
from tests.docs.markdown import ROOT, checkout, relative_name
from tests.docs.scenario_page import HEADINGS

PAGES = scenario_page.names()
REPLACEMENTS = {fault.name: fault.replacement for fault in FAULTS}
OF_STAGES = [name for name in PAGES if REPLACEMENTS[scenarios.load(name).fault]]
OF_THE_PAGE = [name for name in PAGES if name not in OF_STAGES]
# `py` is quoted from this checkout; `python` is code that a reader runs.
QUOTED = re.compile(
    r"\]\((?P<path>[^)]+\.(?:py|json))\)|^```(?:py|json)\n(?P<code>.*?)^```$", re.M | re.S
)
# Where the right code is.
CODE = ("functions", "frontend/src", "acquirer", "rules")
IS_CODE = re.compile(r"\.(py|ts|tsx|rules|json)$")
IS_FAULT = re.compile(r"(^|/)faults/")
LEFT_OUT = re.compile(r"(…|\.\.\.)?")


def test_every_scenario_has_a_page_of_its_name() -> None:
    assert scenarios.names() == PAGES


@pytest.mark.parametrize("name", PAGES)
def test_pages_have_the_same_headings_and_no_empty_section(name: str) -> None:
    page = scenario_page.read(name)
    assert page.headings == HEADINGS
    assert [heading for heading, text in page.sections.items() if not text] == []


@pytest.mark.parametrize("name", PAGES)
def test_a_title_has_several_words(name: str) -> None:
    """It describes the failure, and does not repeat the scenario's name."""
    title = scenario_page.read(name).title
    assert re.fullmatch(r"# \S+( \S+)+", title), title


@pytest.mark.parametrize("name", PAGES)
def test_a_page_quotes_the_report_that_scenario_list_shows(name: str) -> None:
    section = scenario_page.read(name).sections["The report"]
    plain = " ".join(re.sub(r"^> ?", "", section, flags=re.MULTILINE).split())
    assert scenarios.load(name).report in plain


@pytest.mark.parametrize("name", PAGES)
def test_a_page_has_the_command_that_runs_its_scenario(name: str) -> None:
    commands = "\n".join(scenario_page.read(name).blocks("Reproduce", "sh", "console"))
    assert re.search(rf"\./scripts/scenario run {re.escape(name)}$", commands, re.MULTILINE)


@pytest.mark.parametrize("name", OF_STAGES)
def test_a_fix_shows_the_wrong_and_then_the_right_function(name: str) -> None:
    """Each function is quoted as it is in its file, after a link to the file."""
    replacement = replacement_of(name)
    wrong, right, *_ = [quote for quote in quotes(name) if is_version_of(quote[1], replacement)]
    assert wrong == function_in(
        f"functions/{path_of(replacement.wrong.__module__)}", replacement.wrong.__name__
    )
    assert right == function_in(f"functions/{path_of(replacement.module)}", replacement.function)


@pytest.mark.parametrize("name", OF_STAGES)
def test_a_fix_quotes_the_current_code(name: str) -> None:
    """Each block consists of lines of the last linked file, with any indentation."""
    assert quotes(name)
    for path, code in quotes(name):
        lines = (ROOT / path).read_text().splitlines(keepends=True)
        count = code.count("\n")
        assert any(
            textwrap.dedent("".join(lines[start : start + count])) == code
            for start in range(len(lines))
        ), f"{path} has no lines\n{code}"


def replacement_of(name: str) -> Replacement:
    """Return what the fault of a scenario replaces."""
    replacement = REPLACEMENTS[scenarios.load(name).fault]
    assert replacement
    return replacement


def path_of(module: str) -> str:
    """Return the path of a module in functions/."""
    return f"{module.replace('.', '/')}.py"


def quotes(name: str) -> list[tuple[str, str]]:
    """Return the quoted code of a page's fix: pairs of the last linked file and the block."""
    pairs, linked = [], ""
    for part in QUOTED.finditer(scenario_page.read(name).sections["The fix"]):
        if part["path"]:
            linked = relative_name((scenario_page.FOLDER / part["path"]).resolve())
        else:
            pairs.append((linked, part["code"]))
    return pairs


def is_version_of(code: str, replacement: Replacement) -> bool:
    """Return whether a block defines the replaced function or its wrong version."""
    return (
        re.match(rf"def ({replacement.wrong.__name__}|{replacement.function})\(", code) is not None
    )


def function_in(path: str, name: str) -> tuple[str, str]:
    """Return a file's function in the form of `quotes`, without decorators."""
    text = (ROOT / path).read_text()
    (definition,) = [
        node
        for node in ast.parse(text).body
        if isinstance(node, ast.FunctionDef) and node.name == name
    ]
    return path, f"{ast.get_source_segment(text, definition)}\n"


@pytest.mark.parametrize("name", OF_THE_PAGE)
def test_removed_lines_of_a_diff_are_in_the_fault(name: str) -> None:
    """They are in the fault's own module, or in code that checks whether the fault is on."""
    wrong = [line for sign, line in diff(name) if sign == "-"]
    assert wrong, "the diff removes nothing"
    assert [
        line for line in wrong if not occurs(line, fault_lines(scenarios.load(name).fault))
    ] == []


@pytest.mark.parametrize("name", OF_THE_PAGE)
def test_kept_and_added_lines_of_a_diff_are_in_the_right_code(name: str) -> None:
    right = [line for sign, line in diff(name) if sign != "-"]
    assert [line for line in right if not occurs(line, right_lines())] == []


def diff(name: str) -> list[tuple[str, str]]:
    """Return the lines of a page's diffs with their signs, without the headers."""
    blocks = scenario_page.read(name).blocks("The fix", "diff")
    assert blocks, "the fix has no diff"
    lines = [line for block in blocks for line in block.splitlines()]
    is_header = re.compile(r"(---|\+\+\+|@@|diff |index )")
    signed = [(line[:1], flat(line[1:])) for line in lines if not is_header.match(line)]
    return [(sign, line) for sign, line in signed if not LEFT_OUT.fullmatch(line)]


def occurs(line: str, lines: frozenset[str]) -> bool:
    """Return whether the line is one of the lines or the start of one.

    `x = a` is the start of `x = a if faults.on(…) else b`. A line without words, such as a closing
    parenthesis, has to be a whole line.
    """
    return line in lines or (
        re.search(r"\w{2}", line) is not None and any(other.startswith(line) for other in lines)
    )


def flat(line: str) -> str:
    """Return a line without its indentation, and with single spaces."""
    return " ".join(line.split())


@cache
def files() -> dict[str, str]:
    """Return the text of each file of code, by path."""
    paths = {relative_name(path): path for path in checkout(*CODE)}
    return {name: path.read_text() for name, path in paths.items() if IS_CODE.search(name)}


@cache
def right_lines() -> frozenset[str]:
    """Return every line outside of faults."""
    texts = [text for path, text in files().items() if not IS_FAULT.search(path)]
    return frozenset(flat(line) for text in texts for line in text.splitlines())


@cache
def fault_lines(fault: str) -> frozenset[str]:
    """Return every line of a fault's module, and of those that ask for it by name."""
    snake = fault.replace("-", "_")
    camel = re.sub(r"_(\w)", lambda match: match[1].upper(), snake)
    own = re.compile(rf"(^|/)faults/(.*/)?({snake}|{camel})\.\w+$")
    asks = re.compile(rf"""\b(on|isOn)\(\s*["']{re.escape(fault)}["']""")
    texts = [text for path, text in files().items() if own.search(path) or asks.search(text)]
    return frozenset(flat(line) for text in texts for line in text.splitlines())
