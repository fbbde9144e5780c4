"""List the bugs on purpose in the form that the Observatory reads."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from faults.catalogue import FAULTS
from stack.scenario_runner import scenario


def catalogue() -> dict[str, Any]:
    """Return every fault, with the scenarios that provoke it.

    A page's fault has no flag, because the rules let no page read one: its `address` turns it on.
    """
    scenarios = scenario.load_all()
    return {
        "faults": [
            {
                "name": fault.name,
                "kind": fault.kind,
                "where": fault.where,
                "summary": fault.summary,
                "scenarios": [
                    name
                    for name, shown in scenarios.items()
                    if fault.name in (shown.fault, *shown.weather)
                ],
                "address": f"{fault.page}?fault={fault.name}" if fault.where == "page" else None,
            }
            for fault in FAULTS
        ]
    }


def write(path: Path) -> None:
    """Write the catalogue into a file."""
    path.write_text(json.dumps(catalogue(), indent=2) + "\n")
