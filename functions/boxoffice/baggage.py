"""The baggage of an order's trace: the ids by which each of its spans can be found."""

from __future__ import annotations

import throughline
from boxoffice import order

# A client may send anything as an id. One without a letter could be a card's number.
_HAS_LETTER = "(?=.*[A-Za-z])"

KEYS = {
    "order.id": throughline.BaggageKey("boxoffice.order.id", f"{_HAS_LETTER}{order.ID_PATTERN}"),
    "show.id": throughline.BaggageKey("boxoffice.show.id", f"{_HAS_LETTER}[a-z0-9-]{{1,64}}"),
}
