"""`python -m stack.faults FILE`: writes the bugs on purpose as the Observatory takes them.

Runs in the environment that install.py made, with functions/ among the folders of its modules.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from faults.catalogue import FAULTS
from stack.rehearsal import scenario


def catalogue() -> dict[str, Any]:
    """Every fault, with the scenarios that provoke it.

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


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(json.dumps(catalogue(), indent=2) + "\n")
