"""Options that several commands share, and the parsers of their values."""

from __future__ import annotations

import argparse

from stack.local.addresses import OFFSET_MAX


def add_json(parser: argparse.ArgumentParser) -> None:
    """Add the option --json."""
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def add_port_offset(parser: argparse.ArgumentParser, help_text: str) -> None:
    """Add the option --port-offset; its default is None."""
    parser.add_argument("--port-offset", type=port_offset, metavar="N", help=help_text)


def port_offset(text: str) -> int:
    """Parse a port offset."""
    if not (text.isascii() and text.isdigit() and int(text[:9]) <= OFFSET_MAX):
        raise argparse.ArgumentTypeError(f"{text} is not a whole number from 0 to {OFFSET_MAX}")
    return int(text)


def positive(text: str) -> int:
    """Parse a whole number of 1 or more."""
    number = int(text) if text.isascii() and text.isdigit() else 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a whole number of 1 or more")
    return number


def rate(text: str) -> float:
    """Parse a rate from 0 to 1."""
    try:
        share = float(text)
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise argparse.ArgumentTypeError(f"{text} is not a number from 0 to 1")
    return share
