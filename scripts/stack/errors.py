"""The error that commands show to the user."""

from __future__ import annotations

LOGS_HINT = "Look for the cause in the stack's logs, .throughline/*/*.log."


class UserError(Exception):
    """An error that the user can act on.

    `message` describes in a sentence, with the values, what happened; `hint` says what to do next.
    The commands print both on one line and exit with 1.
    """

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(f"{message} {hint}" if hint else message)
        self.hint = hint
