"""What `./scripts/hops` does, on the stack under test: every hop of the contract is carried."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from stack.hops.hop_evidence import HOPS
from tests.addresses import Addresses

ROOT = Path(__file__).resolve().parents[2]


def test_every_hop_of_the_contract_is_carried(addresses: Addresses) -> None:
    """Fifteen of them, each joined as the contract says, with a wait and a trace to look at."""
    # Its browser and the other tests' can't share a process.
    done = subprocess.run(
        [ROOT / "scripts" / "hops", "--json", "--port-offset", str(addresses.offset)],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(done.stdout)
    assert list(found) == list(HOPS)
    assert len(found) == 15
    joined_otherwise = {"schedule": "link", "auth": "link"}
    for hop, said in found.items():
        assert list(said) == ["carried", "joined_as", "p50_ms", "trace_id"]
        assert said["carried"] is True
        assert said["joined_as"] == joined_otherwise.get(hop, "parent"), hop
        assert said["p50_ms"] >= 0, hop
        assert len(said["trace_id"]) == 32, hop
