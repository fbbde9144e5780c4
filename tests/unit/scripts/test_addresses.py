"""The ports of stacks that run side by side."""

from __future__ import annotations

import itertools
import os
import socket

import pytest

from stack.errors import UserError
from stack.local import addresses
from stack.local.addresses import HOST, OFFSETS, REFUSED, StackAddresses, free_addresses


def test_no_two_stacks_share_a_port() -> None:
    """Whichever offsets they took: every port of every stack is its own."""
    everything = [port for offset in OFFSETS for port in StackAddresses(offset).ports.values()]
    assert len(everything) == len(set(everything))


def test_no_stack_has_a_port_that_fetch_refuses() -> None:
    """The emulators ask each other by fetch; of its bad ports these are above the defaults."""
    bad = {1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566, 6679, 6697, 10080}
    bad |= set(range(6665, 6670))
    assert bad.isdisjoint(
        port for offset in OFFSETS for port in StackAddresses(offset).ports.values()
    )


def test_every_port_is_below_the_ephemeral_ones() -> None:
    """The system hands those out, so that one might be taken by anybody at any time."""
    assert min(StackAddresses(OFFSETS[0]).ports.values()) > 1024
    assert max(StackAddresses(OFFSETS[-1]).ports.values()) < 32_768


def test_the_default_ports_are_those_that_the_settings_assume() -> None:
    """What the page and the functions have as defaults, and people as bookmarks."""
    defaults = StackAddresses()
    assert defaults.url("hosting") == "http://127.0.0.1:5002"
    assert defaults.url("functions") == "http://127.0.0.1:5001"
    assert defaults.url("firestore") == "http://127.0.0.1:8080"
    assert defaults.url("observatory") == "http://127.0.0.1:4318"
    assert defaults.url("acquirer") == "http://127.0.0.1:4320"
    assert defaults.ports["websocket"] == 9150


@pytest.mark.parametrize("offset", [1, 1000, 19_000])
def test_an_offset_moves_every_port(offset: int) -> None:
    """By the same number."""
    moved = StackAddresses(offset).ports
    assert moved == {name: port + offset for name, port in StackAddresses().ports.items()}


def a_stack_nobody_uses() -> StackAddresses:
    """Ports at an odd offset, out of other stacks' and test processes' way, all free now.

    None of them is one that fetch refuses."""
    first = 523 + os.getpid() % 400
    usable = (p for p in map(StackAddresses, itertools.count(first, 997)) if not p.taken())
    return next(p for p in usable if REFUSED.isdisjoint(p.ports.values()))


@pytest.mark.parametrize("name", ["acquirer", "firestore", "websocket", "hub"])
def test_a_taken_port_is_an_error_that_names_it_and_another_offset(name: str) -> None:
    """The hint is an offset other than the one that was tried."""
    mine = a_stack_nobody_uses()
    mine.require_free_ports()
    with socket.create_server((HOST, mine.ports[name])):
        assert mine.taken() == {name: mine.ports[name]}
        with pytest.raises(UserError) as error:
            mine.require_free_ports()
    assert f"Port {mine.ports[name]} (for {name}) is in use" in str(error.value)
    assert f"--port-offset {mine.offset + 1000}" in str(error.value)


@pytest.mark.parametrize(
    ("offset", "port", "name"), [(2000, 10080, "firestore"), (59, 5060, "functions")]
)
def test_a_port_that_nobody_would_ask_is_refused_before_anything_starts(
    offset: int, port: int, name: str
) -> None:
    """The emulators would start, and fail to find each other."""
    with pytest.raises(UserError, match=rf"port {port} \(for {name}\).* --port-offset \d+$"):
        StackAddresses(offset).require_free_ports()


def test_a_port_is_taken_by_whoever_listens_on_every_address() -> None:
    """A program that listens on 0.0.0.0 is in the way too."""
    mine = a_stack_nobody_uses()
    with socket.create_server(("0.0.0.0", mine.ports["acquirer"])):  # noqa: S104
        assert mine.taken() == {"acquirer": mine.ports["acquirer"]}


@pytest.mark.parametrize(("offset", "hinted"), [(0, 1000), (1000, 3000), (19_000, 0)])
def test_the_hint_is_an_offset_that_the_script_takes(
    offset: int, hinted: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also for whoever is at the last one already."""
    monkeypatch.setattr(addresses, "_is_taken", lambda port: True)
    with pytest.raises(UserError, match=rf"--port-offset {hinted}$"):
        StackAddresses(offset).require_free_ports()


def test_the_tests_take_the_first_free_stack_and_never_the_default_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A single taken port is enough to go on to the next."""
    monkeypatch.setattr(
        addresses, "_is_taken", lambda port: port == StackAddresses(1000).ports["acquirer"]
    )
    assert free_addresses() == StackAddresses(3000)
    monkeypatch.setattr(addresses, "_is_taken", lambda port: True)
    with pytest.raises(UserError, match="Stop a stack that is running"):
        free_addresses()
