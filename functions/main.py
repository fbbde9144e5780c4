"""The table of contents: every deployed function, in the order in which an order meets them."""

import throughline

throughline.start()

from boxoffice.reserve import reserve
from boxoffice.charge import charge
from boxoffice.settle import settle
from boxoffice.issue import issue

__all__ = ["reserve", "charge", "settle", "issue"]
