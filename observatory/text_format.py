"""Format durations, counts and names for people."""

import re

# Shortens "/google.firestore.v1.Firestore/Commit" to "Firestore/Commit".
_RPC_PACKAGE = re.compile(r"^/?(?:\w+\.)+(?=\w+/\w+$)")


# Ids, hashes and numbers: what differs between messages about the same problem.
_PART = re.compile("[A-Za-z0-9_-]+")
_DIGIT = re.compile("[0-9]")
# The same in SQL, where regular expressions do not backtrack.
_VARIABLE_PART = "[A-Za-z0-9_-]*[0-9][A-Za-z0-9_-]*"
_VARIABLE_PLACEHOLDER = "#"
_MESSAGE_LENGTH_MAX = 500


def message_pattern(message: str) -> str:
    """Return a message with each token that contains a digit replaced by ``#``.

    Messages about the same problem then are equal: ``order o-17 not found`` and
    ``order o-18 not found`` are both ``order # not found``.
    """

    def replaced(part: re.Match[str]) -> str:
        return _VARIABLE_PLACEHOLDER if _DIGIT.search(part[0]) else part[0]

    return _PART.sub(replaced, message[:_MESSAGE_LENGTH_MAX])


def message_pattern_sql(column: str) -> str:
    """Return SQL that computes ``message_pattern`` of a column."""
    return (
        f"regexp_replace(left({column}, {_MESSAGE_LENGTH_MAX}), "
        f"'{_VARIABLE_PART}', '{_VARIABLE_PLACEHOLDER}', 'g')"
    )


def short_name(name: str) -> str:
    """Return a span's name without the package of an RPC."""
    return _RPC_PACKAGE.sub("", name)


def duration_text(milliseconds: float) -> str:
    """Format a duration: ``4.2 ms``, ``212 ms``, ``3.41 s``, ``2 min 5 s``, ``1 h 5 min``."""
    if milliseconds < 0:
        return "−" + duration_text(-milliseconds)
    if milliseconds < 9.95:
        return f"{milliseconds:.2g} ms" if milliseconds >= 0.01 else "0 ms"
    if milliseconds < 999.5:
        return f"{milliseconds:.0f} ms"
    if milliseconds < 59_995:
        return f"{milliseconds / 1000:.2f} s"
    minutes, seconds = divmod(round(milliseconds / 1000), 60)
    if minutes < 60:
        return f"{minutes} min {seconds} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min"


def count_text(number: int, noun: str) -> str:
    """Format a count with its noun: ``1 span``, ``2 spans``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
