"""Reads shows for the functions that answer requests."""

from __future__ import annotations

import re

from opentelemetry import trace

import throughline
from boxoffice import clients, ledger

# With a letter: one without could be a card's number, which nobody may find on a span.
_SHOW_ID = re.compile(r"(?=.*[a-z])[a-z0-9-]{1,64}")


class InvalidShowId(Exception):
    """Raised for a value that cannot be a show's id."""


class UnknownShow(Exception):
    """Raised for the id of a show that does not exist."""


def read(show_id: object) -> ledger.Document:
    """Return the show's document with its id as `id`, and when it was read as `read_at`.

    Sets the id on the current span.

    Raises:
        InvalidShowId: `show_id` is not a string of 1 to 64 lowercase letters, digits and hyphens,
            with at least one letter.
        UnknownShow: there is no such show.
    """
    if not isinstance(show_id, str) or not _SHOW_ID.fullmatch(show_id):
        raise InvalidShowId("show_id must be 1 to 64 lowercase letters, digits and hyphens.")
    trace.get_current_span().set_attribute("boxoffice.show.id", show_id)
    snapshot = clients.firestore().collection(ledger.SHOWS).document(show_id).get()
    show = snapshot.to_dict()
    if show is None:
        raise UnknownShow(f"There is no show {show_id}.")
    throughline.correct_baggage({"show.id": show_id})
    return {**show, "id": show_id, "read_at": snapshot.read_time}
