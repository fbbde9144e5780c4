"""The table of contents: every deployed function, in the order of an order's life."""

import request_validation
import server_limits
import settings
import throughline

from boxoffice import baggage, facts

throughline.start(baggage=baggage.KEYS, outcome=facts.OUTCOME)
server_limits.accept_long_headers()
request_validation.install()

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
from boxoffice.telemetry import telemetry

if settings.faults_allowed():
    import faults

    faults.install(clients.firestore)
