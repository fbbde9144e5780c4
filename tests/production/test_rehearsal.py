"""This tree, deployed with the real firebase-tools, sells a ticket, and its trace is whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from observatory.client import Observatory
from stack.load import load_generator
from stack.load.load_generator import Load
from stack.load.load_report import broken
from stack.local.addresses import free_addresses
from stack.rehearsal import rehearsal
from stack.setup import install

# Each takes a machine for itself.
pytestmark = [pytest.mark.long, pytest.mark.measures]

CHAOS = {"seed": 1, "duplicate_rate": 0.1, "reorder_rate": 0.1, "fail_rate": 0.05}
# Spans of an order in another order's trace, by the id that the stages put on their spans.
FOREIGN_SPANS = """
select count(*) from spans as span
join spans as root on root.attributes['boxoffice.order.id'] = span.attributes['boxoffice.order.id']
where root.name = 'buy' and span.trace_id != root.trace_id
"""


def test_a_rehearsed_site_sells_a_ticket_in_one_whole_trace(tmp_path: Path) -> None:
    """Nothing is lost to the stopped CPU, and nothing was called that is not simulated."""
    install.everything(chromium=True)
    outcome = rehearsal.rehearse(free_addresses(), tmp_path)
    assert rehearsal.is_whole(outcome), outcome
    assert outcome["order_state"] == "ticketed"
    assert (outcome["orphans"], outcome["coverage"], outcome["spans_lost"]) == (0, 1.0, 0)
    assert {"reserve", "charge", "settle", "issue"} <= set(outcome["deployed"])
    assert outcome["page_spans"] > 0


def test_orders_under_chaos_keep_the_invariants_on_a_rehearsed_site(tmp_path: Path) -> None:
    """100 orders, 20 at a time, with the functions at their deployed concurrency."""
    install.everything()
    addresses = free_addresses()
    with rehearsal.rehearsed_site(addresses, tmp_path) as running:
        load = Load(orders=100, concurrency=20, seats=None, chaos=CHAOS)
        invocations = rehearsal.AnsweredInvocations(running.site)
        report = load_generator.run(addresses, invocations, load)
        with Observatory(addresses.observatory) as observatory:
            foreign_spans = observatory.ask(FOREIGN_SPANS)["rows"]
        status = running.site.status()
    assert broken(report.figures) == [], report.details
    assert foreign_spans == [[0]]
    assert status["events"]["duplicates"] > 0
    assert [one for each in status["functions"].values() for one in each["failures"]] == []
