"""Keeps the stack's own traffic, which stays on this machine, away from HTTP proxies."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping

LOOPBACK = ("localhost", "127.0.0.1", "::1")
EXEMPTIONS = ("no_proxy", "NO_PROXY")
PROXIES = ("http_proxy", "https_proxy", "all_proxy")


def bypass_for_loopback(environment: MutableMapping[str, str]) -> None:
    """Add the loopback hosts to `no_proxy` and `NO_PROXY`.

    Both are set, to the same value, because programs differ in which one they read.
    """
    hosts = [
        host.strip()
        for name in EXEMPTIONS
        for host in environment.get(name, "").split(",")
        if host.strip()
    ]
    exempt = "*" if "*" in hosts else ",".join(dict.fromkeys([*hosts, *LOOPBACK]))
    environment.update(dict.fromkeys(EXEMPTIONS, exempt))


def without_proxies(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment without proxies, for a program that ignores `no_proxy`.

    The Firebase CLI does (firebase-tools#4386): it reads only HTTP_PROXY and HTTPS_PROXY.
    """
    return {name: value for name, value in environment.items() if name.lower() not in PROXIES}
