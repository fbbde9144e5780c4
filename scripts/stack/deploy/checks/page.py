"""Checks of the page as it is built for production."""

from __future__ import annotations

import re
from collections.abc import Iterator

from stack.deploy import manifest, page_build
from stack.deploy.checks.settings import LOCAL_ADDRESS
from stack.deploy.finding import Finding
from stack.deploy.page_build import Page
from stack.deploy.tree import Tree
from stack.errors import UserError

READER = "frontend/src/settings.ts"
_PLACEHOLDER = re.compile(r"\bmy-(?:project|api-key)\b")
EMULATORS = ("VITE_AUTH_EMULATOR_URL", "VITE_FIRESTORE_EMULATOR")

# Measured on this page, with a tenth to spare, in bytes of gzip.
FIRST_LOAD_MAX_BYTES = 26_000
EVERYTHING_MAX_BYTES = 245_000


def is_built_from_this_tree(tree: Tree) -> Iterator[Finding]:
    """Yield the error of the build; the page is built again if its sources have changed."""
    try:
        page = _page(tree)
    except UserError as error:
        yield Finding(str(error), "frontend", "Run `npm run build -w frontend` to see the error.")
        return
    known = set(re.findall(r'"(VITE_\w+)"', tree.text(READER)))
    for name in sorted(known - set(page.settings())):
        yield Finding(
            f"The built page has no value for {name}, and would use its default.",
            READER,
            "Derive it in scripts/stack/deploy/page_build.py, or set it in "
            f"frontend/.env.{tree.project_id}.",
            tree.line_of(READER, name),
        )


def has_no_placeholder(tree: Tree) -> Iterator[Finding]:
    """Yield the settings of the built page that were copied from the example and not filled in."""
    file = f"frontend/.env.{tree.project_id}"
    for name, value in sorted(_page(tree).settings().items()):
        if _PLACEHOLDER.search(value):
            yield Finding(
                f"{name} is {value}, which is the example's placeholder.",
                file,
                f"Set {name} in the file; {page_build.EXAMPLE} describes it.",
                tree.line_of(file, name),
            )


def is_within_its_budget(tree: Tree) -> Iterator[Finding]:
    """Yield the sizes that are above the budget."""
    page = _page(tree)
    for what, files, most in (
        ("The scripts that the buyer's page needs first", page.first_load(), FIRST_LOAD_MAX_BYTES),
        ("All scripts", page.scripts(), EVERYTHING_MAX_BYTES),
    ):
        size = page_build.gzip_bytes(files)
        if size > most:
            largest = max(files, key=lambda file: file.stat().st_size, default=page.folder).name
            yield Finding(
                f"{what} have {size:,} bytes of gzip; the budget is {most:,}. The largest is "
                f"{largest}.",
                "frontend/src",
                "Look for a new import; load what the first view does not need with import().",
            )


def connects_to_no_local_address(tree: Tree) -> Iterator[Finding]:
    """Yield the settings of the built page that lead to the machine that built it."""
    file = f"frontend/.env.{tree.project_id}"
    for name, value in sorted(_page(tree).settings().items()):
        if name in EMULATORS and value:
            yield Finding(
                f"{name} is {value}: the page would sign buyers in at an emulator, and hold the "
                "faults.",
                file,
                "Delete the line.",
                tree.line_of(file, name),
            )
        elif found := LOCAL_ADDRESS.search(value):
            # The card processor's address comes from the functions' settings.
            is_derived = tree.line_of(file, name) is None
            shown = f"functions/.env.{tree.project_id}" if is_derived else file
            yield Finding(
                f"{name} is {value}, and {found[0]} is the buyer's own machine.",
                shown,
                "Set the address that browsers can reach.",
                tree.line_of(shown, name.removeprefix("VITE_")),
            )


def _page(tree: Tree) -> Page:
    answer = manifest.discover(tree)
    regions = [function.get("region") for each in answer.codebases for function in each.resolved]
    known = [region for region in regions if region and region != manifest.NO_REGION]
    settings = {name: value for each in answer.codebases for name, value in each.settings.items()}
    return page_build.built_for_check(tree, known[0] if known else "us-central1", settings)
