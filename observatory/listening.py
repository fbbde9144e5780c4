"""Open the sockets that the server listens on."""

import socket
from collections.abc import Iterable


class CannotListen(Exception):
    """An address cannot be listened on; the message says why and what to do."""


def listen_on(host: str, ports: dict[str, int]) -> list[socket.socket]:
    """Return a listening socket for each port, which the options that are the keys set.

    Raises:
        CannotListen: an address is in use, is not this machine's, or is reserved.
    """
    listeners: list[socket.socket] = []
    for option, port in ports.items():
        try:
            listeners.append(listen(host, port))
        except OSError as error:
            close(listeners)
            raise CannotListen(
                f"cannot listen on {host}:{port}: {error.strerror}. {_hint(error, option)}"
            ) from error
    return listeners


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens; port 0 is any free one.

    Raises:
        OSError: the address cannot be listened on.
    """
    family, kind, protocol, _, address = socket.getaddrinfo(
        host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(1024)
    except OSError:
        listener.close()
        raise
    return listener


def close(listeners: Iterable[socket.socket]) -> None:
    """Close sockets."""
    for listener in listeners:
        listener.close()


def _hint(error: OSError, option: str) -> str:
    if isinstance(error, socket.gaierror):
        return "Give an address of this machine with --host."
    if isinstance(error, PermissionError):
        return f"Give a port above 1023 with {option}."
    without = ", or receive no gRPC with --no-grpc" if option == "--grpc-port" else ""
    return f"Stop the process that uses it, or give another port with {option}{without}."
