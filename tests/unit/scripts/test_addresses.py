"""Tests of the ports of stacks that run at the same time."""

from __future__ import annotations

import itertools
import os
import socket

import pytest

from stack.errors import UserError
from stack.local import addresses
from stack.local.addresses import HOST, OFFSETS, REFUSED, StackAddresses, free_addresses


def test_no_two_stacks_share_a_port() -> None:
    ports = [port for offset in OFFSETS for port in StackAddresses(offset).ports.values()]
    assert len(ports) == len(set(ports))


def test_no_stack_has_a_port_that_fetch_refuses() -> None:
    """The emulators call each other with fetch; these are its bad ports above 1024."""
    bad = {1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566, 6679, 6697, 10080}
    bad |= set(range(6665, 6670))
    assert bad.isdisjoint(
        port for offset in OFFSETS for port in StackAddresses(offset).ports.values()
    )


def test_every_port_is_below_the_ephemeral_ones() -> None:
    """The operating system may assign an ephemeral port to any program."""
    assert min(StackAddresses(OFFSETS[0]).ports.values()) > 1024
    assert max(StackAddresses(OFFSETS[-1]).ports.values()) < 32_768


def test_the_default_ports_are_those_of_the_pages_and_functions_settings() -> None:
    defaults = StackAddresses()
    assert defaults.url("hosting") == "http://127.0.0.1:5002"
    assert defaults.url("functions") == "http://127.0.0.1:5001"
    assert defaults.url("firestore") == "http://127.0.0.1:8080"
    assert defaults.url("observatory") == "http://127.0.0.1:4318"
    assert defaults.ports["observatory_grpc"] == 4317
    assert defaults.url("acquirer") == "http://127.0.0.1:4320"
    assert defaults.ports["websocket"] == 9150


@pytest.mark.parametrize("offset", [1, 1000, 19_000])
def test_an_offset_moves_every_port(offset: int) -> None:
    moved = StackAddresses(offset).ports
    assert moved == {name: port + offset for name, port in StackAddresses().ports.items()}


def unused_addresses() -> StackAddresses:
    """Return addresses whose ports are free, allowed by fetch, and unlikely to be used meanwhile.

    The offset is odd and depends on the process, unlike those of stacks.
    """
    first = 523 + os.getpid() % 400
    usable = (p for p in map(StackAddresses, itertools.count(first, 997)) if not p.taken())
    return next(p for p in usable if REFUSED.isdisjoint(p.ports.values()))


@pytest.mark.parametrize("name", ["acquirer", "observatory_grpc", "firestore", "websocket", "hub"])
def test_a_port_in_use_is_an_error_that_names_it_and_another_offset(name: str) -> None:
    mine = unused_addresses()
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
def test_a_port_that_fetch_refuses_is_an_error(offset: int, port: int, name: str) -> None:
    """Otherwise the emulators would start and could not call each other."""
    with pytest.raises(UserError, match=rf"port {port} \(for {name}\).* --port-offset \d+$"):
        StackAddresses(offset).require_free_ports()


def test_a_port_is_in_use_if_a_program_listens_on_all_interfaces() -> None:
    mine = unused_addresses()
    with socket.create_server(("0.0.0.0", mine.ports["acquirer"])):  # noqa: S104
        assert mine.taken() == {"acquirer": mine.ports["acquirer"]}


@pytest.mark.parametrize(("offset", "hinted"), [(0, 1000), (1000, 3000), (19_000, 0)])
def test_the_hint_is_a_valid_offset(
    offset: int, hinted: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After the last offset, it is the first one."""
    monkeypatch.setattr(addresses, "_is_taken", lambda port: True)
    with pytest.raises(UserError, match=rf"--port-offset {hinted}$"):
        StackAddresses(offset).require_free_ports()


def test_free_addresses_are_the_first_free_ones_and_never_the_default(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An offset is skipped if one of its ports is in use."""
    monkeypatch.setattr(
        addresses, "_is_taken", lambda port: port == StackAddresses(1000).ports["acquirer"]
    )
    assert free_addresses() == StackAddresses(3000)
    monkeypatch.setattr(addresses, "_is_taken", lambda port: True)
    with pytest.raises(UserError, match="Stop a stack that is running"):
        free_addresses()
