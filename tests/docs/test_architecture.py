"""ARCHITECTURE.md shows the import contracts that are in force."""

from __future__ import annotations

import pytest

from stack import import_table
from stack.errors import UserError
from tests.docs.markdown import ROOT

FORBIDDEN = {
    "name": "core does not import the shell",
    "type": "forbidden",
    "source_modules": ["core"],
    "forbidden_modules": ["shell", "requests"],
    "ignore_imports": ["core.net -> requests"],
}
LAYERS = {"name": "one way", "type": "layers", "layers": ["core.top", "core.left | core.right"]}


def test_the_import_rules_are_those_of_the_contracts() -> None:
    document, wanted = import_table.current(ROOT)
    assert document == wanted, "Run ./scripts/check --fix."


def test_a_forbidden_contract_is_a_row_with_its_exceptions() -> None:
    assert (
        "| core does not import the shell | `core` "
        "| `shell`, `requests`; except that `core.net` imports `requests` |"
    ) in import_table.render([FORBIDDEN], {}).splitlines()


def test_a_layers_contract_lists_its_layers_without_their_package() -> None:
    rules = import_table.render([LAYERS], {}).splitlines()
    assert "| one way | `core` | `top`<br>`left`, `right` |" in rules


def test_a_part_of_the_page_is_a_row_with_what_it_may_import() -> None:
    rules = import_table.render([], {"app": ["model"], "model": []}).splitlines()
    assert rules[-2:] == ["| `app` | `model` |", "| `model` | nothing |"]


def test_a_contract_of_another_type_is_reported_by_name() -> None:
    with pytest.raises(UserError, match=r"one way.*independence"):
        import_table.render([{**LAYERS, "type": "independence"}], {})


def test_only_the_text_between_the_markers_is_replaced() -> None:
    document = f"before\n{import_table.BEGIN}\nold\n{import_table.END}\nafter\n"
    assert import_table.replace_rules(document, "new") == (
        f"before\n{import_table.BEGIN}\n\nnew\n\n{import_table.END}\nafter\n"
    )


def test_a_document_without_the_markers_is_refused() -> None:
    with pytest.raises(UserError, match="Put them back"):
        import_table.replace_rules("nothing generated here\n", "new")
