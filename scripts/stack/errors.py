"""The error that a person can do something about."""

from __future__ import annotations


class UserError(Exception):
    """What happened, in a sentence with the values, and a hint: what to do next.

    The commands print both on one line and exit with 1.
    """

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(f"{message} {hint}" if hint else message)
        self.hint = hint
