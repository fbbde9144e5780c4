"""`python -m stack.faults FILE`: writes the bugs on purpose and the platform conditions as the
Observatory takes them.

Runs in the environment that install.py made, with functions/ among the folders of its modules.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from cloud.platform_conditions.catalogue import CONDITIONS
from faults.catalogue import FAULTS
from stack.rehearsal import scenario


def catalogue() -> dict[str, Any]:
    """Every fault, then every platform condition, with the scenarios that turn it on.

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
                    name for name, shown in scenarios.items() if fault.name == shown.fault
                ],
                "address": f"{fault.page}?fault={fault.name}" if fault.where == "page" else None,
            }
            for fault in FAULTS
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


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(json.dumps(catalogue(), indent=2) + "\n")
