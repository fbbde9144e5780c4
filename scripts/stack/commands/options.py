"""Options that several commands take, and the values that they accept."""

from __future__ import annotations

import argparse

from stack.local.addresses import OFFSET_MAX


def add_json(parser: argparse.ArgumentParser) -> None:
    """Let the command print one JSON object."""
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def add_port_offset(parser: argparse.ArgumentParser, about: str) -> None:
    """Let the command name a stack by its port offset; None where it is left out."""
    parser.add_argument("--port-offset", type=port_offset, metavar="N", help=about)


def port_offset(text: str) -> int:
    """Read a port offset."""
    if not (text.isascii() and text.isdigit() and int(text[:9]) <= OFFSET_MAX):
        raise argparse.ArgumentTypeError(f"{text} is not a number from 0 to {OFFSET_MAX}")
    return int(text)


def positive(text: str) -> int:
    """Read a number from 1 on."""
    number = int(text) if text.isascii() and text.isdigit() else 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a number from 1 on")
    return number


def rate(text: str) -> float:
    """Read a share, from 0 to 1."""
    try:
        share = float(text)
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise argparse.ArgumentTypeError(f"{text} is not a number from 0 to 1")
    return share
