"""new-key-each-try: a call that timed out is made again as if it had never been made.

No answer in time says nothing about whether the other side did what it was asked.
"""


def key(key: str, attempt: int) -> str:
    """The same key, with the number of the try behind it."""
    return f"{key}-{attempt}"
