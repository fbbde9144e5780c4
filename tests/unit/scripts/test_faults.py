"""The bugs on purpose as the Observatory is told of them."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from faults.catalogue import FAULTS, Fault
from observatory.feature_flags.catalogue import read_catalogue
from stack.faults import catalogue
from stack.rehearsal import scenario as scenarios

ROOT = Path(__file__).parents[3]
PAGES = [fault for fault in FAULTS if fault.where == "page"]


def test_the_observatory_reads_what_is_written(tmp_path: Path) -> None:
    """Every fault in its order, with the scenarios that provoke it."""
    path = tmp_path / "faults.json"
    command = [sys.executable, "-m", "stack.faults", str(path)]
    environment = {"PYTHONPATH": f"{ROOT / 'scripts'}:{ROOT / 'functions'}"}
    subprocess.run(command, cwd=ROOT, env=environment, check=True)
    listed = read_catalogue(path)
    assert [(each.name, each.kind, each.where, each.summary) for each in listed] == [
        (fault.name, fault.kind, fault.where, fault.summary) for fault in FAULTS
    ]
    provoked = {name for each in listed for name in each.scenarios}
    assert provoked == set(scenarios.names())
    assert all(each.scenarios for each in listed)
    assert json.loads(path.read_text()) == catalogue()


@pytest.mark.parametrize("fault", PAGES, ids=lambda fault: fault.name)
def test_a_pages_fault_has_the_address_of_the_page_that_asks_for_it(
    fault: Fault,
) -> None:
    """The link of the switchboard would open another page, and show nothing."""
    (address,) = [each["address"] for each in catalogue()["faults"] if each["name"] == fault.name]
    asking = [
        path
        for path in (ROOT / "frontend" / "src").rglob("*.ts*")
        if re.search(rf"isOn\(\s*[\"']{fault.name}[\"']", path.read_text())
    ]
    assert asking, f"no page asks whether {fault.name} is on"
    organisers = any("organiser" in path.parts for path in asking)
    assert address == f"{'/organiser' if organisers else '/'}?fault={fault.name}"


def test_only_a_pages_fault_has_an_address() -> None:
    """All others have a flag."""
    with_address = {each["name"] for each in catalogue()["faults"] if each["address"]}
    assert with_address == {fault.name for fault in PAGES}
