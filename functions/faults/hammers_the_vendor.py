"""hammers-the-vendor: tries again at once, and again, while the message's own redelivery does too.

Retries in two layers multiply, and a vendor that is down stays down under them.
"""

PAUSES_SECONDS = (0.0,) * 40
