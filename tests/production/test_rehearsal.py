"""This tree, deployed with the real firebase-tools, sells a ticket, and its trace is whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from stack.local.addresses import free_addresses
from stack.rehearsal import rehearsal
from stack.setup import install

pytestmark = pytest.mark.long


def test_a_rehearsed_site_sells_a_ticket_in_one_whole_trace(tmp_path: Path) -> None:
    """Nothing is lost to the stopped CPU, and nothing was called that is not simulated."""
    install.everything(chromium=True)
    outcome = rehearsal.rehearse(free_addresses(), tmp_path)
    assert rehearsal.is_whole(outcome), outcome
    assert outcome["order_state"] == "ticketed"
    assert (outcome["orphans"], outcome["coverage"], outcome["spans_lost"]) == (0, 1.0, 0)
    assert {"reserve", "charge", "settle", "issue"} <= set(outcome["deployed"])
    assert outcome["page_spans"] > 0
