"""`./scripts/hops`, run against the stack under test."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from stack.hops.hop_evidence import HOPS
from tests.addresses import Addresses

ROOT = Path(__file__).resolve().parents[2]


def test_every_hop_of_the_contract_is_carried(addresses: Addresses) -> None:
    """All fifteen are joined as the contract says, and have a median wait and a trace id."""
    # A process of its own: Playwright's synchronous API can't start twice in one.
    completed = subprocess.run(
        [ROOT / "scripts" / "hops", "--json", "--port-offset", str(addresses.offset)],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert completed.returncode == 0, completed.stdout + completed.stderr
    report = json.loads(completed.stdout)
    assert list(report) == list(HOPS)
    assert len(report) == 15
    joined_by_link = {"schedule", "auth"}
    for hop, evidence in report.items():
        assert list(evidence) == ["carried", "joined_as", "p50_ms", "trace_id"]
        assert evidence["carried"] is True
        assert evidence["joined_as"] == ("link" if hop in joined_by_link else "parent"), hop
        assert evidence["p50_ms"] >= 0, hop
        assert len(evidence["trace_id"]) == 32, hop
