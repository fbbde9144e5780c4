"""The ports of stacks that run side by side."""

from __future__ import annotations

import itertools
import os
import socket

import pytest

from stack import ports
from stack.ports import HOST, OFFSETS, REFUSED, Ports, free_ports
from stack.problem import Problem


def test_no_two_stacks_share_a_port() -> None:
    """Whichever offsets they took: every port of every stack is its own."""
    everything = [port for offset in OFFSETS for port in Ports(offset).all.values()]
    assert len(everything) == len(set(everything))


def test_no_stack_has_a_port_that_fetch_refuses() -> None:
    """The emulators ask each other by fetch; of its bad ports these are above the defaults."""
    bad = {1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566, 6679, 6697, 10080}
    bad |= set(range(6665, 6670))
    assert bad.isdisjoint(port for offset in OFFSETS for port in Ports(offset).all.values())


def test_every_port_is_below_the_ephemeral_ones() -> None:
    """The system hands those out, so that one might be taken by anybody at any time."""
    assert min(Ports(OFFSETS[0]).all.values()) > 1024
    assert max(Ports(OFFSETS[-1]).all.values()) < 32_768


def test_the_default_ports_are_those_that_the_settings_assume() -> None:
    """What the page and the functions have as defaults, and people as bookmarks."""
    defaults = Ports()
    assert defaults.url("hosting") == "http://127.0.0.1:5002"
    assert defaults.url("functions") == "http://127.0.0.1:5001"
    assert defaults.url("firestore") == "http://127.0.0.1:8080"
    assert defaults.url("observatory") == "http://127.0.0.1:4318"
    assert defaults.url("acquirer") == "http://127.0.0.1:4320"
    assert defaults.all["websocket"] == 9150


@pytest.mark.parametrize("offset", [1, 1000, 19_000])
def test_an_offset_moves_every_port(offset: int) -> None:
    """By the same number."""
    moved = Ports(offset).all
    assert moved == {name: port + offset for name, port in Ports().all.items()}


def a_stack_nobody_uses() -> Ports:
    """Ports at an odd offset, out of other stacks' and test processes' way, all free now, none of
    them one that fetch refuses."""
    first = 523 + os.getpid() % 400
    usable = (p for p in map(Ports, itertools.count(first, 997)) if not p.taken())
    return next(p for p in usable if REFUSED.isdisjoint(p.all.values()))


@pytest.mark.parametrize("name", ["acquirer", "firestore", "websocket", "hub"])
def test_a_taken_port_is_an_error_that_names_it_and_the_mend(name: str) -> None:
    """And the mend is an offset other than the one that was tried."""
    mine = a_stack_nobody_uses()
    mine.claim()
    with socket.create_server((HOST, mine.all[name])):
        assert mine.taken() == {name: mine.all[name]}
        with pytest.raises(Problem) as problem:
            mine.claim()
    assert f"Port {mine.all[name]} (for {name}) is taken" in str(problem.value)
    assert f"--port-offset {mine.offset + 1000}" in str(problem.value)


@pytest.mark.parametrize(
    ("offset", "port", "name"), [(2000, 10080, "firestore"), (59, 5060, "functions")]
)
def test_a_port_that_nobody_would_ask_is_refused_before_anything_starts(
    offset: int, port: int, name: str
) -> None:
    """The emulators would start, and fail to find each other."""
    with pytest.raises(Problem, match=rf"Port {port} \(for {name}\) .* --port-offset \d+\."):
        Ports(offset).claim()


def test_a_port_is_taken_by_whoever_listens_on_every_address() -> None:
    """A program that listens on 0.0.0.0 is in the way too."""
    mine = a_stack_nobody_uses()
    with socket.create_server(("0.0.0.0", mine.acquirer)):  # noqa: S104
        assert mine.taken() == {"acquirer": mine.acquirer}


@pytest.mark.parametrize(("offset", "mend"), [(0, 1000), (1000, 3000), (19_000, 0)])
def test_the_mend_is_an_offset_that_the_script_takes(
    offset: int, mend: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also for whoever is at the last one already."""
    monkeypatch.setattr(ports, "_is_taken", lambda port: True)
    with pytest.raises(Problem, match=rf"--port-offset {mend}\."):
        Ports(offset).claim()


def test_the_tests_take_the_first_free_stack_and_never_the_default_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A single taken port is enough to go on to the next."""
    monkeypatch.setattr(ports, "_is_taken", lambda port: port == Ports(1000).acquirer)
    assert free_ports() == Ports(3000)
    monkeypatch.setattr(ports, "_is_taken", lambda port: True)
    with pytest.raises(Problem, match="end one that is running"):
        free_ports()
