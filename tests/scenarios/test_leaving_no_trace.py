"""Tests that a scenario restores flags, shows and orders, even if it is interrupted."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from stack.scenario_runner.flags import COLLECTION, Flags
from tests.addresses import Addresses
from tests.buyer import BoxOffice

ROOT = Path(__file__).parents[2]
SECONDS = 90
# This scenario waits six seconds for a bank, which is enough time to interrupt it.
SLOW = "late-webhook"
ITS_FLAG = "keeps-late-money"
ANOTHER_FLAG = "drops-the-context"


def contents(box_office: BoxOffice) -> dict[str, set[str]]:
    """Return the documents that a scenario may create, by collection."""
    return {
        collection: {
            row["document"]["name"]
            for row in box_office.documents.query(collection).json()
            if "document" in row
        }
        for collection in ("shows", "orders", "tickets", "flags")
    }


def is_on(box_office: BoxOffice, flag: str) -> bool:
    """Return whether a flag is on."""
    response = box_office.documents.get(f"{COLLECTION}/{flag}")
    return response.is_success and box_office.documents.read(f"{COLLECTION}/{flag}")["on"] is True


@pytest.fixture
def start_scenario(addresses: Addresses) -> Iterator[Callable[[], subprocess.Popen[bytes]]]:
    """Starts the slow scenario; it is killed at the end of the test."""
    offset = ("--port-offset", str(addresses.offset))
    command = [str(ROOT / "scripts" / "scenario"), "run", SLOW, *offset]
    with ExitStack() as stack:

        def start() -> subprocess.Popen[bytes]:
            process = subprocess.Popen(command, process_group=0)
            stack.enter_context(process)
            stack.callback(process.kill)
            return process

        yield start


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_scenario_restores_flags_shows_and_orders(
    box_office: BoxOffice,
    start_scenario: Callable[[], subprocess.Popen[bytes]],
    number: signal.Signals,
) -> None:
    """It is interrupted while its flag is on and an order is pending."""
    before = contents(box_office)
    scenario = start_scenario()
    deadline = time.monotonic() + SECONDS
    while contents(box_office)["orders"] == before["orders"]:
        assert time.monotonic() < deadline, "the scenario placed no order"
        time.sleep(0.02)
    assert is_on(box_office, ITS_FLAG)
    scenario.send_signal(number)
    assert scenario.wait(SECONDS) == 130
    assert not is_on(box_office, ITS_FLAG)
    assert contents(box_office) == before


def test_a_flag_that_was_on_is_restored(box_office: BoxOffice) -> None:
    """The scenario turned it off, so that only its own fault is on."""
    path = f"{COLLECTION}/{ANOTHER_FLAG}"
    document: dict[str, Any] = {"on": True, "by": "somebody"}
    box_office.documents.set(path, document).raise_for_status()
    try:
        with Flags(box_office.documents).only({ITS_FLAG}):
            assert is_on(box_office, ITS_FLAG)
            assert not is_on(box_office, ANOTHER_FLAG)
        assert box_office.documents.read(path) == document
        assert not is_on(box_office, ITS_FLAG)
    finally:
        box_office.documents.delete(path)
