"""A scenario leaves flags, shows and orders as it found them, when it is interrupted too."""

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
# It waits for six seconds for its bank, so there is time to interrupt it.
SLOW = "late-webhook"
ITS_FLAG = "keeps-late-money"
ANOTHER_FLAG = "drops-the-context"


def contents(box_office: BoxOffice) -> dict[str, set[str]]:
    """The ids of all that a scenario might leave."""
    return {
        collection: {
            row["document"]["name"]
            for row in box_office.documents.query(collection).json()
            if "document" in row
        }
        for collection in ("shows", "orders", "tickets", "flags")
    }


def is_on(box_office: BoxOffice, flag: str) -> bool:
    """Whether a flag is on."""
    answer = box_office.documents.get(f"{COLLECTION}/{flag}")
    return answer.is_success and box_office.documents.read(f"{COLLECTION}/{flag}")["on"] is True


@pytest.fixture
def begin(addresses: Addresses) -> Iterator[Callable[[], subprocess.Popen[bytes]]]:
    """Begins the slow scenario; it is over when the test is."""
    offset = ("--port-offset", str(addresses.offset))
    command = [str(ROOT / "scripts" / "scenario"), "run", SLOW, *offset]
    with ExitStack() as stack:

        def start() -> subprocess.Popen[bytes]:
            begun = subprocess.Popen(command, process_group=0)
            stack.enter_context(begun)
            stack.callback(begun.kill)
            return begun

        yield start


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_what_is_interrupted_puts_everything_back(
    box_office: BoxOffice, begin: Callable[[], subprocess.Popen[bytes]], number: signal.Signals
) -> None:
    """With the flag on and an order under way: Ctrl-C, or who runs it ends."""
    before = contents(box_office)
    scenario = begin()
    deadline = time.monotonic() + SECONDS
    while contents(box_office)["orders"] == before["orders"]:
        assert time.monotonic() < deadline, "the scenario placed no order"
        time.sleep(0.02)
    assert is_on(box_office, ITS_FLAG)
    scenario.send_signal(number)
    assert scenario.wait(SECONDS) == 130
    assert not is_on(box_office, ITS_FLAG)
    assert contents(box_office) == before


def test_a_flag_that_was_on_is_on_again(box_office: BoxOffice) -> None:
    """Though the scenario had it off, so as to show one fault and not two."""
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
