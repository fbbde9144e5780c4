"""Tests of the list of faults and platform conditions that the Observatory reads."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from cloud.platform_conditions.catalogue import CONDITIONS
from faults.catalogue import FAULTS
from faults.fault import Fault
from observatory.feature_flags.catalogue import read_catalogue
from stack.scenario_runner import scenario as scenarios
from stack.scenario_runner.fault_catalogue import catalogue, write

ROOT = Path(__file__).parents[3]
PAGES = [fault for fault in FAULTS if fault.where == "page"]


def test_the_observatory_reads_the_written_catalogue(tmp_path: Path) -> None:
    """Every fault and condition in order, with the scenarios that turn it on."""
    path = tmp_path / "faults.json"
    write(path)
    listed = read_catalogue(path)
    assert [(each.name, each.kind, each.where, each.summary) for each in listed] == [
        *((fault.name, fault.kind, fault.where, fault.summary) for fault in FAULTS),
        *(
            (condition.name, "platform", condition.where, condition.summary)
            for condition in CONDITIONS
        ),
    ]
    provoked = {name for each in listed for name in each.scenarios}
    assert provoked == set(scenarios.names())
    assert all(each.scenarios for each in listed)
    assert json.loads(path.read_text()) == catalogue()


@pytest.mark.parametrize("fault", PAGES, ids=lambda fault: fault.name)
def test_a_pages_fault_has_the_address_of_its_own_page(fault: Fault) -> None:
    """Otherwise the Observatory's link would open a page without the fault."""
    (address,) = [each["address"] for each in catalogue()["faults"] if each["name"] == fault.name]
    camel = re.sub("-(.)", lambda letter: letter[1].upper(), fault.name)
    wrong = (ROOT / "frontend/src/faults" / f"{camel}.ts").read_text()
    replaced = re.search(r'^export const REPLACES = "([\w/]+):\w+";$', wrong, re.MULTILINE)
    assert replaced, f"{camel}.ts replaces nothing"
    organisers = "organiser" in replaced[1].split("/")
    assert address == f"{'/organiser' if organisers else '/'}?fault={fault.name}"


def test_only_a_pages_fault_has_an_address() -> None:
    """The others have a flag."""
    with_address = {each["name"] for each in catalogue()["faults"] if each["address"]}
    assert with_address == {fault.name for fault in PAGES}
