"""`python -m stack.faults FILE`: writes the bugs on purpose as the Observatory takes them.

Runs in the environment that install.py made, with functions/ among the folders of its modules.
"""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from typing import Any

from stack.rehearsal import scenario


def catalogue() -> dict[str, Any]:
    """Return every fault with the scenarios that provoke it; none where faults/ was deleted.

    A page's fault has no flag, because the rules let no page read one: its `address` turns it on.
    """
    if importlib.util.find_spec("faults") is None:
        return {"faults": []}
    faults = importlib.import_module("faults.catalogue").FAULTS
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
            for fault in faults
        ]
    }


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(json.dumps(catalogue(), indent=2) + "\n")
