"""Lists the faults and the platform conditions in the format that the Observatory reads."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

from cloud.platform_conditions.catalogue import CONDITIONS
from stack.scenario_runner import scenario


def catalogue() -> dict[str, Any]:
    """Return every fault, then every platform condition, with the scenarios that turn it on.

    The security rules don't let a page read flags, so a page's fault is turned on by its `address`.
    A checkout whose functions/faults/ was deleted has only the platform conditions.
    """
    has_faults = importlib.util.find_spec("faults") is not None
    faults = importlib.import_module("faults.catalogue").FAULTS if has_faults else ()
    scenarios = scenario.load_all()
    return {
        "faults": [
            {
                "name": fault.name,
                "kind": fault.kind,
                "where": fault.where,
                "summary": fault.summary,
                "scenarios": [
                    name for name, shown in scenarios.items() if fault.name == shown.fault
                ],
                "address": f"{fault.page}?fault={fault.name}" if fault.where == "page" else None,
            }
            for fault in faults
        ]
        + [
            {
                "name": condition.name,
                "kind": "platform",
                "where": condition.where,
                "summary": condition.summary,
                "scenarios": [
                    name
                    for name, shown in scenarios.items()
                    if condition.name in shown.platform_conditions
                ],
                "address": None,
            }
            for condition in CONDITIONS
        ]
    }


def write(path: Path) -> None:
    """Write the catalogue into a file."""
    path.write_text(json.dumps(catalogue(), indent=2) + "\n")
