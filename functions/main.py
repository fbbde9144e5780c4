"""The table of contents: every deployed function, in the order in which an order meets them."""

import settings
import throughline
import worker

throughline.start(baggage={"order.id": "boxoffice.order.id", "show.id": "boxoffice.show.id"})
worker.take_long_headers()
if settings.is_emulated():
    worker.close_after_each_answer()
if settings.redelivery_url():
    import local_delivery

    local_delivery.install(
        settings.redelivery_url(), settings.redelivery_switch(), settings.served_event_function()
    )

from boxoffice import clients

clients.make_firebase_app()

from boxoffice.welcome import welcome
from boxoffice.availability import availability
from boxoffice.quote import quote
from boxoffice.reserve import reserve
from boxoffice.charge import charge
from boxoffice.settle import settle
from boxoffice.issue import issue
from boxoffice.expire import expire
from boxoffice.refund import refund
from boxoffice.audit import audit
from boxoffice.sweep import sweep

if settings.faults_obey_flags():
    import faults

    faults.install(clients.firestore)

__all__ = [
    "welcome",
    "availability",
    "quote",
    "reserve",
    "charge",
    "settle",
    "issue",
    "expire",
    "refund",
    "audit",
    "sweep",
]
