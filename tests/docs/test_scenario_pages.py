"""Every scenario has a page, all pages have one form, and their code is the code as it is."""

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
from tests.docs.markdown import ROOT, checkout, named
from tests.docs.scenario_page import HEADINGS

PAGES = scenario_page.names()
REPLACEMENTS = {fault.name: fault.replacement for fault in FAULTS}
OF_STAGES = [name for name in PAGES if REPLACEMENTS[scenarios.load(name).fault]]
OF_THE_PAGE = [name for name in PAGES if name not in OF_STAGES]
# `py` is code of this checkout that is quoted; `python` is code that a reader runs.
QUOTED = re.compile(
    r"\]\((?P<path>[^)]+\.(?:py|json))\)|^```(?:py|json)\n(?P<code>.*?)^```$", re.M | re.S
)
# Where the right way is: all that is deployed, and the rules and indexes beside it.
CODE = ("functions", "frontend/src", "acquirer", "rules")
IS_CODE = re.compile(r"\.(py|ts|tsx|rules|json)$")
IS_FAULT = re.compile(r"(^|/)faults/")
LEFT_OUT = re.compile(r"(…|\.\.\.)?")


def test_every_scenario_has_a_page_and_every_page_a_scenario() -> None:
    """Under its own name."""
    assert scenarios.names() == PAGES


@pytest.mark.parametrize("name", PAGES)
def test_a_page_has_the_headings_that_all_pages_have(name: str) -> None:
    """In the same order, so that who read one knows where to look in the next; none is empty."""
    page = scenario_page.read(name)
    assert page.headings == HEADINGS
    assert [heading for heading, text in page.sections.items() if not text] == []


@pytest.mark.parametrize("name", PAGES)
def test_its_title_says_in_words_what_goes_wrong(name: str) -> None:
    """A scenario's name is for typing."""
    title = scenario_page.read(name).title
    assert re.fullmatch(r"# \S+( \S+)+", title), title


@pytest.mark.parametrize("name", PAGES)
def test_it_quotes_what_the_user_reports(name: str) -> None:
    """In the words that `./scripts/scenario list` shows."""
    said = scenario_page.read(name).sections["The report"]
    plain = " ".join(re.sub(r"^> ?", "", said, flags=re.MULTILINE).split())
    assert scenarios.load(name).report in plain


@pytest.mark.parametrize("name", PAGES)
def test_it_says_how_to_see_it_for_oneself(name: str) -> None:
    """With a command that can be copied."""
    commands = "\n".join(scenario_page.read(name).blocks("Reproduce", "sh", "console"))
    assert re.search(rf"\./scripts/scenario run {re.escape(name)}$", commands, re.MULTILINE)


@pytest.mark.parametrize("name", OF_STAGES)
def test_its_fix_shows_the_wrong_function_and_the_right_one(name: str) -> None:
    """In this order, each as it is in its file now, and after a link to the file."""
    replacement = replacement_of(name)
    wrong, right, *_ = [quote for quote in quotes(name) if is_version_of(quote[1], replacement)]
    assert wrong == function_in(
        f"functions/{path_of(replacement.wrong.__module__)}", replacement.wrong.__name__
    )
    assert right == function_in(f"functions/{path_of(replacement.module)}", replacement.function)


@pytest.mark.parametrize("name", OF_STAGES)
def test_its_fix_quotes_code_as_it_is(name: str) -> None:
    """Each block is lines of the file that was linked last, whatever their indentation."""
    assert quotes(name)
    for path, code in quotes(name):
        lines = (ROOT / path).read_text().splitlines(keepends=True)
        count = code.count("\n")
        assert any(
            textwrap.dedent("".join(lines[start : start + count])) == code
            for start in range(len(lines))
        ), f"{path} has no lines\n{code}"


def replacement_of(name: str) -> Replacement:
    """What the fault of a scenario replaces."""
    replacement = REPLACEMENTS[scenarios.load(name).fault]
    assert replacement
    return replacement


def path_of(module: str) -> str:
    """The file of a module."""
    return f"{module.replace('.', '/')}.py"


def quotes(name: str) -> list[tuple[str, str]]:
    """The blocks of quoted code in a page's fix, each with the file that was linked before it."""
    found, linked = [], ""
    for part in QUOTED.finditer(scenario_page.read(name).sections["The fix"]):
        if part["path"]:
            linked = named((scenario_page.FOLDER / part["path"]).resolve())
        else:
            found.append((linked, part["code"]))
    return found


def is_version_of(code: str, replacement: Replacement) -> bool:
    """Whether a block defines the function that is replaced, or its wrong version."""
    return (
        re.match(rf"def ({replacement.wrong.__name__}|{replacement.function})\(", code) is not None
    )


def function_in(path: str, name: str) -> tuple[str, str]:
    """A file's function of that name as `quotes` has it, without its decorators."""
    text = (ROOT / path).read_text()
    (found,) = [
        node
        for node in ast.parse(text).body
        if isinstance(node, ast.FunctionDef) and node.name == name
    ]
    return path, f"{ast.get_source_segment(text, found)}\n"


@pytest.mark.parametrize("name", OF_THE_PAGE)
def test_every_line_that_its_diff_removes_is_the_faults(name: str) -> None:
    """In the fault's own module, or in the code that asks whether the fault is on."""
    wrong = [line for sign, line in diff(name) if sign == "-"]
    assert wrong, "the diff removes nothing"
    assert [
        line for line in wrong if not occurs(line, fault_lines(scenarios.load(name).fault))
    ] == []


@pytest.mark.parametrize("name", OF_THE_PAGE)
def test_every_line_that_its_diff_leaves_or_adds_is_the_right_ways(name: str) -> None:
    """As it is in the code now: the diff can't be of some earlier day."""
    right = [line for sign, line in diff(name) if sign != "-"]
    assert [line for line in right if not occurs(line, right_lines())] == []


def diff(name: str) -> list[tuple[str, str]]:
    """The lines of a page's diffs with their signs; which lines of which file is left out."""
    blocks = scenario_page.read(name).blocks("The fix", "diff")
    assert blocks, "the fix is shown as no diff"
    lines = [line for block in blocks for line in block.splitlines()]
    is_header = re.compile(r"(---|\+\+\+|@@|diff |index )")
    signed = [(line[:1], flat(line[1:])) for line in lines if not is_header.match(line)]
    return [(sign, line) for sign, line in signed if not LEFT_OUT.fullmatch(line)]


def occurs(line: str, lines: frozenset[str]) -> bool:
    """Whether it is one of the lines, or how one begins: `x = a` of `x = a if faults.on(…) else b`.

    A line of signs alone, like a closing parenthesis, has to be one as a whole.
    """
    return line in lines or (
        re.search(r"\w{2}", line) is not None and any(other.startswith(line) for other in lines)
    )


def flat(line: str) -> str:
    """A line without its indentation, and with single spaces."""
    return " ".join(line.split())


@cache
def files() -> dict[str, str]:
    """What is deployed, by path."""
    found = {named(path): path for path in checkout(*CODE)}
    return {path: found[path].read_text() for path in found if IS_CODE.search(path)}


@cache
def right_lines() -> frozenset[str]:
    """Every line that is nobody's fault."""
    texts = [text for path, text in files().items() if not IS_FAULT.search(path)]
    return frozenset(flat(line) for text in texts for line in text.splitlines())


@cache
def fault_lines(fault: str) -> frozenset[str]:
    """Every line of the module that a fault has, and of those that ask for it by name."""
    snake = fault.replace("-", "_")
    camel = re.sub(r"_(\w)", lambda match: match[1].upper(), snake)
    own = re.compile(rf"(^|/)faults/(.*/)?({snake}|{camel})\.\w+$")
    asks = re.compile(rf"""\b(on|isOn)\(\s*["']{re.escape(fault)}["']""")
    texts = [text for path, text in files().items() if own.search(path) or asks.search(text)]
    return frozenset(flat(line) for text in texts for line in text.splitlines())
