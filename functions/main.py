"""The table of contents: every deployed function, in the order in which an order meets them."""

import settings
import throughline

throughline.start()
if settings.redelivery_url():
    import local_delivery

    local_delivery.install(
        settings.redelivery_url(), settings.redelivery_switch(), settings.served_event_function()
    )

from boxoffice.reserve import reserve
from boxoffice.charge import charge
from boxoffice.settle import settle
from boxoffice.issue import issue

__all__ = ["reserve", "charge", "settle", "issue"]
